"""
Facts about a back office, or a host, in trouble: what can go on goes on.
"""

from datetime import date, datetime, timedelta

import pytest

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient, Delivery, ServerError
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.collectors import FanOut
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import BatchState
from conexxus_sync.sales import BatchLimits


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
DAYS = [DAY + timedelta(days=k) for k in range(-8, 1)]


class Poisoned:
    """
    A back office that never answers for some dates, or some transactions.
    """

    def __init__(self, till, *, dates=(), ids=()):
        self.client = till.client()
        self.profile = till.profile
        self.dates, self.ids = set(dates), set(ids)
        self.calls = 0

    def push_sales(self, batch, *, idempotency_key, repeat_within=None):
        self.calls += 1
        if batch.date in self.dates or {t.id for t in batch.transactions()} & self.ids:
            raise ServerError(status=500, path="/", delivery=Delivery.UNKNOWN)
        return self.client.push_sales(batch, idempotency_key=idempotency_key)


@pytest.fixture
def till(new_till):
    """
    Nothing is parked here: an id makes every repetition harmless.
    """
    return new_till(
        profile=ApiProfile(dedupe="transaction_id"), office=BackOffice(dedupe="transaction_id")
    )


def sell(till, days=DAYS):
    for day in days:
        till.orders.add(till.sale(f"t{day}"), day=day)


def push(till, **options):
    return till.engine(**options).push(since=DAYS[0], honour_past=True)


def test_trouble_stops(till):
    """
    After three dates of unknown fate in a row there is one more attempt, and
    the rest is left for later.
    """
    sell(till)
    till.office.faults("sales: 503*forever")

    runs = push(till)

    assert [run.business_date for run in runs] == DAYS[:4]
    assert till.office.requests["sales"] == 4


def test_trouble_within_a_date(till):
    """
    The same goes for the batches of one date.
    """
    till.limits = BatchLimits(transactions=1)
    till.orders.add(*(till.sale(f"t{n}") for n in range(9)))
    till.office.faults("sales: 503*forever")

    (run,) = push(till)

    assert till.office.requests["sales"] == 4
    assert (run.items_failed, run.delivery_unknown) == (9, True)


@pytest.mark.parametrize("poisoned", [3, 4, 5])
def test_dates_that_never_settle(till, poisoned):
    """
    A few dates that are never answered do not hold up the others.
    """
    sell(till)
    client = Poisoned(till, dates=DAYS[:poisoned])

    for _ in range(3):
        push(till, client=client)
        till.wait(minutes=15)

    assert till.office.ledger.dates() == DAYS[poisoned:]


def test_dates_that_wait_behind_those(till):
    """
    A date that was in doubt when the trouble began has its turn, too.
    """
    sell(till, DAYS[:4])
    client = Poisoned(till, dates=DAYS[:4])
    push(till, client=client)
    client.dates.discard(DAYS[3])

    push(till, client=client)

    assert till.office.ledger.dates() == [DAYS[3]]


def test_batches_that_never_settle(till):
    """
    A few batches that are never answered do not hold up the others.
    """
    till.limits = BatchLimits(transactions=1)
    till.orders.add(*(till.sale(f"t{n}") for n in range(9)))
    client = Poisoned(till, ids={"t0", "t1", "t2", "t3", "t4"})

    for _ in range(4):
        push(till, client=client)
        till.wait(minutes=15)

    assert till.effective() == ["t5", "t6", "t7", "t8"]
    assert till.peek.outbox.counts()[BatchState.UNKNOWN] == 5


def test_batches_that_wait_between_those(till):
    """
    A batch that was taken out of its turn does not make us forget those that
    come before it.
    """
    till.limits = BatchLimits(transactions=1)
    till.orders.add(*(till.sale(f"t{n}") for n in range(9)))
    client = Poisoned(till, ids={"t0", "t1", "t2", "t3"})
    push(till, client=client)
    client.ids.discard("t3")

    push(till, client=client)

    assert till.effective() == ["t4", "t3", "t5", "t6", "t7", "t8"]


def test_a_host_in_trouble(till):
    """
    A host that can't tell some dates does not hold up the others.
    """
    sell(till)
    till.orders.broken = set(DAYS[:5])

    push(till)

    assert till.office.ledger.dates() == DAYS[5:]


def test_a_host_that_failed_is_not_asked_again(till):
    """
    A host that failed is asked again with the next push, not in this one.
    """
    till.orders.broken = {DAY}

    (run,) = push(till)

    assert run.status is RunStatus.FAILED
    assert till.orders.asked.count(DAY) == 1


def test_a_host_that_complains_at_length(till):
    """
    What a host says is kept in a size that fits on a screen.
    """

    class Chatty:
        def transactions(self, location_id, business_date):
            raise RuntimeError("x" * 100_000)

    (run, *_) = push(till, orders=Chatty())

    assert len(run.last_error) < 1_000


def test_asked_to_wait_for_ever(till):
    """
    Nobody makes us wait for more than a day.
    """
    sell(till, [DAY])
    engine = till.engine()
    till.office.faults("sales: 429(retry_after=999999999)")

    engine.push(since=DAY, honour_past=True)

    assert engine.retry_at == till.clock.now() + timedelta(days=1)


def test_a_clock_that_jumped_while_we_waited(till):
    """
    How long we wait after a failure is measured on the monotonic clock.
    """
    sell(till, [DAY])
    engine, now = till.engine(), till.clock.now()
    till.clock.set(now + timedelta(days=150))
    till.office.faults("sales: 503")
    engine.push(since=DAY, honour_past=True)

    till.wait(seconds=60)
    till.clock.set(now)

    assert engine.retry_at == now


def test_told_to_stop_between_dates(till):
    """
    Told to stop, a push ends before the next date.
    """
    sell(till)
    told = []

    def after_the_first(step):
        if step == "settled":
            told.append(step)

    runs = push(till, is_stopping=lambda: bool(told), failpoint=after_the_first)
    assert [run.status for run in runs] == [RunStatus.SUCCESS]
    assert till.orders.asked == DAYS[:1]

    push(till)
    assert till.office.ledger.dates() == DAYS


def test_told_to_stop_between_batches(till):
    """
    Told to stop, a push ends before the next batch and says so; what waits
    is frozen and goes with the next push.
    """
    till.limits = BatchLimits(transactions=1)
    till.orders.add(*(till.sale(f"t{n}") for n in range(4)))
    settled = []

    def failpoint(step):
        if step == "settled":
            settled.append(step)

    client = Poisoned(till)
    (run,) = push(till, client=client, failpoint=failpoint, is_stopping=lambda: len(settled) == 2)

    assert (run.status, run.items_succeeded, run.items_failed) == (RunStatus.PARTIAL, 2, 2)
    assert "stopped" in run.last_error
    assert till.engine().due(till.clock.now()) == [DAY]
    (run,) = push(till)
    assert till.effective() == ["t0", "t1", "t2", "t3"]


def test_told_to_stop_while_the_host_tells(till):
    """
    Told to stop while the host tells its sales, a push freezes nothing,
    records nothing, and leaves the date due.
    """
    told = []

    class Endless:
        def transactions(self, location_id, business_date):
            for number in range(10_000_000):
                told.append(number)
                yield till.sale(f"t{number}")

    runs = push(till, orders=Endless(), is_stopping=lambda: len(told) > 10)

    assert runs == []
    assert len(told) < 3_000
    assert till.peek.outbox.counts() == {}
    assert DAYS[0] in till.engine().due(till.clock.now())


def test_the_lease_is_held_while_the_host_tells(till):
    """
    A host that takes long to tell its sales does not cost us the lease.
    """
    till.options = {"limits": BatchLimits()}

    class Slow:
        def transactions(self, location_id, business_date):
            for number in range(5_000):
                if number % 1_000 == 0:
                    till.wait(minutes=9)
                yield till.sale(f"t{number}")

    (run,) = till.engine(orders=Slow()).push(DAY)

    assert (run.status, run.items_succeeded) == (RunStatus.SUCCESS, 5_000)


def test_sold_while_pushing(till):
    """
    A date counts as looked at from the moment the push began with it: what
    is sold while it lasts, across a due moment, is found.
    """
    till.clock.advance_to(datetime.combine(DAY, till.config.push_at, till.config.timezone))
    till.orders.add(till.sale("t1"))

    def slow(step):
        if step == "sent":
            till.wait(hours=1)

    till.engine(failpoint=slow).push(since=DAY, honour_past=True)
    till.orders.add(till.sale("meanwhile"))

    assert till.engine().due(till.clock.now()) == [DAY]


def test_an_empty_date_while_pushing(till):
    """
    So does a date without sales.
    """
    till.clock.advance_to(datetime.combine(DAY, till.config.push_at, till.config.timezone))

    class Slow:
        def transactions(self, location_id, business_date):
            till.wait(hours=1)
            return []

    till.engine(orders=Slow()).push(since=DAY, honour_past=True)

    assert till.engine().due(till.clock.now()) == [DAY]


def test_batches_that_wait_are_due(till):
    """
    A date with something to deliver is due, however long ago it was.
    """
    till.orders.add(till.sale("t1"))
    till.office.faults("sales: refuse")
    push(till)
    till.wait(days=60)
    with till.store.write() as state:
        state.sales_dates.record([(DAY, till.clock.now(), None)])

    assert DAY in till.engine().due(till.clock.now())
    assert till.engine().next_due(till.clock.now()) == till.clock.now()


def test_told_to_stop_while_nobody_answers(till):
    """
    Told to stop while the back office is silent, a push does not wait for
    it: the delivery is unknown, and is asked for again with the next push.
    """
    till.orders.add(till.sale("t1"))

    with SandboxServer(till.office) as server:
        till.office.faults("sales: hang")
        config = ClientConfig(api_url=server.url, api_key=server.api_key)

        def has_arrived():
            return till.office.requests["sales"] > 0

        with ConexxusClient(config, profile=till.profile) as client:
            (run,) = till.engine(client=client, is_stopping=has_arrived).push(DAY)

            assert run.delivery_unknown
            assert till.peek.outbox.counts() == {BatchState.UNKNOWN: 1}
            push(till, client=client)

    assert till.effective() == ["t1"]


class Broken:
    """
    A collector that fails whenever it is told something.
    """

    def run_started(self, run):
        raise RuntimeError("the disk of the metrics is full")

    run_finished = run_started


def test_a_collector_in_trouble(till):
    """
    A collector that fails neither ends a push nor hides its result.
    """
    till.orders.add(till.sale("t1"))

    (run,) = push(till, collectors=FanOut([Broken(), till.watcher]))

    assert run.status is RunStatus.SUCCESS
    assert [told[0] for told in till.watcher.told] == ["started", "finished"]
