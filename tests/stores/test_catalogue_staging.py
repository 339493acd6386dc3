"""
A read of the catalogue is staged with each SKU once, however its items come.
"""

import pytest
from databases import BOTH, store_at

from conexxus_sync.stores._catalogue_staging import position_of


DATABASES = BOTH


@pytest.fixture
def staging(tmp_path):
    with store_at(tmp_path / "store").at("loc-001").read() as state:
        state.staging.open()
        yield state.staging


def staged(staging, *pages):
    """
    Stage each page's items, which have a name each, after those before.
    """
    for page, items in enumerate(pages):
        skus, names = zip(*items, strict=True)
        size = len(items)
        columns = (skus, names, ["1"] * size, ["x"] * size, ["y"] * size, [None] * size)
        staging.add(columns, position_of(page, 0))


def skus_of(staging):
    return [
        sku for (sku,) in staging.session.execute("SELECT sku FROM stage ORDER BY sku").fetchall()
    ]


@pytest.mark.parametrize(
    ("pages", "differ"),
    [
        ([[("a", "A"), ("b", "B")], [("c", "C"), ("d", "D")]], []),
        ([[("c", "C"), ("d", "D")], [("b", "B"), ("a", "A")]], []),
        ([[("a", "A"), ("b", "B")], [("b", "B"), ("c", "C")]], []),
        ([[("b", "B"), ("a", "A"), ("b", "B")], [("c", "C"), ("d", "D")]], []),
        ([[("a", "A"), ("b", "B")], [("b", "Other"), ("c", "C")]], ["b", "b"]),
        ([[("b", "B"), ("a", "A"), ("b", "Other")], [("c", "C")]], ["b", "b"]),
    ],
    ids=["sorted", "unsorted", "again", "again in no order", "other", "other in no order"],
)
def test_each_sku_is_staged_once(staging, pages, differ):
    """
    Equal copies are one item; those that differ are all set aside.
    """
    staged(staging, *pages)

    aside = [reject.sku for reject in staging.duplicates()]

    came = {sku for page in pages for sku, _ in page}
    assert aside == differ
    assert skus_of(staging) == sorted(came - set(differ))
    assert staging.compare().created == len(came) - len(set(differ))
