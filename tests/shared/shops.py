"""
A shop that is watched, and what Prometheus reads of it.

A folder whose tests use the fixtures imports them in its conftest.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import store_at
from prometheus_client.parser import text_string_to_metric_families

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync import ConexxusService, SyncConfig
from conexxus_sync.metrics.prometheus import PrometheusMetrics
from conexxus_sync.testing import FakeClock, ListOrders, sale
from sites import MORNING, hasty_store


LOCATION = "loc-001"


class Orders(ListOrders):
    """
    A till's table of sales.
    """

    def sell(self, day, name, total="1.50"):
        """
        Add a sale at noon of *day*, or change the one of this name.
        """
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        # Without lines: the documentation has a batch's key, made of these bytes.
        made = sale(name, total, timestamp=noon, items=[])

        if name in {each.id for each in self.transactions(LOCATION, day)}:
            self.replace(made)
        else:
            self.add(made)


def items(count, *, bad=0):
    """
    A catalogue of *count* items, and some that have no price.
    """
    good = [{"sku": f"S{n}", "name": f"item {n}", "price": n + 1} for n in range(count)]
    return good + [{"sku": f"B{n}", "name": f"bad {n}", "price": "free"} for n in range(bad)]


@attrs.define
class Shop:
    """
    One location with its back office, its till and its metrics.
    """

    folder: Path
    location: str = LOCATION
    new_store: Callable = store_at
    office: BackOffice = attrs.field(factory=lambda: BackOffice(items(2), etag="off"))
    orders: Orders = attrs.field(factory=Orders)
    clock: FakeClock = attrs.field(factory=lambda: FakeClock(MORNING))
    metrics: PrometheusMetrics = attrs.field(init=False)
    service: ConexxusService = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.open()

    def open(self, **options):
        """
        Start, or start anew on the same store, like a process does.
        """
        self.metrics = PrometheusMetrics(clock=self.clock)
        options = {
            "client": self.client(),
            "store": self.new_store(self.folder / "conexxus.db"),
            "config": SyncConfig(location_id=self.location, timezone=ZoneInfo("UTC")),
            "orders": self.orders,
            "collectors": [self.metrics],
            "clock": self.clock,
            **options,
        }
        self.service = ConexxusService(options.pop("client"), **options)
        self.metrics.watch(self.service)
        return self.service

    def client(self, profile=None, **settings):
        config = ClientConfig(
            **{
                "api_url": "http://127.0.0.1:9",
                "api_key": self.office.api_key,
                "retries": 0,
                "retry_delay_ms": 1,
                **settings,
            }
        )
        return ConexxusClient(config, transport=SandboxTransport(self.office), profile=profile)

    def scrape(self):
        """
        What Prometheus reads: values by name and the labels that matter.
        """
        return read(self.metrics.render()[0])


def read(text):
    """
    Samples of an exposition, by name and sorted label values; `location`
    is left out.
    """
    found = {}

    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "location"}
            key = (sample.name, *(labels[name] for name in sorted(labels)))
            assert key not in found, key
            found[key] = sample.value

    return found


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


@pytest.fixture
def busy(shop):
    """
    A shop of which every metric has something to say.
    """
    shop.office.catalog = items(3, bad=1)
    shop.service.sync_inventory()
    for day in (1, 2):
        shop.orders.sell(shop.clock.now().date().replace(day=day), f"t{day}", f"{day}182.77")
        shop.service.push_sales(shop.clock.now().date().replace(day=day))
    shop.clock.advance(days=2)
    return shop


@pytest.fixture(scope="session")
def new_shop(tmp_path_factory):
    """
    Makes shops, for examples that are many in a test; in memory if possible.
    """
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else tmp_path_factory.mktemp("shops")

    with tempfile.TemporaryDirectory(dir=parent) as folder:

        def make(**settings):
            return Shop(Path(tempfile.mkdtemp(dir=folder)), new_store=hasty_store, **settings)

        yield make


@pytest.fixture(scope="session")
def promtool():
    """
    Prometheus's own checker of rules.
    """
    beside = Path(sys.executable).with_name("promtool")
    found = str(beside) if beside.exists() else shutil.which("promtool")

    if found is None:
        pytest.fail(
            "promtool is not there, so the alert rules can't be checked: scripts/test fetches "
            "it, or install Debian's package prometheus"
        )

    return found
