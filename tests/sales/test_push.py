"""
Facts about a push: each sale arrives once, and each run tells the truth.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import attrs
import pytest
from databases import BOTH, store_at

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import DateClosedError, RunInProgressError
from conexxus_sync.model.runs import RunKind, RunStatus
from conexxus_sync.sales import BatchLimits
from peeks import peek


DATABASES = BOTH
LOCATION = "loc-001"
DAY = date(2026, 1, 2)


def test_a_day(till):
    """
    A day's sales arrive on their date with exact totals, and the run says so.
    """
    till.orders.add(till.sale("t1", "49.98"), till.sale("t2", "0.1000"))

    (run,) = till.push()

    assert till.effective(DAY) == ["t1", "t2"]
    assert (run.kind, run.status, run.business_date) == (RunKind.SALES, RunStatus.SUCCESS, DAY)
    assert (run.items_processed, run.items_succeeded, run.items_failed) == (2, 2, 0)
    assert (run.batches, str(run.total), run.delivery_unknown) == (1, "50.0800", False)
    assert peek(till.store).runs.history(RunKind.SALES) == [run]
    assert till.watcher.told == [("started", run.id), ("finished", run.id, RunStatus.SUCCESS)]


def test_nothing_twice(till):
    """
    A second push sends nothing, records nothing and does not ask the host.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.asked.clear()

    assert till.push() == []
    assert till.orders.asked == []
    assert till.office.requests["sales"] == 1


def test_no_sales(till):
    """
    A date without sales sends nothing, has no run, and counts as visited.
    """
    assert till.push() == []
    assert till.office.requests["sales"] == 0
    assert till.orders.asked == [date(2026, 1, 1), DAY]
    assert till.engine().due(till.clock.now()) == []
    assert till.watcher.told == []


def test_tail(till):
    """
    What was sold between the push and midnight arrives with the tail, on
    the same business date.
    """
    till.orders.add(till.sale("t1"))
    till.push()
    till.orders.add(till.sale("late"))
    till.wait(minutes=44)
    assert till.push() == []

    till.wait(minutes=1)
    (run,) = till.push()

    assert run.business_date == DAY
    assert till.office.effective_batches == [{"t1"}, {"late"}]


def test_late_sales(till):
    """
    For a week, a date is asked once a day for late transactions.
    """
    till.push()
    till.wait(days=7)
    till.orders.add(till.sale("late"))
    runs = till.push()
    till.orders.add(till.sale("too late"))
    till.wait(days=1)

    assert [run.business_date for run in runs] == [DAY]
    assert till.push() == []
    assert [run.business_date for run in till.push(DAY)] == [DAY]
    assert till.effective(DAY) == ["late", "too late"]


def test_sold_while_the_date_was_pushed(till):
    """
    A push has seen what there was when it began: where its date was due again
    before it ended, the date is looked at once more.
    """
    till.orders.add(till.sale("t1"))
    till.wait(minutes=44)

    def slow(step):
        if step == "sending":
            till.wait(minutes=1)

    till.engine(failpoint=slow).push(DAY)
    till.orders.add(till.sale("t2"))
    till.push()

    assert till.effective(DAY) == ["t1", "t2"]


def test_oldest_first(till):
    """
    Nine days down: nine dates are caught up, oldest first.
    """
    days = [DAY + timedelta(days=k) for k in range(9)]
    for day in days:
        till.orders.add(till.sale("0001"), day=day)
    till.wait(days=8)

    runs = till.push(since=DAY)

    assert [run.business_date for run in runs] == days
    assert [push.date for push in till.office.ledger.pushes] == days


def test_one_date(till):
    """
    A named date is pushed whether it is due or not, and no other.
    """
    till.clock.set(datetime(2026, 1, 2, 9, tzinfo=UTC))
    till.orders.add(till.sale("t1"))
    till.orders.add(till.sale("t0"), day=date(2026, 1, 1))

    (run,) = till.push(DAY)

    assert run.business_date == DAY
    assert till.effective() == ["t1"]
    assert till.engine().due(datetime(2026, 1, 2, 23, 30, tzinfo=UTC)) == [date(2026, 1, 1), DAY]


def test_batches(till):
    """
    Batches are bounded by count and by bytes, and keep the order.
    """
    till.limits = BatchLimits(transactions=3, bytes=1_700)
    sales = [till.sale(f"t{n}") for n in range(7)]
    sales[1] = till.sale("t1", extra={"note": "x" * 3_000})
    till.orders.add(*sales)

    (run,) = till.push()

    assert [[s.id for s in push.sales] for push in till.office.ledger.pushes] == [
        ["t0"],
        ["t1"],
        ["t2", "t3", "t4"],
        ["t5", "t6"],
    ]
    assert (run.batches, run.items_succeeded) == (4, 7)


def test_lost_answer(till):
    """
    A batch is sent under the same key, with the same bytes, until it is
    acknowledged; sales that arrive in the meantime have to wait.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: after_commit(reset)")
    (run,) = till.push()
    assert (run.status, run.delivery_unknown, run.items_failed) == (RunStatus.FAILED, True, 1)

    till.orders.add(till.sale("t2"))
    (run,) = till.push()

    assert run.status is RunStatus.SUCCESS
    assert till.office.effective_batches == [{"t1"}, {"t2"}]
    assert till.office.ledger.doubled() == []


def test_host_is_gone(till):
    """
    What is frozen is delivered from the stored bytes, even if the host's
    data changed, or the host fails.
    """
    till.orders.add(till.sale("t1", "1.50"))
    till.office.faults("sales: refuse")
    till.push()
    till.orders.by_date[DAY] = [till.sale("t1", "9.99")]
    till.orders.broken = {DAY}

    (run,) = till.push()

    assert till.office.ledger.total() == Decimal("1.50")
    assert run.status is RunStatus.PARTIAL
    assert "RuntimeError: the order table is locked" in run.last_error
    assert till.engine().due(till.clock.now()) == [DAY]


def test_host_fails(till):
    """
    A host that breaks off freezes nothing of the date; other dates go on.
    """
    till.orders.add(till.sale("t1"), day=date(2026, 1, 1))
    till.orders.add(till.sale("t2"))
    till.orders.broken = {date(2026, 1, 1)}

    failed, fine = till.push()

    assert (failed.status, failed.items_processed) == (RunStatus.FAILED, 0)
    assert "order source failed for business date 2026-01-01" in failed.last_error
    assert fine.status is RunStatus.SUCCESS
    assert till.effective() == ["t2"]
    till.orders.broken.clear()
    assert [run.business_date for run in till.push()] == [date(2026, 1, 1)]


@pytest.mark.parametrize("fault", ["401", "429", "refuse"])
def test_not_now(till, fault):
    """
    Who can't push now stops, keeps the batch and says why.
    """
    for day in (date(2026, 1, 1), DAY):
        till.orders.add(till.sale("t1"), till.sale("t2"), day=day)
    till.limits = BatchLimits(transactions=1)
    till.office.faults(f"sales: {fault}")

    (run,) = till.push()

    assert run.status is RunStatus.FAILED
    assert (run.items_processed, run.items_failed, run.delivery_unknown) == (2, 2, False)
    assert till.states() == ["pending", "pending"]
    assert till.engine().due(till.clock.now()) == [date(2026, 1, 1), DAY]
    assert [run.status for run in till.push()] == [RunStatus.SUCCESS] * 2


def test_retry_at(till):
    """
    The scheduler waits twice as long after each failure, at most a quarter
    of an hour, at least as long as it was asked to.
    """
    till.orders.add(till.sale("t1"))
    engine = till.engine()
    waits = []

    for fault in ["503", "503", "503", "503", "503", "503", "429(retry_after=3600)"]:
        till.office.faults(f"sales: {fault}")
        engine.push(since=DAY, honour_past=True)
        waits.append((engine.retry_at - till.clock.now()) / timedelta(minutes=1))

    assert waits == [1, 2, 4, 8, 15, 15, 60]
    assert engine.next_due(till.clock.now()) == till.clock.now() + timedelta(hours=1)
    engine.push()
    assert engine.retry_at is None
    assert engine.next_due(till.clock.now()) == datetime(2026, 1, 3, 0, 15, tzinfo=UTC)


def test_no_timezone(till):
    """
    Without a zone there is no business day, and nothing is pushed.
    """
    till.config = SyncConfig(location_id=LOCATION)

    with pytest.raises(ConfigurationError, match="CONEXXUS_TIMEZONE is not configured"):
        till.push()


def test_one_at_a_time(till):
    """
    Another push is told which run is in progress.
    """
    other = till.store.leases.acquire("sales", "run-1", till.clock.now())

    with pytest.raises(RunInProgressError) as caught:
        till.push()

    assert caught.value.run_id == "run-1"
    till.store.leases.release(other)
    assert till.push() == []


def test_the_id_in_the_lease(till):
    """
    The id that another push is given is that of a run: the first that there
    is; every run has its own.
    """
    till.orders.add(till.sale("t1"), day=date(2026, 1, 1))
    till.orders.add(till.sale("t2"))
    seen = []

    def look(step):
        if step == "sending":
            seen.append(till.store.leases.holder("sales", till.clock.now()))

    first, second = till.engine(failpoint=look).push(since=date(2025, 12, 30), honour_past=True)

    assert seen == [first.id, first.id]
    assert first.id != second.id


def test_closed_date(till):
    """
    A closed date takes no push.
    """
    with till.store.write() as state:
        state.session.execute(
            "INSERT INTO sales_dates VALUES (?, ?, NULL, 'adopted', NULL)",
            (LOCATION, DAY.isoformat()),
        )
    till.orders.add(till.sale("t1"))

    assert till.push() == []
    with pytest.raises(DateClosedError, match="2026-01-02 is closed to push: adopted"):
        till.push(DAY)


def test_close_day(till):
    """
    The till's own end of day pushes at once; what follows comes later.
    """
    till.clock.set(datetime(2026, 1, 2, 20, tzinfo=UTC))
    till.orders.add(till.sale("t1"))

    till.engine().close_day(DAY)
    till.orders.add(till.sale("t2"))
    till.wait(hours=4)
    till.push()

    assert till.office.effective_batches == [{"t1"}, {"t2"}]


def test_collector_of_a_lost_push(till):
    """
    A collector that was told of a start is told of an end, even if the run
    can't be recorded.
    """
    till.orders.add(till.sale("t1"))

    def steal(step):
        if step == "sent":
            with till.store.write() as state:
                state.session.execute("UPDATE leases SET epoch = epoch + 1")

    with pytest.raises(Exception, match="lost its lease"):
        till.engine(failpoint=steal).push(DAY)

    assert [told[0] for told in till.watcher.told] == ["started", "finished"]
    assert till.watcher.told[1][2] is RunStatus.FAILED
    assert till.states() == ["sending"]


def test_closing_after_midnight(till, zoned):
    """
    A bar's night belongs to its evening: a sale at 01:00 arrives with the
    tail after 02:00.
    """
    till.config = zoned("America/New_York", day_closes_at=time(2))
    till.clock.advance_to(datetime(2026, 1, 3, 4, 30, tzinfo=UTC))
    till.orders.add(till.sale("evening"))
    till.push()
    till.orders.add(till.sale("night"))
    till.clock.advance_to(datetime(2026, 1, 3, 7, 14, tzinfo=UTC))
    assert till.push() == []
    till.wait(minutes=1)
    till.push()

    assert till.effective(DAY) == ["evening", "night"]


def test_progress(till):
    """
    Progress is told after each date.
    """
    seen = []
    till.orders.add(till.sale("t1"))

    till.push(progress=seen.append)

    assert [(told.business_date, told.dates, told.of, told.transactions) for told in seen] == [
        (date(2026, 1, 1), 1, 2, 0),
        (DAY, 2, 2, 1),
    ]


@pytest.mark.case(
    "D2",
    "an order source has another location of the same store pushed while it is read",
    "both are pushed, each from its own tables",
)
@pytest.mark.parametrize("breaks", [False, True])
def test_push_within_a_push(till, new_till, breaks):
    """
    A run that begins within another shares nothing with it.
    """
    inner = new_till()
    both = store_at(till.folder / "store.db")
    till.options = {"store": both.at(LOCATION)}
    inner.options = {"store": both.at("loc-002")}
    inner.config = attrs.evolve(till.config, location_id="loc-002")
    inner.orders.add(inner.sale("b1"))
    if breaks:
        inner.orders.broken.add(DAY)

    class Nesting:
        def transactions(self, location_id, business_date):
            for number in range(1_500):
                if number == 1_200 and business_date == DAY:
                    inner.push(DAY)
                if business_date == DAY:
                    yield till.sale(f"a{number}")

    till.orders = Nesting()
    (run,) = till.push(DAY)

    assert (run.status, run.items_succeeded) == (RunStatus.SUCCESS, 1_500)
    assert len(till.office.ledger.sales(LOCATION)) == 1_500
    assert len(inner.office.ledger.sales("loc-002")) == (0 if breaks else 1)
