"""
The fault matrix is complete, and documented as it is.
"""

import os
import re
from pathlib import Path

from proofs import Proof, proofs

from .row import Row
from .rows import ROWS


# What somebody has to answer for; P15b is a fault of its own.
REQUIRED = """
N01 N02 N03 N05 N06 N07 N08 N09 N10 N11 N12 N13 N14 N15 N16 N17 N19 N20 N21 N23 N24
H01 H02 H03 H04 H05 H06 H07 H08 H09 H10 H11 H12 H13 H14 H15 H16 H17 H18 H19 H20 H21
P01 P02 P03 P04 P05 P06 P07 P09 P10 P11 P12 P13 P14 P15 P15b P16
S01 S02 S03 S04 S05 S06 S07 S08 S10 S11 S12
C01 C02 C04 C05 C06 C08 C09
K01 K02 K04 K05 K06 K07 K10
"""
FAULTS = {*REQUIRED.split()}

PAGE = Path(__file__).parents[3] / "docs/reference/faults.md"


def fault_of(identity: str) -> str:
    """
    The fault that a row or a marker is about: a letter tells variants apart.
    """
    return identity if identity in FAULTS else identity[:3]


def fault_proofs() -> list[Proof]:
    """
    The marked tests, in the order of the matrix.
    """
    return sorted(proofs("fault"), key=lambda proof: ("NHPSCK".index(proof.id[0]), proof.id))


def test_every_fault_is_proven():
    """
    Each has a row, or a test that is marked with it; and neither knows of
    others.
    """
    proven = {fault_of(row.id) for row in ROWS} | {fault_of(proof.id) for proof in fault_proofs()}

    assert FAULTS - proven == set()
    assert proven - FAULTS == set()


def test_rows_have_names_of_their_own():
    """
    No two rows have the same id.
    """
    ids = [row.id for row in ROWS]

    assert len(ids) == len(set(ids))


def test_rows_are_documented():
    """
    The documentation's tables are the rows and the marked tests; with
    CONEXXUS_WRITE_DOCS=1 they are written.
    """
    first, second, end = re.split(r"(?m)(?:^\|.*\n)+", PAGE.read_text())
    written = f"{first}{of_rows()}{second}{of_proofs()}{end}"

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        PAGE.write_text(written)

    assert PAGE.read_text() == written


def of_rows() -> str:
    return _table(
        ("", "What goes wrong", "What the caller meets", "Delivery", "Requests"),
        [(row.id, row.title, _met(row), row.delivery, row.requests or "") for row in ROWS],
    )


def of_proofs() -> str:
    return _table(
        ("", "What goes wrong", "What then holds", "Test"),
        [(it.id, it.what, it.then, f"`{it.test}` in `{it.file}`") for it in fault_proofs()],
    )


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    rule = "|---" * len(head) + "|"
    lines = [f"| {' | '.join(map(str, line))} |".replace("  ", " ") for line in (head, *rows)]

    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def _met(row: Row) -> str:
    if row.call == "items around one bad":
        return "the other items; this one is set aside"

    return "success" if row.outcome == "success" else f"`{row.outcome}`"
