"""
The wall clock jumps while something is at work.

What jumps is what Python programs read it with: `time.time`, `time.time_ns`
and the `datetime.now` of the system's clock here.  As on a machine whose
clock is set, the monotonic clock does not jump, and neither do time-outs of
the kernel.
"""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

from conexxus_client import AsyncConexxusClient, ClientConfig, ConexxusClient, RequestTimeoutError
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import (
    EngineContext,
    InventorySync,
    LeaseLostError,
    RunStatus,
    SalesPush,
    SyncConfig,
    SyncRun,
)
from conexxus_sync.model.runs import RunKind
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.testing import ListOrders, sale


DAY = date(2026, 1, 2)
FORWARD, BACK = timedelta(hours=5), timedelta(days=-3)
JUMPS = pytest.mark.parametrize("jump", [FORWARD, BACK], ids=["forward", "back"])


class Wall:
    """
    The wall clock, and how far it is off.
    """

    def __init__(self):
        self.off, self.real = timedelta(), time.time
        self.wild, self.looks = False, 0

    def time(self):
        """
        What it shows; if it is wild, each look shows another time.
        """
        self.looks += 1
        if self.wild:
            self.off = (FORWARD, BACK)[self.looks % 2]
        return self.real() + self.off.total_seconds()

    def time_ns(self):
        return int(self.time() * 1e9)

    def now(self, tz=None):
        return datetime.fromtimestamp(self.time(), tz)


@pytest.fixture
def wall(monkeypatch):
    wall = Wall()
    monkeypatch.setattr("time.time", wall.time)
    monkeypatch.setattr("time.time_ns", wall.time_ns)
    monkeypatch.setattr("conexxus_sync.runtime.clock.datetime", wall)

    return wall


@pytest.fixture
def served():
    """
    A back office, and the moments at which it was asked.
    """
    moments = []

    with SandboxServer(
        BackOffice(api_key="k", etag="off"), log=lambda _: moments.append(time.monotonic())
    ) as server:
        server.moments = moments
        yield server


@pytest.fixture(params=["sync", "async"])
def ask(request, served):
    """
    Asks the back office how it is.
    """

    def ask(**settings):
        config = ClientConfig(api_url=served.url, api_key="k", **settings)
        if request.param == "async":
            return asyncio.run(_ask(config))
        with ConexxusClient(config) as client:
            return client.health()

    return ask


async def _ask(config):
    async with AsyncConexxusClient(config) as client:
        return await client.health()


@pytest.mark.fault("C01", "The wall clock jumps at every look at it", "waits between attempts stay")
@pytest.mark.parametrize("backend", ["httpx", "httpx2"])
def test_waits_of_a_retry(served, ask, wall, backend):
    """
    The server sees the attempts as far apart as without a jump: no wait is
    skipped, none lasts for days.
    """
    served.office.faults("health: 503")
    wall.wild = True

    assert ask(retry_delay_ms=300, http_backend=backend).ok

    first, second = served.moments
    assert 0.3 <= second - first < 10


@pytest.mark.fault("C01", "The same, and the server asks to wait", "neither longer nor shorter")
def test_wait_that_was_asked_for(served, ask, wall):
    """
    A second is a second.
    """
    served.office.faults("health: 503(retry_after=1)")
    wall.wild = True

    assert ask(retry_delay_ms=1).ok

    first, second = served.moments
    assert 1 <= second - first < 10


@pytest.mark.fault("C01", "The same, and the server is silent", "it times out when it should")
def test_deadline(served, ask, wall):
    """
    A call ends after its time-outs and waits, neither at once nor never.
    """
    served.office.faults("health: hang*2")
    wall.wild = True
    began = time.monotonic()

    with pytest.raises(RequestTimeoutError) as caught:
        ask(timeout_ms=600, retries=1, retry_delay_ms=100)

    assert len(caught.value.attempts) == 2
    assert 1.3 <= time.monotonic() - began < 10


class Shop:
    """
    A location on the system's clock, whose back office is behind sockets.
    """

    def __init__(self, served, path):
        self.client = ConexxusClient(
            ClientConfig(api_url=served.url, api_key="k", retry_delay_ms=1)
        )
        self.context = EngineContext(
            store=SqliteStore(path).at("loc-001"),
            config=SyncConfig(location_id="loc-001", timezone=ZoneInfo("UTC")),
            clock=SystemClock(),
        )

    def pull(self, failpoint=lambda _: None):
        context = attrs.evolve(self.context, failpoint=failpoint)
        return InventorySync(client=self.client, context=context).pull()

    def push(self, failpoint=lambda _: None):
        context = attrs.evolve(self.context, failpoint=failpoint)
        orders = ListOrders(sale(f"t{n}", n) for n in range(3))
        return SalesPush(client=self.client, context=context, orders=orders).push(DAY)

    def is_free(self, kind):
        return self.context.store.leases.holder(kind, self.context.clock.now()) is None


@pytest.fixture
def shop(served, tmp_path):
    shop = Shop(served, tmp_path / "conexxus.db")
    yield shop
    shop.client.close()


def at(name, *acts):
    """
    Acts at that step of a run.
    """

    def step(reached):
        if reached == name:
            for act in acts:
                act()

    return step


@pytest.mark.fault("C01", "The wall clock jumps in a pull, at any step", "the pull succeeds")
@JUMPS
@pytest.mark.parametrize("step", ["leased", "request", "page", "compared", "merge", "committed"])
def test_pull(served, shop, wall, step, jump):
    """
    It keeps its lease, lasts no less than nothing, and gives the lease back;
    the next one is no different.
    """
    run = shop.pull(at(step, lambda: setattr(wall, "off", jump)))
    again = shop.pull()

    assert (run.status, run.created) == (RunStatus.SUCCESS, len(served.office.catalog))
    assert (again.status, again.unchanged) == (RunStatus.SUCCESS, len(served.office.catalog))
    assert timedelta() <= run.duration < timedelta(hours=6)
    assert shop.is_free("inventory")


@pytest.mark.fault("C01", "The wall clock jumps in a push, at any step", "each sale arrives once")
@JUMPS
@pytest.mark.parametrize("step", ["leased", "read", "frozen", "sending", "sent", "settled"])
def test_push(served, shop, wall, step, jump):
    """
    Likewise; and the sales are not pushed a second time.
    """
    (run,) = shop.push(at(step, lambda: setattr(wall, "off", jump)))
    again = shop.push()

    assert (run.status, run.items_succeeded, again) == (RunStatus.SUCCESS, 3, [])
    assert timedelta() <= run.duration < timedelta(hours=6)
    assert served.office.effective_batches == [{"t0", "t1", "t2"}]
    assert shop.is_free("sales")


@pytest.mark.fault("C01", "It jumps past the lease of a push, and another begins", "one sale each")
@JUMPS
@pytest.mark.parametrize("step", ["read", "frozen", "sending", "sent", "settled"])
def test_push_that_is_overtaken(served, shop, wall, step, jump):
    """
    Where a lease seems to be over because of the jump, its holder is fenced
    off, as after a long sleep: nothing is lost or doubled.
    """

    fenced = False

    try:
        shop.push(at(step, lambda: setattr(wall, "off", jump), shop.push))
    except LeaseLostError:
        fenced = True
    shop.push()

    # Once all is settled, there is nothing left to be denied.
    assert fenced is (step != "settled")
    assert served.office.ledger.doubled() == []
    assert sorted(sale.id for sale in served.office.ledger.sales("loc-001")) == ["t0", "t1", "t2"]
    assert shop.is_free("sales")


def test_run_never_ends_before_it_began():
    """
    A run whose clock was set back ends when it began, and so it is stored.
    """
    began = datetime(2026, 1, 2, tzinfo=UTC)

    run = SyncRun(
        id="r1",
        kind=RunKind.INVENTORY,
        location_id="loc-001",
        start_time=began,
        end_time=began - timedelta(days=3),
    )

    assert (run.end_time, run.duration) == (began, timedelta())


@pytest.mark.fault(
    "C08", "Suspended for five days", "one pull; each missed business date is pushed"
)
def test_suspended_for_days(new_service, till, clock, office):
    """
    The first look after a long sleep pulls once, and pushes day by day.
    """
    service = new_service(orders=till)
    service.run_due(clock.now())

    # Meanwhile the monotonic clock stands still.
    clock.set(clock.now() + timedelta(days=5))
    runs = service.run_due(clock.now())

    days = [DAY + timedelta(days=n) for n in range(5)]
    assert [run.kind for run in runs] == [RunKind.INVENTORY, *[RunKind.SALES] * 5]
    assert [run.business_date for run in runs[1:]] == days
    assert office.effective_batches == [{f"t{day}"} for day in days]


@pytest.mark.fault(
    "C09", "A clock is two years ahead for a while", "nothing is forgotten, no date closed"
)
def test_two_years_ahead(new_service, clock, office):
    """
    A clock that is two years ahead, the till's along with it, makes nothing be
    forgotten: no run, no id, and no date takes no push any more.
    """
    orders = ListOrders([sale("t1")])
    service = new_service(orders=orders)
    clock.advance_to(datetime(2026, 1, 2, 23, 31, tzinfo=UTC))
    before = service.run_due(clock.now())
    orders.add(sale("t2", timestamp=datetime(2028, 1, 2, 12, tzinfo=UTC)))

    clock.set(datetime(2028, 1, 2, 23, 31, tzinfo=UTC))
    for _ in range(2):
        new_service(orders=orders).run_due(clock.now())
        clock.advance(hours=1)

    clock.set(datetime(2026, 1, 3, 23, 31, tzinfo=UTC))
    orders.add(sale("late"), sale("t3", timestamp=datetime(2026, 1, 3, 12, tzinfo=UTC)))
    service.sales.push(automatic=False)
    service.push_sales(DAY)

    assert office.ledger.doubled() == []
    assert sorted(sale.id for sale in office.ledger.sales("loc-001")) == ["late", "t1", "t2", "t3"]
    assert [service.run(run.id) for run in before] == before
