"""
The page in a real browser, as somebody behind a counter uses it.
"""

from contextlib import contextmanager
from datetime import time
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

from browsers import chromium_started
from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.testing import ListOrders, sale

from .browser import HOSTILE, WINE, opener


# Not of the session: while it runs, its thread has an event loop, and other
# tests begin theirs.
@pytest.fixture(scope="package")
def chromium():
    """
    A real one, of the system.
    """
    with chromium_started() as browser:
        yield browser


@pytest.fixture
def till():
    """
    Sells what it is told, by business date.
    """

    return ListOrders()


@pytest.fixture
def new_service(server, tmp_path, till):
    """
    Makes services of one location: the same store, other rules.
    """
    made = []
    config = SyncConfig(
        location_id="loc-001",
        store=f"sqlite:///{tmp_path / 'conexxus.db'}",
        timezone=ZoneInfo("America/New_York"),
        push_at=time(0),  # a date is due when it is over: at any hour, all is well
    )

    def make(profile=None, **rules):
        client = ClientConfig(
            api_url=server.url, api_key=server.api_key, retries=0, timeout_ms=20_000
        )
        service = ConexxusService(
            ConexxusClient(client, profile=profile),
            store=open_store(config.store),
            config=attrs.evolve(config, **rules),
            orders=till,
        )
        made.append(service)
        return service

    yield make

    for service in made:
        service.close()


@pytest.fixture
def open_page(chromium):
    """
    Opens the page of a service, and in the end looks whether anything was
    executed, blocked or complained of.
    """
    troubles = []

    with contextmanager(opener)(chromium, troubles) as open_:
        yield open_

    assert not troubles


@pytest.fixture
def partial(new_service, office):
    """
    A service whose last pull set something aside.
    """
    office.catalog = [*WINE, {"sku": "GOLD", "name": "Gold bar", "price": 70_000}, *HOSTILE]
    service = new_service(max_price=Decimal(1000))
    service.sync_inventory()

    return service


@pytest.fixture
def troubled(partial, new_service, office, till):
    """
    Everything at once: a refused catalogue, sales that wait, items set aside.
    """
    service = new_service()
    day = service.sales.ledger.calendar.business_date(service._clock.now())
    for name in ("t1", "</td><script>pwned()</script>"):
        till.add(sale(name, timestamp=service._clock.now()), business_date=day)
    office.faults("sales: after_commit(reset)")
    service.push_sales(day)
    office.catalog = [{**item, "price": "1.99"} for item in WINE]
    service.sync_inventory()

    return service
