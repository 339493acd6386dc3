"""
Faults seen in the field: each has a proof, or is listed as open.
"""

import os
import re
from pathlib import Path

from proofs import Proof, proofs


PAGE = Path(__file__).parents[2] / "docs/reference/field-cases.md"

# A: catalogue, B: client, C: sales, D: store, process and command line, E: found
# by attack.
CASES = [
    f"{group}{number}"
    for group, last in (("A", 12), ("B", 12), ("C", 20), ("D", 11), ("E", 18))
    for number in range(1, last + 1)
]

# Without a proof yet.  A case leaves this list with its test.
OPEN: set[str] = set()


def case_proofs() -> list[Proof]:
    """
    The marked tests, by case.
    """
    return sorted(proofs("case"), key=lambda proof: CASES.index(proof.id))


def test_every_case_is_proven_or_open():
    """
    A case has a proof, or is listed as open; not both, and there is no other.
    """
    proven = {proof.id for proof in proofs("case")}

    assert proven <= {*CASES}
    assert proven == {*CASES} - OPEN


def test_cases_are_documented():
    """
    The table is written from the markers, with CONEXXUS_WRITE_DOCS=1.
    """
    before, after = re.split(r"(?m)(?:^\|.*\n)+", PAGE.read_text())
    rows = [
        f"| {it.id} | {it.what} | {it.then} | `{it.test}` in `{it.file}` |" for it in case_proofs()
    ]
    table = ["| | What happens | What then holds | Test |", "|---|---|---|---|", *rows]
    written = before + "\n".join(table) + "\n" + after

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(written)

    assert PAGE.read_text() == written
