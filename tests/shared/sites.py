"""
A store, a back office in this process, and pulls between them.

A folder whose tests use the fixtures imports them in its conftest.
"""

from datetime import UTC, datetime

import attrs
import pytest
from databases import Chosen, store_at

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.inventory import InventorySync
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
from conexxus_sync.testing import FakeClock
from peeks import peek


MORNING = datetime(2026, 1, 2, 10, tzinfo=UTC)


class HastyDatabase(SqliteDatabase):
    """
    Does not wait for the disk: for tests of a thousand pulls.
    """

    def _connect(self):
        connection = super()._connect()
        connection.execute("PRAGMA synchronous = OFF")
        return connection


def hasty_store(path):
    if Chosen.name != "sqlite":
        return store_at(path)
    return SqliteStore(path, database=HastyDatabase(path))


class Site:
    """
    One location: its store, its back office, and pulls between them.
    """

    def __init__(self, path, *, location_id="loc-001", store=store_at):
        self.office = BackOffice([], etag="off")
        self.client = client_of(self.office)
        self.path = path
        self.store = store(path).at(location_id)
        self.config = SyncConfig(location_id=location_id)
        self.clock = FakeClock(MORNING)
        self.source = None

    def context(self, *, collectors=(), **options):
        return EngineContext(
            store=self.store,
            config=self.config,
            clock=self.clock,
            observer=FanOut(collectors),
            **options,
        )

    def engine(self, storage=None, *, progress=lambda *_: None, **options):
        return InventorySync(
            client=self.client,
            context=self.context(**options),
            storage=storage,
            progress=progress,
            source=self.source,
        )

    def pull(
        self, catalog=None, *, storage=None, collectors=(), failpoint=lambda _: None, **options
    ):
        if catalog is not None:
            self.office.catalog = catalog
        self.clock.advance(minutes=60)

        return self.engine(storage, collectors=collectors, failpoint=failpoint).pull(**options)

    @property
    def shelf(self):
        """
        The items that are present, by SKU.
        """
        items = peek(self.store).mirror.items()
        return {entry.item.sku: entry.item for entry in items}

    @property
    def quarantine(self):
        """
        Reasons by key.
        """
        found = peek(self.store).mirror.quarantined()
        return {entry.key: entry.reason for entry in found}

    def dump(self, *tables):
        """
        Every byte of some tables.
        """
        with self.store.read() as state:
            return {
                table: state.session.execute(f"SELECT * FROM {table}").fetchall()
                for table in tables
            }


def client_of(office, **settings):
    config = ClientConfig(
        api_url="http://127.0.0.1:9", api_key=office.api_key, retries=0, **settings
    )
    return ConexxusClient(config, transport=SandboxTransport(office))


@pytest.fixture
def clock():
    return FakeClock(MORNING)


@pytest.fixture
def new_client():
    """
    Makes clients of a back office in this process.
    """
    return client_of


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "conexxus.db")


@pytest.fixture
def new_site(tmp_path_factory):
    """
    Makes sites, for tests that need many.
    """

    def make(*, store=hasty_store, path=None, removals="keep", **options):
        path = path or tmp_path_factory.mktemp("site") / "conexxus.db"
        site = Site(path, store=store, **options)
        site.config = attrs.evolve(site.config, removals=removals)
        return site

    return make
