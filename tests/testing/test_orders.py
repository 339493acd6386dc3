"""
Facts about the order source in memory.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync import AlertName
from conexxus_sync.testing import FakeClock, ListOrders, sale


DAY, NEXT = date(2026, 1, 2), date(2026, 1, 3)


def ids(orders, day=DAY):
    return [each.id for each in orders.transactions("loc-001", day)]


def test_sales_are_returned_in_order():
    """
    What was added to a date is returned for it, in this order, at every location.
    """
    orders = ListOrders([sale("t2")])

    orders.add(sale("t1"), sale("t3"))

    assert ids(orders) == ["t2", "t1", "t3"]
    assert ids(orders, NEXT) == []
    assert orders.transactions("loc-002", DAY) == orders.transactions("loc-001", DAY)


def test_business_date_of_a_sale():
    """
    It is the one that is given, else the till's own, else the date of the
    timestamp in its own zone.
    """
    late = datetime(2026, 1, 3, 4, 45, tzinfo=UTC)
    orders = ListOrders(
        [
            sale("utc", timestamp=late),
            sale("new-york", timestamp=late.astimezone(ZoneInfo("America/New_York"))),
            sale("till", timestamp=late, business_date=DAY),
        ]
    )

    orders.add(sale("given", timestamp=late, business_date=NEXT), business_date=DAY)

    assert ids(orders) == ["new-york", "till", "given"]
    assert ids(orders, NEXT) == ["utc"]


def test_replaced():
    """
    Another version of a sale takes its place; the date may be named.
    """
    orders = ListOrders([sale("t1", "1.00"), sale("t2")])
    orders.add(sale("t1", "3.00"), business_date=NEXT)

    orders.replace(sale("t1", "2.00"))
    orders.replace(sale("t1", "4.00"), business_date=NEXT)

    assert orders.by_date == {
        DAY: [sale("t1", "2.00"), sale("t2")],
        NEXT: [sale("t1", "4.00")],
    }


def test_removed():
    """
    A sale is removed from one date, or from all.
    """
    orders = ListOrders([sale("t1"), sale("t2")])
    orders.add(sale("t1"), sale("t2"), business_date=NEXT)

    orders.remove("t1", business_date=NEXT)
    orders.remove("t2")

    assert (ids(orders), ids(orders, NEXT)) == (["t1"], [])


def test_sale_that_is_not_there():
    """
    What is not there can be neither replaced nor removed.
    """
    orders = ListOrders([sale("t1")])

    with pytest.raises(LookupError, match="'t2' on 2026-01-02"):
        orders.replace(sale("t2"))
    with pytest.raises(LookupError, match="'t1' on 2026-01-03"):
        orders.remove("t1", business_date=NEXT)
    with pytest.raises(LookupError, match="'t2'"):
        orders.remove("t2")

    assert ids(orders) == ["t1"]


def test_answer_is_a_copy():
    """
    What is added while an answer is read is in the next answer, not in this one.
    """
    orders = ListOrders([sale("t1")])
    answer = orders.transactions("loc-001", DAY)

    orders.add(sale("t2"))

    assert [each.id for each in answer] == ["t1"]


def test_engines_read_it(new_service, office):
    """
    A push reads the sales of its date; a sale that changes is a discrepancy.
    """
    orders = ListOrders([sale("t1"), sale("t2", "-5.00")])
    night = FakeClock(datetime(2026, 1, 3, 4, 30, tzinfo=UTC))
    service = new_service(orders=orders, clock=night)

    service.push_sales(DAY)
    orders.replace(sale("t1", "8.00"))
    night.advance(minutes=45)
    service.push_sales(DAY)

    assert office.effective_batches == [{"t1", "t2"}]
    assert [each.name for each in service.health().alerts] == [AlertName.DISCREPANCY]
