"""
A service, its back office and its till, in this process.

A folder whose tests use the fixtures imports them in its conftest.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from databases import store_at

from conexxus_client.testing import BackOffice
from conexxus_sync.config import SyncConfig
from conexxus_sync.service import ConexxusService
from conexxus_sync.testing import sale
from sites import client_of


class Till:
    """
    One sale on every date.
    """

    def transactions(self, location_id, business_date):
        moment = datetime.combine(business_date, datetime.min.time(), UTC) + timedelta(hours=15)
        return [sale(f"t{business_date}", 5, timestamp=moment)]


@pytest.fixture
def till():
    return Till()


@pytest.fixture
def office():
    """
    A back office with two items.
    """
    return BackOffice(
        [{"sku": "A", "name": "a", "price": 1}, {"sku": "B", "name": "b", "price": 2}]
    )


@pytest.fixture
def new_service(tmp_path, office, clock):
    """
    Makes services around one store, of that back office unless told otherwise.
    """
    config = SyncConfig(location_id="loc-001", timezone=ZoneInfo("UTC"))

    def make(**options):
        options = {"client": client_of(office), "config": config, "clock": clock, **options}
        options.setdefault("store", store_at(tmp_path / "conexxus.db"))
        return ConexxusService(options.pop("client"), **options)

    return make


@pytest.fixture
def service(new_service):
    return new_service()
