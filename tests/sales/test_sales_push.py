"""
Facts about one push as a whole: its lease, its clock, its rounds, and what it forgets.
"""

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.testing import BackOffice
from conexxus_sync.errors import DateClosedError, RunInProgressError, StoreError, SyncError
from conexxus_sync.model.leases import LEASE_LENGTH, RENEWED_AFTER
from conexxus_sync.model.runs import RunKind, RunStatus
from conexxus_sync.sales import BatchLimits
from conexxus_sync.sales._backlog import CircuitBreaker, PushProgress, least_recently_tried
from conexxus_sync.sales._push_context import PushContext
from conexxus_sync.stores import LocationStore
from conexxus_sync.stores._outbox_maintenance import OutboxMaintenance


DAY = date(2026, 1, 2)
NIGHT = timedelta(days=1)


def lease_of(till):
    engine = till.engine()

    return engine, engine.acquire()


def test_lease_that_was_taken_before(till):
    """
    The first run has the id of the lease, the others have ids of their own.
    """
    for day in (DAY, DAY - NIGHT):
        till.orders.add(till.sale(f"t{day}"), day=day)
    engine, lease = lease_of(till)
    assert lease.kind == "sales"

    first, second = engine.push(since=DAY - NIGHT, honour_past=True, lease=lease)

    assert (first.id, second.id != lease.run_id) == (lease.run_id, True)
    assert till.store.leases.acquire("sales", "next", till.clock.now())


@pytest.mark.parametrize("day", [None, DAY])
@pytest.mark.parametrize("stopped", [False, True])
def test_lease_for_nothing(till, day, stopped):
    """
    A push without anything to say leaves a run for who waits for it, in no
    history.
    """
    till.options = {"is_stopping": lambda: stopped}
    engine, lease = lease_of(till)
    till.wait(minutes=1)

    assert engine.push(day, lease=lease) == []

    with till.store.read() as state:
        run = state.runs.get(lease.run_id)
        assert state.runs.latest(RunKind.SALES) is None
    assert (run.business_date, run.kind) == (day, RunKind.SALES)
    assert run.status is (RunStatus.FAILED if stopped else RunStatus.SUCCESS)
    assert (run.start_time, run.end_time) == (lease.renewed_at, till.clock.now())
    assert bool(run.last_error) is stopped


def test_lease_is_given_back_where_nothing_is_pushed(till):
    """
    While the clock is wrong, nothing is pushed by itself, and the lease is free.
    """
    till.released = datetime(2027, 1, 1, tzinfo=UTC)
    till.orders.add(till.sale("t1"))
    engine, lease = lease_of(till)

    assert engine.push(lease=lease) == []

    assert till.effective() == []
    assert till.store.leases.acquire("sales", "next", till.clock.now())


def test_lease_after_a_long_write(till):
    """
    A write that takes longer than the lease ends with one that lasts.
    """
    engine = till.engine()

    with engine._leased(engine.ledger) as context:
        with context.writing():
            till.wait(duration=2 * LEASE_LENGTH)

        with pytest.raises(RunInProgressError):
            till.store.leases.acquire("sales", "other", till.clock.now())
        assert context.lease.renewed_at == till.clock.now()


def test_when_a_lease_is_renewed(till):
    """
    After a quarter of its length, not before; and by a clock that went back.
    """
    engine = till.engine()

    with engine._leased(engine.ledger) as context:
        began = context.lease
        context.renew_lease()
        till.wait(duration=RENEWED_AFTER - timedelta(seconds=1))
        context.renew_lease()
        assert context.lease is began
        till.wait(seconds=1)
        context.renew_lease()
        assert context.lease.renewed_at == till.clock.now()
        till.clock.set(till.clock.now() - timedelta(seconds=1))
        context.renew_lease()
        assert context.lease.renewed_at == till.clock.now()


def test_what_can_not_be_forgotten_is_no_failure(till, monkeypatch, caplog):
    """
    The sales are delivered: what was not purged is in the log, and purged a day later.
    """

    def fail(self, now):
        raise StoreError("the disk is full")

    till.orders.add(till.sale("t1"))
    till.push()
    till.wait(hours=25)
    till.orders.add(till.sale("t2"), day=DAY + NIGHT)
    monkeypatch.setattr(OutboxMaintenance, "purge", fail)

    (run,) = till.push()

    assert run.status is RunStatus.SUCCESS
    (record,) = (one for one in caplog.records if one.levelname == "ERROR")
    assert record.message == "Conexxus: what is old could not be forgotten"
    assert record.exc_info[0] is StoreError

    purged = []
    monkeypatch.setattr(OutboxMaintenance, "purge", lambda self, now: purged.append(now))
    till.wait(days=1)
    till.push()
    assert purged == [till.clock.now()]


@pytest.mark.parametrize("wrong", ["zone", "changes", "date", "closed"])
def test_lease_of_a_push_that_does_not_begin(till, wrong):
    """
    Whatever is wrong with what is asked for, the lease is free.
    """
    lease = till.store.leases.acquire("sales", "run-1", till.clock.now())
    options = {"lease": lease}
    if wrong == "zone":
        till.config = attrs.evolve(till.config, timezone=None)
    elif wrong == "changes":
        options["accept_changes"] = True
    elif wrong == "date":
        options["business_date"] = till.clock.now()
    else:
        with till.store.write() as state:
            state.sales_dates.close_before(DAY + NIGHT, till.clock.now())
        options["business_date"] = DAY

    with pytest.raises((ConfigurationError, DateClosedError, ValueError)):
        till.engine().push(**options)

    assert till.store.leases.acquire("sales", "run-2", till.clock.now())


def test_adoption_that_is_stopped(till):
    """
    It says so; done again, it does the rest.
    """
    till.orders.add(till.sale("t1"))

    with pytest.raises(SyncError) as caught:
        till.engine(is_stopping=lambda: True).adopt(DAY)

    assert str(caught.value) == "the adoption was stopped: done again, it does the rest"
    assert till.engine().adopt(DAY).transactions == 1


def test_a_wrong_clock_is_warned_of_every_quarter_of_an_hour(till, caplog):
    """
    The log has the same reason again after a while.
    """
    till.released = datetime(2027, 1, 1, tzinfo=UTC)
    engine = till.engine()

    def warnings(**later):
        till.wait(**later)
        caplog.clear()
        engine.push()
        said = [one.message for one in caplog.records if one.levelname == "WARNING"]
        return [one for one in said if "the clock shows" in one]

    (said,) = warnings()
    assert said.startswith("Conexxus sales: the clock shows 2026-01-02 23:30 UTC, which is before")
    assert warnings(minutes=14) == []
    assert warnings(minutes=1) != []
    assert warnings() == []
    # What is right in between, or wrong in another way, is news.
    engine.released = till.released.replace(year=2000)
    assert warnings() == []
    engine.released = till.released
    assert warnings() != []
    till.orders.broken.add(DAY)
    engine.push(DAY)
    till.clock.set(till.clock.now() - timedelta(hours=2))
    engine.released = till.released.replace(year=2000)
    (said,) = warnings()
    assert "which is before the last run" in said


def test_changes_are_accepted_of_one_date(till):
    """
    Who accepts changes names the date.
    """
    with pytest.raises(ConfigurationError) as caught:
        till.engine().push(accept_changes=True)

    assert caught.value.problems == ("changes are accepted of one business date: name it",)


def test_accepted_changes_are_taken_back(till):
    """
    What a person accepts is taken back, and sent as it is now.
    """
    till.orders.add(till.sale("t1"), till.sale("t2"))
    till.push()
    till.orders.by_date[DAY] = [till.sale("t1", "9"), till.sale("t2")]

    till.push(DAY)
    assert till.effective() == ["t1", "t2"]
    till.push(DAY, accept_changes=True)

    assert till.effective() == ["t1", "t2", "t1:void:1", "t1:rev:1"]


@pytest.mark.parametrize("asked", [None, DAY])
def test_a_person_believes_the_clock(till, asked):
    """
    A person who asks for all that is due says that the clock is right; who asks
    for one date does not.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    till.clock.set(till.clock.now() - timedelta(hours=20))
    engine = till.engine()
    assert engine.clock_problem(till.clock.now()).last_run is not None

    engine.push(asked, honour_past=True)

    assert (engine.clock_problem(till.clock.now()) is None) is (asked is None)


def test_a_clock_before_the_release_is_not_believed(till):
    """
    A clock that can't be right is not made right by a person.
    """
    till.released = datetime(2027, 1, 1, tzinfo=UTC)
    engine = till.engine()

    engine.push(honour_past=True)

    assert engine.clock_problem(till.clock.now()) is not None
    with till.store.read() as state:
        assert state.sales_dates.start().since is None


@pytest.mark.parametrize("automatic", [True, False])
def test_a_person_looks_at_once(till, automatic):
    """
    The scheduler waits for the next look, a person does not.
    """
    till.config = attrs.evolve(till.config, push_every=timedelta(minutes=15))
    till.clock.set(datetime(2026, 1, 1, 12, tzinfo=UTC))
    till.engine().push()
    till.clock.set(datetime(2026, 1, 2, 12, tzinfo=UTC))
    till.engine().push()
    till.wait(minutes=5)
    till.orders.asked.clear()

    till.engine().push(automatic=automatic)

    assert till.orders.asked == ([] if automatic else [DAY])


def test_old_sales_are_forgotten_once_a_day(till, monkeypatch):
    """
    An engine purges with its first push, and then once a day.
    """
    purged = []
    monkeypatch.setattr(PushContext, "purge", lambda context: purged.append(till.clock.now()))
    engine = till.engine()

    for hours in (0, 1, 22, 1, 23, 1):
        till.wait(hours=hours)
        engine.push()

    first, second, third = purged
    assert (second - first, third - second) == (timedelta(days=1), timedelta(days=1))


def test_breaker():
    """
    Three dates in a row that did not settle, or one that had enough failures,
    leave one more attempt.
    """
    breaker = CircuitBreaker()

    def after(settled=False, exhausted=False):
        breaker.note(settled=settled, exhausted=exhausted)
        return breaker.is_likely, breaker.is_certain

    assert [after() for _ in range(4)] == [(False, False)] * 2 + [(True, False), (True, True)]
    assert after(settled=True) == (False, False)
    assert after() == after() == (False, False)
    assert after(exhausted=True) == (True, False)
    assert after(exhausted=True) == (True, True)
    assert after(settled=True) == (False, False)
    assert after(exhausted=True) == (True, False)
    assert after() == (True, True)


def test_a_batch_that_is_forbidden_is_divided_in_rounds(till):
    """
    As long as all is forbidden, a batch is divided in three rounds at most, and
    six answers in a row end the push.
    """
    till.orders.add(*(till.sale(f"t{number}") for number in range(16)))
    till.office.faults("sales: 403*forever")

    till.push(DAY)

    assert till.office.requests["sales"] == 6
    waiting = till.open_batches()
    assert sorted((one.transactions, one.attempts) for one in waiting) == [
        *((4, 0), (4, 1), (4, 1), (4, 1)),
    ]
    divided = {one.answer for one in till.peek.outbox.batches() if one not in waiting}
    assert divided == {"divided, to learn whether a text in it is refused"}
    parents = {one.key for one in till.peek.outbox.batches() if one.transactions == 8}
    assert {one.parent for one in waiting} == parents


def test_what_is_refused_by_all_is_sent_again(till):
    """
    Where all is refused, the push did not settle, and what was set aside goes
    into a batch of its own that says where it comes from.
    """
    till.orders.add(*(till.sale(f"t{number}") for number in range(12)))
    till.office.reject, till.office.reject_mode = (lambda _: True), "batch"
    engine = till.engine()

    engine.push(DAY)

    assert engine.retry_at is not None
    first, again = sorted(till.peek.outbox.batches(), key=lambda batch: batch.freeze)
    assert (first.state, again.state) == ("resolved", "pending")
    assert again.parent == first.key
    assert (again.transactions, till.quarantined()) == (12, {})


def test_a_key_that_is_refused_ends_the_push(till):
    """
    What is true of all dates is asked once.
    """
    for number in range(3):
        till.orders.add(till.sale(f"t{number}"), day=DAY + number * NIGHT)
    till.wait(days=2)
    till.office.faults("sales: 401*forever")

    till.push()

    assert till.office.requests["sales"] == 1


def test_least_recently_tried():
    """
    A date that was never tried comes first, then the one of the longest ago.
    """
    first, second, third = (DAY + number * NIGHT for number in range(3))
    noon = datetime(2026, 1, 9, 12, tzinfo=UTC)
    tried = {first: noon, second: noon - NIGHT}

    assert least_recently_tried([first, second, third], tried) == third
    assert least_recently_tried([first, second], tried) == second
    assert least_recently_tried([second, first], {first: noon, second: noon}) == first
    assert least_recently_tried([third, second], {}) == second


def test_dates_that_never_settle_hold_up_no_others_for_ever(till):
    """
    While the back office is in trouble, the oldest three are tried, and one of
    the others in its turn.
    """
    days = [DAY + number * NIGHT for number in range(5)]
    for day in days:
        till.orders.add(till.sale(f"t{day}"), day=day)
    till.wait(days=4)
    till.office.faults("sales: reset*forever")

    sent, client = [], till.client()
    push = client.push_sales
    client.push_sales = lambda batch, **options: sent.append(batch.date) or push(batch, **options)
    for others in ([3], [4], [3], [4]):
        sent.clear()
        till.engine(client=client).push(since=DAY, honour_past=True)
        till.wait(minutes=20)
        assert sent == [days[number] for number in (0, 1, 2, *others)]


@pytest.mark.parametrize(("count", "sends"), [(16, 6), (2, 3), (1, 1)])
@pytest.mark.parametrize("mode", ["append", "replace_day"])
def test_what_is_divided_while_all_is_forbidden(new_till, count, sends, mode):
    """
    A single sale is not divided, nor is a whole day.
    """
    till = new_till(profile=ApiProfile(sales_mode=mode), office=BackOffice(sales_mode=mode))
    till.orders.add(*(till.sale(f"t{number}") for number in range(count)))
    till.office.faults("sales: 403*forever")

    till.push(DAY)

    assert till.office.requests["sales"] == (sends if mode == "append" else 1)


def test_a_day_is_divided_into_sixteen_at_most(new_till):
    """
    While all is forbidden, a date that is in sixteen parts is not divided more.
    """
    till = new_till(limits=BatchLimits(transactions=4))
    till.orders.add(*(till.sale(f"t{number:02}") for number in range(64)))
    till.office.faults("sales: 403*forever")

    for _ in range(3):
        till.push(DAY)

    assert len(till.open_batches()) == 16


def test_progress(till):
    """
    After each date it is told how far a push has come.
    """
    days = [DAY + number * NIGHT for number in range(3)]
    for day in days:
        till.orders.add(till.sale(f"a{day}"), till.sale(f"b{day}"), day=day)
    till.wait(days=2)
    told = []

    till.push(progress=told.append, since=DAY)

    assert told == [
        PushProgress(business_date=day, dates=number, of=3, transactions=2 * number)
        for number, day in enumerate(days, 1)
    ]


def test_only_the_first_dates_are_unheard_of(till):
    """
    A fresh store says of its first date that earlier pushes are unknown, and
    says so of no later one.
    """
    till.orders.add(till.sale("t1"))
    (first,) = till.push()
    till.orders.add(till.sale("late"))
    (again,) = till.push(DAY)
    assert again.note is None
    till.orders.add(till.sale("t2"), day=DAY + NIGHT)
    till.wait(days=1)

    (second,) = till.push()
    till.orders.add(till.sale("t0"), day=DAY - 5 * NIGHT)
    (earlier,) = till.push(DAY - 5 * NIGHT)

    assert first.note.startswith("nothing is known of earlier pushes of 2026-01-02")
    assert second.note is None
    assert earlier.note.startswith("nothing is known of earlier pushes of 2025-12-28")


def test_how_often_a_push_writes(new_till, monkeypatch):
    """
    Each transaction costs a flush of the disk: dates without news cost none of
    their own, and what ends a date is written with what comes before.
    """
    writes, write = [], LocationStore.write
    monkeypatch.setattr(
        LocationStore, "write", lambda *given, **more: writes.append(0) or write(*given, **more)
    )

    def cost(till, *given, **options):
        writes.clear()
        till.engine(**options).push(*given, since=DAY, honour_past=True)
        return len(writes)

    till = new_till()
    # Where it begins, and the visit of a date without sales.
    assert cost(till, DAY) == 2
    # Freeze, send, settle with the run; then the visit alone.
    till.orders.add(till.sale("t1"))
    assert [cost(till, DAY) for _ in range(3)] == [3, 1, 1]
    till.orders.add(till.sale("t2"), {"id": "t3"})
    assert [cost(till, DAY) for _ in range(2)] == [3, 1]
    # What was sent is taken back before what it became is frozen.
    till.orders.by_date[DAY] = [till.sale("t1", "2"), till.sale("t2")]
    assert cost(till, DAY, on_changed="resend") == 6

    for days in (0, 8):
        till = new_till()
        till.wait(days=days)
        assert cost(till) == 2
