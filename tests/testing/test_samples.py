"""
Facts about the sample data.
"""

from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, localcontext

import pytest

from conexxus_client import Item, Transaction, TransactionLine
from conexxus_sync.model.sum_checks import adds_up
from conexxus_sync.testing import FakeClock, ListOrders, MemoryCatalog, item, sale


@pytest.mark.parametrize(
    "made",
    [
        sale("t1"),
        sale("t1", "-5.00"),
        sale("t1", 0),
        sale("t1", "10.70", tax="0.70"),
        sale("t1", "8.00", tax="0.70", discount="2.00"),
        sale("t1", "-8.00", tax="-0.70", discount="-2.00"),
    ],
)
def test_a_sale_adds_up(made):
    """
    The one line of a sample comes to its total; a refund's quantity is negative.
    """
    (line,) = made.items

    assert adds_up(made)
    assert line.price >= 0
    assert (line.quantity < 0) is (made.total < 0)


def test_digits_are_kept():
    """
    An amount that is given as text has the digits of that text.
    """
    assert str(sale("t1", "9.90", tax="0.10").tax) == "0.10"
    assert str(sale("t1", "9.90").total) == "9.90"
    assert str(item("A", "9.90").price) == "9.90"


def test_no_digit_is_lost():
    """
    A line has all digits of the total, whatever the thread's decimal context.
    """
    total = "-12345678901234567890.123456789012345678"

    with localcontext(Context(prec=3, traps=[Inexact])):
        made = sale("t1", total)

    assert (str(made.total), str(made.items[0].price)) == (total, total[1:])


def test_everything_of_a_sale_can_be_given():
    """
    What is given is in the transaction as it is.
    """
    fields = {
        "timestamp": datetime(2026, 3, 4, 5, tzinfo=UTC),
        "items": (TransactionLine(sku="A", quantity=2, price=Decimal(3)),),
        "tax": Decimal(1),
        "discount": Decimal(2),
        "business_date": date(2026, 3, 3),
        "extra": {"till": 7},
    }

    made = sale("t1", 5, **fields)

    assert made == Transaction(id="t1", total=Decimal(5), **fields)


def test_everything_of_an_item_can_be_given():
    """
    What is given is in the item as it is.
    """
    fields = {"name": "Wine", "category": "c", "description": "d", "extra": {"k": 1}}

    assert item("A", "1.50", **fields) == Item(sku="A", price=Decimal("1.50"), **fields)


def test_samples_are_of_one_day(new_service, office):
    """
    Without any date given, clock, order source and sale fit together: at the
    push time of this date, a push sends the sale.
    """
    clock = FakeClock()
    service = new_service(orders=ListOrders([sale("t1")]), catalog=MemoryCatalog(), clock=clock)

    service.run_due(clock.now())
    clock.advance_to(datetime(2026, 1, 3, 4, 30, tzinfo=UTC))
    service.run_due(clock.now())

    assert office.effective_batches == [{"t1"}]
