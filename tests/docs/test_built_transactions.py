"""
The receipts that the documentation builds add up.
"""

from pathlib import Path

import pytest

from conexxus_sync.model.sum_checks import NO_MISMATCH, mismatches


PAGE = Path(__file__).parents[2] / "docs/how-to/build-transactions.md"


def built():
    """
    What each block of the page calls `sold` in the end.
    """
    names = {}
    found = []
    for block in PAGE.read_text().split("```python\n")[1:]:
        code = block.partition("\n```")[0]
        exec(compile(code, str(PAGE), "exec"), names)  # our own page
        if "sold = " in code:
            found.append(names["sold"])
    return found


@pytest.mark.parametrize("place", range(4))
def test_receipt_of_the_page(place):
    """
    A row, an order in cents, rows with six decimals and an XML log: each comes
    to its total, its tenders and its taxes.
    """
    assert mismatches(built()[place]) == NO_MISMATCH
