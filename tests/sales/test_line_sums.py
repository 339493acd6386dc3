"""
Facts about the sum of a sale's lines, and its total.
"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import TransactionLine, exact_sum
from conexxus_sync.model.sum_checks import adds_up
from conexxus_sync.testing import sale


LOCATION = "loc-001"
DAY = date(2026, 1, 2)


def sold(*prices, total, tax=None, discount=None, quantity=1):
    lines = [TransactionLine(sku="a", quantity=quantity, price=Decimal(price)) for price in prices]
    return sale("t1", total, items=lines, tax=tax, discount=discount)


AGREE = {
    "prices that contain the tax": sold("11.90", total="11.90", tax="1.90"),
    "prices without the tax": sold("10.00", total="11.90", tax="1.90"),
    "a discount, and prices that contain the tax": sold(
        "11.90", "2.00", total="12.90", tax="2.06", discount="1.00"
    ),
    "a discount, and prices without the tax": sold(
        "10.00", "2.00", total="13.09", tax="2.09", discount="1.00"
    ),
    "a refund of prices that contain the tax": sold(
        "11.90", total="-11.90", tax="-1.90", quantity=-1
    ),
    "a refund of prices without the tax": sold("10.00", total="-11.90", tax="-1.90", quantity=-1),
    "a cent for each line": sold("3.33", "3.33", "3.33", total="10.02", tax="1.60"),
    "no tax": sold("10.00", total="10.00"),
}
DIFFER = {
    "half of the tax": sold("10.95", total="11.90", tax="1.90"),
    "the tax once too often": sold("11.90", total="10.00", tax="1.90"),
    "a discount that was not given": sold("11.90", total="11.90", tax="1.90", discount="1.00"),
    "cash rounding": sold("11.92", total="11.90"),
    "another total": sold("10.00", total="99.00", tax="1.90"),
}


@pytest.mark.parametrize("kind", AGREE)
@pytest.mark.case(
    "C15",
    "prices contain the tax, and `tax` is given",
    "lines less discount that come to the total with or without the tax agree",
)
def test_agree(till, kind):
    """
    Such a sale is not remarked.
    """
    till.orders.by_date[DAY] = [AGREE[kind]]

    (run,) = till.push()

    assert run.errors == ()
    assert till.peek.outbox.mismatched() == 0


@pytest.mark.parametrize("kind", DIFFER)
def test_differ(till, kind):
    """
    A sale that adds up neither with the tax nor without it is remarked.
    """
    till.orders.by_date[DAY] = [DIFFER[kind]]

    (run,) = till.push()

    assert "do not add up" in run.errors[0].error
    assert till.peek.outbox.mismatched() == 1


AMOUNTS = st.decimals(-999, 999, places=2)


@given(st.lists(AMOUNTS, min_size=1, max_size=4), AMOUNTS, AMOUNTS, st.booleans(), AMOUNTS)
def test_law(prices, tax, discount, contains_tax, off):
    """
    It adds up whatever the figures are, and only to a cent a line.
    """
    signs = [1 if price >= 0 else -1 for price in prices]
    lines = [
        TransactionLine(sku="a", quantity=sign, price=abs(price))
        for sign, price in zip(signs, prices, strict=True)
    ]
    total = exact_sum([*prices, -discount, Decimal() if contains_tax else tax])
    told = {"items": lines, "tax": tax, "discount": discount}

    assert adds_up(sale("t1", total, **told))
    near = min(abs(off), abs(off - tax), abs(off + tax)) if tax else abs(off)
    if near > len(lines) * Decimal("0.01"):
        assert not adds_up(sale("t1", total + off, **told))
