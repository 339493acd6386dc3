"""
Facts about the memory that sales take which are set aside, or remarked.
"""

import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest


DAY = date(2026, 1, 2)
MIB = 1024 * 1024
MANY = 3_000


class Many:
    """
    A source of many sales that are not kept in memory.
    """

    def __init__(self, make):
        self.make = make

    def transactions(self, location_id, business_date):
        return map(self.make, range(MANY if business_date == DAY else 0))


def unusable(number):
    return {
        "id": f"t{number}",
        "timestamp": datetime(2026, 1, 2, 17, tzinfo=UTC),
        "total": 0.5,
        "items": [],
        "extra": {"note": str(number) * 200},
    }


@pytest.mark.case(
    "E10",
    "100,000 sales of a day are set aside",
    "each is stored with its reason, and the push takes no more memory than for a few",
)
@pytest.mark.parametrize("kind", ["unusable", "of another date"])
def test_memory(till, kind):
    """
    However many sales are set aside, they pass through memory one by one.
    """

    def elsewhere(number):
        note = {"note": str(number) * 200}
        return till.sale(f"t{number}", extra=note, business_date=date(2026, 1, 1))

    till.orders = Many(unusable if kind == "unusable" else elsewhere)

    tracemalloc.start()
    try:
        (run,) = till.push(DAY)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    # On PostgreSQL it is 5.4 MiB, for 3,000 of them as for 12,000.
    assert peak < 6 * MIB
    assert till.peek.sales_quarantine.size(DAY) == MANY
    assert (run.items_failed, len(run.errors)) == (MANY, 100)


def test_remarks_are_counted(till):
    """
    A remark says how many sales it is about, and keeps the first alone.
    """
    odd = [attrs.evolve(till.sale(f"t{n}"), total=Decimal(9)) for n in range(3)]
    till.orders.by_date[DAY] = odd

    (run,) = till.push(DAY)

    assert [issue.error for issue in run.errors] == [
        "3 transactions whose lines do not add up to the total, like t0: sent as they are"
    ]
