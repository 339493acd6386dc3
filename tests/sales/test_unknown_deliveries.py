"""
Facts about batches of which nobody knows whether they arrived.
"""

from datetime import date, timedelta

import pytest

from conexxus_client import ApiProfile
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales import BatchLimits


DAY = date(2026, 1, 2)


def test_never_split_in_doubt(till):
    """
    A batch whose fate is unknown is repeated whole, even if it is refused.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.office.faults("sales: after_commit(reset), 422")
    till.push()

    (run,) = till.push()
    assert (run.delivery_unknown, till.states()) == (True, ["unknown"])

    till.push()
    assert till.office.effective_batches == [{"t1", "t2"}]
    assert till.states() == ["delivered"]


def test_none_parks(new_till):
    """
    Where nothing recognises a repetition, an unknown fate waits for an
    operator and holds up nobody else.
    """
    till = new_till(profile=ApiProfile(dedupe="none"), office=BackOffice(dedupe="none"))
    till.limits = BatchLimits(transactions=1)
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.office.faults("sales: after_commit(reset)")

    (run,) = till.push()
    till.orders.add(till.sale("t3"))
    till.wait(minutes=45)
    till.push()

    assert (run.status, run.items_succeeded, run.delivery_unknown) == (RunStatus.PARTIAL, 1, True)
    assert till.effective() == ["t1", "t2", "t3"]
    assert till.states() == ["unknown", "delivered", "delivered"]


def test_key_ttl(till):
    """
    An unknown batch is repeated as long as its key is remembered, then parked.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: reset*forever")
    till.push()
    till.wait(hours=23)
    till.push()
    assert till.office.requests["sales"] == 2
    # This computer has measured the time: nobody else is asked for it.
    assert till.office.requests["health"] == 0

    till.wait(hours=2)
    runs = till.push()

    assert till.office.requests["sales"] == 2
    assert "remembers a key for 24 hours, and" in runs[0].last_error
    assert till.open_batches()[0].parked is not None


def test_key_ttl_within_a_call(till):
    """
    The client knows for how long a key is still known: its attempts and waits
    may take longer.
    """
    told = []
    client = till.client()
    push = client.push_sales
    client.push_sales = lambda batch, **options: (
        told.append(options["repeat_within"]) or push(batch, **options)
    )
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: reset")
    till.engine(client=client).push(DAY)
    till.wait(hours=23)

    till.engine(client=client).push(DAY)

    first, second = told
    assert first is None
    assert timedelta(minutes=59) <= second <= timedelta(hours=1)
    assert till.effective() == ["t1"]


def test_killed_with_a_clock_that_was_ahead(till):
    """
    Who died while sending, by a clock that was days ahead, has left a moment
    that says nothing: the batch is parked rather than doubled.
    """

    def die(at):
        if at == "sent":
            raise KeyboardInterrupt

    till.orders.add(till.sale("t1"))
    till.wait(days=3)
    with pytest.raises(KeyboardInterrupt):
        till.engine(failpoint=die).push(DAY)
    till.clock.set(till.clock.now() - timedelta(days=1))

    (run,) = till.push(DAY)

    assert till.effective() == ["t1"]
    assert till.office.requests["sales"] == 1
    assert till.open_batches()[0].parked is not None
    assert "a clock that was ahead" in run.last_error


def test_not_sent_starts_no_clock(till):
    """
    Days without a network don't age a key that never left.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse*2")
    till.push()
    till.wait(days=3)
    till.push()

    till.push()

    assert till.effective() == ["t1"]


def test_repeated_for_ever_by_id(new_till):
    """
    Where ids are recognised, a repetition is harmless at any time.
    """
    till = new_till(
        profile=ApiProfile(dedupe="transaction_id"), office=BackOffice(dedupe="transaction_id")
    )
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset)")
    till.push()
    till.wait(days=30)

    till.push()

    assert till.effective() == ["t1"]
    assert till.open_batches() == []


@pytest.mark.parametrize("dedupe", ["key", "transaction_id", "none"])
@pytest.mark.parametrize("step", ["sending", "sent"])
def test_died_while_sending(new_till, dedupe, step):
    """
    Who died while sending does not know: the batch is repeated where that is
    harmless, and parked where it is not.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe), office=BackOffice(dedupe=dedupe))
    till.orders.add(till.sale("t1"))

    def die(at):
        if at == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        till.engine(failpoint=die).push(DAY)
    assert till.states() == ["sending"]

    (run,) = till.push(DAY)

    repeated = dedupe != "none"
    assert till.states() == ["delivered" if repeated else "unknown"]
    assert till.effective() == (["t1"] if repeated or step == "sent" else [])
    assert run.delivery_unknown is not repeated
