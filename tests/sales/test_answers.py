"""
Facts about what follows from the back office's answers.
"""

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest

from conexxus_client import ApiProfile, decode_transaction
from conexxus_client.testing import BackOffice
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)


@pytest.mark.parametrize("mode", ["listed", "batch", "blind"])
@pytest.mark.parametrize("size", [1, 2, 3, 64, 100])
def test_one_bad_transaction(new_till, mode, size):
    """
    A bad transaction is isolated, by the list or by bisecting, and set
    aside with its reason; the rest arrives, in order.
    """
    till = new_till(office=BackOffice(reject={"bad": "No such SKU"}, reject_mode=mode))
    names = [f"t{n}" for n in range(size - 1)]
    names.insert(size // 3, "bad")
    till.orders.add(*(till.sale(name) for name in names))

    (run,) = till.push()

    good = [name for name in names if name != "bad"]
    assert till.effective() == good
    assert set(till.quarantined()) == {"bad"}
    assert (run.items_succeeded, run.items_failed) == (len(good), 1)
    assert run.status is (RunStatus.PARTIAL if good else RunStatus.FAILED)
    assert till.office.requests["sales"] - 1 <= 2 * math.log2(size) + 1
    assert till.open_batches() == []
    assert till.push(DAY) == []


def test_reason_and_raw(till):
    """
    Quarantine keeps what the back office said, and the bytes that were sent.
    """
    till.office.reject, till.office.reject_mode = {"bad": "No such SKU"}, "batch"
    sale = till.sale("bad", "49.9800")
    till.orders.add(sale, till.sale("t1"))

    (run,) = till.push()

    (aside,) = till.outbox.aside.quarantined(LOCATION)
    assert (aside.reason, decode_transaction(aside.raw)) == ("No such SKU", sale)
    assert b"49.9800" in aside.raw
    assert [(issue.item, issue.error) for issue in run.errors] == [("bad", "No such SKU")]


def test_quarantine_waits(till):
    """
    What is in quarantine waits there, even if the host changes it.
    """
    till.office.reject = {"bad"}
    till.orders.add(till.sale("bad"))
    till.push()
    till.office.reject = ()
    till.orders.by_date[DAY] = [till.sale("bad", "2.00"), till.sale("t1")]

    till.push(DAY)

    assert till.effective() == ["t1"]


def test_too_large(till):
    """
    A batch that is too large is divided until it fits, and nothing is lost.
    """
    till.orders.add(*(till.sale(f"t{n}") for n in range(8)))
    till.office.faults("sales: 413, 413, 413")

    (run,) = till.push()

    assert till.effective() == [f"t{n}" for n in range(8)]
    assert run.status is RunStatus.SUCCESS
    assert till.quarantined() == {}


def test_hopeless(till):
    """
    A back office that refuses everything does not get everything set aside:
    after ten in a row the rest waits.
    """
    till.office.reject, till.office.reject_mode = (lambda _: True), "blind"
    till.orders.add(*(till.sale(f"t{n}") for n in range(100)))

    (run,) = till.push()

    assert len(till.quarantined()) == 10
    assert run.items_processed == 100
    assert "accepted none" in run.last_error
    assert till.engine().due(till.clock.now()) == [DAY]


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


@pytest.mark.parametrize("dedupe", ["key", "transaction_id", "none"])
def test_dispute(new_till, dedupe):
    """
    A count that no list explains marks nothing, and is never repeated.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe))
    till.orders.add(till.sale("t1"), till.sale("t2"))
    body = '{\\"success\\": true, \\"data\\": {\\"accepted\\": 1}}'
    till.office.faults(f'sales: 200(body="{body}")')

    (run,) = till.push()

    assert (run.status, run.delivery_unknown, run.items_failed) == (RunStatus.FAILED, True, 2)
    assert "accepted 1 of 2" in run.last_error
    assert till.push(DAY) == []
    (batch,) = till.open_batches()
    assert "accepted 1 of 2" in batch.parked
    assert till.office.requests["sales"] == 1


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
        till.engine(steps=die).push(DAY)
    till.clock.set(till.clock.now() - timedelta(days=1))

    (run,) = till.push(DAY)

    assert till.effective() == ["t1"]
    assert till.office.requests["sales"] == 1
    assert till.open_batches()[0].parked is not None
    assert "a clock that was ahead" in run.last_error


def test_rejected_because_it_is_there(new_till):
    """
    A back office that rejects what it has, asked again, makes no sale count
    as undelivered: an operator is asked.
    """
    kind = {"dedupe": "transaction_id"}
    till = new_till(profile=ApiProfile(**kind), office=BackOffice(**kind))
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.office.faults("sales: after_commit(reset)")
    till.push()
    till.office.reject = {"t1": "duplicate id"}

    (run,) = till.push()

    assert till.quarantined() == {}
    assert till.states() == ["unknown"]
    assert "rejects 1 of them now: duplicate id" in run.last_error


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


def test_same_id_elsewhere(new_till):
    """
    Where the back office knows transactions by id alone, an id of another
    date would be passed over: it is set aside instead.
    """
    till = new_till(
        profile=ApiProfile(dedupe="transaction_id"), office=BackOffice(dedupe="transaction_id")
    )
    till.orders.add(till.sale("0001"), day=date(2026, 1, 1))
    till.orders.add(till.sale("0001"), till.sale("0002"))
    till.office.faults("sales: after_commit(reset)")

    till.push()
    till.push()

    assert till.effective(date(2026, 1, 1)) == ["0001"]
    assert till.effective(DAY) == ["0002"]
    assert "another business date" in till.quarantined()["0001"]


@pytest.fixture
def replacing(new_till):
    return new_till(
        profile=ApiProfile(sales_mode="replace_day"),
        office=BackOffice(sales_mode="replace_day"),
        limits=BatchLimits(transactions=2),
    )


def test_replace_day(replacing):
    """
    Where a push replaces its date, the whole day goes in one batch, whatever
    its size, under a new key.
    """
    till = replacing
    till.orders.add(*(till.sale(f"t{n}") for n in range(5)))
    till.push()
    till.orders.add(till.sale("late"))
    till.wait(minutes=45)

    (run,) = till.push()

    assert till.effective(DAY) == ["t0", "t1", "t2", "t3", "t4", "late"]
    assert (run.batches, run.items_succeeded) == (1, 6)
    assert len(till.office.ledger.keys) == 2
    assert till.push(DAY) == []


def test_replace_day_and_back(replacing):
    """
    A day that becomes what it once was is sent under another key: the first
    one's answer would be replayed without effect.
    """
    till = replacing
    till.options = {"on_changed": "resend"}
    till.orders.add(till.sale("a"))
    till.push()
    till.orders.add(till.sale("b"))
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("b")]
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("b"), till.sale("c")]
    till.push(DAY)
    till.orders.by_date[DAY] = [till.sale("a"), till.sale("b")]

    till.push(DAY)

    assert till.effective(DAY) == ["a", "b"]
    assert len(till.office.ledger.keys) == 5


def test_replace_day_listed(new_till):
    """
    A refused whole day is sent again without those that were named.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"),
        office=BackOffice(sales_mode="replace_day", reject={"bad"}, reject_mode="batch"),
    )
    till.orders.add(till.sale("t1"), till.sale("bad"), till.sale("t2"))

    (run,) = till.push()

    assert till.effective(DAY) == ["t1", "t2"]
    assert (run.batches, run.status) == (2, RunStatus.PARTIAL)


def test_replace_day_blind(new_till):
    """
    A whole day is never bisected: what is new in it is set aside, and what
    the back office had before stays.
    """
    till = new_till(
        profile=ApiProfile(sales_mode="replace_day"),
        office=BackOffice(sales_mode="replace_day", reject={"bad"}, reject_mode="blind"),
    )
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.add(till.sale("bad"))

    (run,) = till.push(DAY)

    assert till.office.requests["sales"] == 2
    assert till.effective(DAY) == ["t1"]
    assert set(till.quarantined()) == {"bad"}
    assert run.status is RunStatus.FAILED


def test_replace_day_waits(replacing):
    """
    A day with a batch of unknown fate is not replaced by another.
    """
    till = replacing
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset)")
    till.push()
    till.orders.add(till.sale("t2"))
    till.office.faults("sales: reset")

    till.push()
    assert till.office.requests["sales"] == 2
    till.push()

    assert till.office.effective_batches == [{"t1"}, {"t1", "t2"}]


def test_conflict_is_delivered(new_till):
    """
    Where the profile says so, a conflict means that it has arrived.
    """
    till = new_till(profile=ApiProfile(conflict_is_delivered=True))
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: 409")

    (run,) = till.push()

    assert run.status is RunStatus.SUCCESS
    assert till.states() == ["delivered"]


def test_conflict_waits(till):
    """
    Elsewhere, a conflict leaves the batch waiting.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: 409")

    till.push()
    assert till.states() == ["pending"]
    till.push()

    assert till.effective() == ["t1"]


def test_total_is_what_was_taken(till):
    """
    The run's total leaves out what was refused.
    """
    till.office.reject = {"bad"}
    till.orders.add(till.sale("t1", "10.10"), till.sale("bad", "5"), till.sale("t2", "0.05"))

    (run,) = till.push()

    assert run.total == till.office.ledger.total() == Decimal("10.15")
    assert run.end_time - run.start_time == timedelta(0)


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
        till.engine(steps=die).push(DAY)
    assert till.states() == ["sending"]

    (run,) = till.push(DAY)

    repeated = dedupe != "none"
    assert till.states() == ["delivered" if repeated else "unknown"]
    assert till.effective() == (["t1"] if repeated or step == "sent" else [])
    assert run.delivery_unknown is not repeated
