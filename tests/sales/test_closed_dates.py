"""
Facts about business dates that take no push any more, and what is left of them.
"""

from datetime import timedelta

import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync import DateClosedError
from conexxus_sync.model.sales import OPEN_STATES
from tills import DAY


@pytest.fixture
def closed(till):
    """
    A till whose back office recognises nothing, with a delivered sale and a
    parked batch of a date that was closed since.
    """
    till.profile, till.office = ApiProfile(dedupe="none"), BackOffice(dedupe="none")
    till.orders.add(till.sale("a"))
    till.push()
    till.orders.add(till.sale("b"))
    till.office.faults("sales: reset")
    till.push(DAY)
    till.wait(days=30)
    with till.store.write() as state:
        state.session.execute("DELETE FROM delivered")
        state.sales_dates.close_before(DAY + timedelta(days=20), till.clock.now())
    return till


def parked(till):
    (batch,) = till.peek.outbox.batches(OPEN_STATES)
    return batch


@pytest.mark.case(
    "C12",
    "a batch of a date that takes no push any more is sent again by an operator",
    "it is sent, and nothing else of the date: what was delivered on it is forgotten",
)
def test_what_waits_of_a_closed_date(closed):
    """
    The till is not asked for such a date.
    """
    closed.operator().resend(parked(closed).key, force=True)

    closed.push()

    assert closed.effective(DAY) == ["a", "b"]


@pytest.mark.case(
    "C12",
    "a batch of a date that takes no push any more was not delivered, says an operator",
    "that is refused: its sales would be sent by no push",
)
def test_not_delivered_on_a_closed_date(closed):
    """
    The batch stays undecided, where an alert names it.
    """
    with pytest.raises(DateClosedError):
        closed.operator().resolve(parked(closed).key, delivered=False)

    assert parked(closed).parked is not None
    closed.operator().resolve(parked(closed).key, delivered=True)


@pytest.mark.case(
    "C9",
    "a sale of a date that takes no push any more is replayed",
    "that is refused, and the sale stays in quarantine",
)
def test_replay_on_a_closed_date(till):
    """
    One by one it is refused; all at once passes it over.
    """
    till.office.reject = {"a"}
    till.orders.add(till.sale("a"), till.sale("b"))
    till.push()
    till.wait(days=30)
    till.engine().adopt(till.clock.now().date())

    with pytest.raises(DateClosedError):
        till.operator().replay(DAY, "a")
    assert till.operator().replay_all() == []

    assert set(till.quarantined()) == {"a"}
