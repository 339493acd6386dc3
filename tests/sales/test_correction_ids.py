"""
Facts about sales of a till whose ids look like those of corrections.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
NEXT = date(2026, 1, 3)

OWN = pytest.mark.parametrize("own", ["A:rev:1", "A:void:1"])


@pytest.fixture(params=["transaction_id", "key"])
def till(new_till, request):
    till = new_till(
        profile=ApiProfile(dedupe=request.param), office=BackOffice(dedupe=request.param)
    )
    till.options = {"on_changed": "resend"}
    return till


def tells(till, *sales, day=DAY):
    till.orders.by_date[day] = list(sales)


def told(till):
    return sum((one.total for sales in till.orders.by_date.values() for one in sales), Decimal())


@OWN
@pytest.mark.parametrize("day", [DAY, NEXT])
@pytest.mark.case(
    "E5",
    "the till has a sale called `A:rev:1`, and its sale `A` is corrected",
    "the number of the correction goes on, and both reach the back office",
)
def test_delivered_before(till, own, day):
    """
    A correction never has the id of a sale that was delivered.
    """
    mine = till.sale(own, "7.00", timestamp=till.sale("x").timestamp + (day - DAY))
    tells(till, till.sale("A", "1.00"))
    till.orders.by_date.setdefault(day, []).append(mine)
    till.push(DAY)
    till.push(day)
    till.orders.by_date[DAY][0] = till.sale("A", "2.00")
    till.push(DAY)

    assert till.office.ledger.total() == told(till) == 9
    assert till.office.ledger.doubled() == []
    assert {"A:void:2", "A:rev:2"} < set(till.effective())


@OWN
@pytest.mark.parametrize("size", [1, 100])
def test_in_the_same_push(till, own, size):
    """
    Nor that of one that is told in the same push.
    """
    till.limits = BatchLimits(transactions=size)
    tells(till, till.sale("A", "1.00"))
    till.push(DAY)
    tells(till, till.sale("A", "2.00"), till.sale(own, "7.00"))
    till.push(DAY)

    assert till.office.ledger.total() == told(till)
    assert till.office.ledger.doubled() == []
    assert till.push(DAY) == []


def test_between_void_and_revision(till):
    """
    Nor that of one that comes after the void, and before the revision.
    """
    tells(till, till.sale("A", "1.00"))
    till.push(DAY)
    tells(till, till.sale("A", "2.00"))
    till.office.faults("sales: after_commit(reset)")
    till.push(DAY)
    tells(till, till.sale("A", "2.00"), till.sale("A:rev:1", "7.00"))
    till.push(DAY)
    till.push(DAY)

    assert till.office.ledger.total() == told(till)
    assert till.office.ledger.doubled() == []


@OWN
@pytest.mark.parametrize("day", [DAY, NEXT])
@pytest.mark.case(
    "E5",
    "a sale called `A:rev:1` comes after the correction of that name",
    "it is set aside where the back office would take it for the correction, and sent elsewhere",
)
def test_after_the_correction(till, own, day):
    """
    A sale with the id of a correction is not lost without a message.
    """
    tells(till, till.sale("A", "1.00"))
    till.push(DAY)
    tells(till, till.sale("A", "2.00"))
    till.push(DAY)
    mine = till.sale(own, "7.00", timestamp=till.sale("x").timestamp + (day - DAY))
    till.orders.by_date.setdefault(day, []).append(mine)
    till.wait(days=(day - DAY) // timedelta(days=1))
    till.push(day)

    if till.profile.dedupe == "key":
        assert till.office.ledger.total() == told(till)
    else:
        assert till.office.ledger.total() == 2
        assert till.quarantined() == {
            own: "Transaction id was used by a correction of another sale"
        }


def test_corrections_of_corrections(till):
    """
    A sale called like a correction is corrected as any other.
    """
    tells(till, till.sale("A", "1.00"), till.sale("A:rev:1", "5.00"))
    till.push(DAY)
    for total in ("2.00", "3.00"):
        tells(till, till.sale("A", total), till.sale("A:rev:1", total))
        till.push(DAY)
        assert till.office.ledger.total() == told(till)

    assert till.office.ledger.doubled() == []
