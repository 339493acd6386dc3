"""
A till, its clock and its back office, for tests of sales.

A folder whose tests use the fixtures imports them in its conftest.
"""

import os
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import Chosen, postgres, store_at

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient, Transaction
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.model.sales import BatchState
from conexxus_sync.sales import BatchLimits, OutboxOperator, SalesPush
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.testing import FakeClock, ListOrders, sale
from kept_connections import kept_connections
from peeks import peek


LOCATION = "loc-001"
DAY = date(2026, 1, 2)

# What a till's options and an engine's changes may be.
SETTINGS = {"on_changed", "compare", "sales_guards", "summary", "lookback_days"}
CONTEXT = {"store", "clock", "observer", "is_stopping", "failpoint", "new_id"}


class Orders(ListOrders):
    """
    A host's order table; counts how often it is asked, and breaks off on the
    dates in `broken`.
    """

    def __init__(self):
        super().__init__()
        self.asked = []
        self.broken = set()

    def transactions(self, location_id, business_date):
        self.asked.append(business_date)
        yield from super().transactions(location_id, business_date)
        if business_date in self.broken:
            raise RuntimeError("the order table is locked")

    def add(self, *transactions, day=DAY):
        """
        Sell *transactions* on *day*: what has the timestamp of `DAY` is moved.
        """
        for one in transactions:
            moved = isinstance(one, Transaction)
            super().add(
                attrs.evolve(one, timestamp=one.timestamp + (day - DAY)) if moved else one,
                business_date=day,
            )


class Watcher:
    """
    Writes down which runs it was told of.
    """

    def __init__(self):
        self.told = []

    def run_started(self, run):
        self.told.append(("started", run.id))

    def run_finished(self, run):
        self.told.append(("finished", run.id, run.status))


@attrs.define
class Till:
    """
    Everything around a push.  Each push is a new engine on the same store,
    as after a restart.
    """

    folder: Path
    profile: ApiProfile = attrs.field(factory=ApiProfile)
    office: BackOffice = attrs.field(factory=BackOffice)
    config: SyncConfig = attrs.field(
        factory=lambda: SyncConfig(location_id=LOCATION, timezone=ZoneInfo("UTC"))
    )
    limits: BatchLimits = attrs.field(factory=BatchLimits)
    retries: int = 0
    orders: Orders = attrs.field(factory=Orders)
    watcher: Watcher = attrs.field(factory=Watcher)
    clock: FakeClock = attrs.field(
        factory=lambda: FakeClock(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    )
    day: date = DAY
    released: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    options: dict = attrs.field(factory=dict)
    arrives: bool = True

    @property
    def store(self):
        return store_at(self.folder / "store.db").at(self.config.location_id)

    @property
    def peek(self):
        """
        Looks into the store.
        """
        return peek(self.store)

    def client(self, office=None):
        return ConexxusClient(
            ClientConfig(
                api_url="http://localhost",
                api_key=self.office.api_key,
                retries=self.retries,
                retry_delay_ms=1,
            ),
            transport=SandboxTransport(office or self.office),
            profile=self.profile,
        )

    def context(self, **changes):
        """
        What an engine works with; of *changes*, what is a setting is set.
        """
        given = {**self.options, **changes}
        settings = {name: given.pop(name) for name in SETTINGS & given.keys()}
        config = attrs.evolve(
            given.pop("config", self.config),
            batch_transactions=self.limits.transactions,
            batch_bytes=self.limits.bytes,
            **settings,
        )
        context = {
            "store": self.store,
            "clock": self.clock,
            "observer": FanOut([self.watcher]),
            **{name: given[name] for name in CONTEXT & given.keys()},
        }
        return EngineContext(config=config, **context)

    def engine(self, **changes):
        given = {**self.options, **changes}
        return SalesPush(
            client=given.get("client") or self.client(),
            context=self.context(**changes),
            orders=given.get("orders", self.orders),
            released=given.get("released", self.released),
            profile_named=given.get("profile_named", True),
        )

    def operator(self, **given):
        return OutboxOperator(context=self.context(), **{"profile": self.profile, **given})

    def push(self, business_date=None, **options):
        options = {"since": date(2026, 1, 1), "honour_past": True, **options}
        return self.engine().push(business_date, **options)

    def wait(self, **duration):
        self.clock.advance(**duration)

    def states(self):
        """
        The state of every batch, in the order of delivery.
        """
        return [batch.state.value for batch in reversed(self.peek.outbox.batches())]

    def open_batches(self):
        return self.peek.outbox.batches(
            (BatchState.PENDING, BatchState.SENDING, BatchState.UNKNOWN)
        )

    def quarantined(self):
        return {one.id: one.reason for one in self.peek.sales_quarantine.transactions()}

    def effective(self, day=None):
        """
        What the back office has: ids of the sales, doubled ones twice.
        """
        return [sale.id for sale in self.office.ledger.sales(LOCATION, day)]

    @staticmethod
    def sale(name, total="1.50", **more):
        return sale(name, total, **more)


@pytest.fixture
def till(tmp_path):
    return Till(tmp_path)


@pytest.fixture(scope="session")
def new_till(tmp_path_factory):
    """
    Makes a till in an empty folder.
    """
    with folder_in_memory(tmp_path_factory.getbasetemp()) as folder:

        def make(**settings):
            return Till(Path(tempfile.mkdtemp(dir=folder)), **settings)

        yield make


@pytest.fixture(scope="session")
def many_tills(tmp_path_factory):
    """
    Makes a till, for examples that are many in a test.

    It has a store that is up to date, and keeps its connections open until the
    next till is made.
    """
    with (
        folder_in_memory(tmp_path_factory.getbasetemp()) as folder,
        kept_connections(folder) as keeper,
    ):
        first = SqliteStore(Path(tempfile.mkdtemp(dir=folder)) / "store.db")
        with first.at(LOCATION).read():
            pass

        def make(**settings):
            keeper.forget(folder)
            fresh = Path(tempfile.mkdtemp(dir=folder))
            if Chosen.name == "sqlite":
                shutil.copy(first.path, fresh)
            else:
                postgres().give_back()
            return Till(fresh, **settings)

        yield make


@contextmanager
def folder_in_memory(otherwise):
    """
    An empty folder, in memory if there is such a place: thousands of disk
    flushes prove nothing.
    """
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else otherwise

    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def zoned():
    def make(zone, push_at=time(23, 30), day_closes_at=time(0), **more):
        return SyncConfig(
            location_id=LOCATION,
            timezone=ZoneInfo(zone),
            push_at=push_at,
            day_closes_at=day_closes_at,
            **more,
        )

    return make
