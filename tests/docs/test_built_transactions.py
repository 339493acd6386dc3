"""
The receipts that the documentation builds add up.
"""

from pathlib import Path

import pytest

from conexxus_sync.model.sum_checks import NO_MISMATCH, mismatches


PAGES = Path(__file__).parents[2] / "docs/how-to"


def built(page):
    """
    What each block of the page calls `sold` in the end.
    """
    names = {}
    found = []
    for block in (PAGES / page).read_text().split("```python\n")[1:]:
        code = block.partition("\n```")[0]
        exec(compile(code, page, "exec"), names)  # our own page
        if "sold = " in code:
            found.append(names["sold"])
    return found


@pytest.mark.parametrize(("page", "count"), [("build-transactions.md", 4), ("receipts.md", 10)])
def test_receipts_of_a_page(page, count):
    """
    Each comes to its total, its tenders and its taxes.
    """
    found = built(page)

    assert len(found) == count
    assert [mismatches(sold) for sold in found] == [NO_MISMATCH] * count
