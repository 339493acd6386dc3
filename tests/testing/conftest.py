"""
What the fakes are tested with.
"""

from zoneinfo import ZoneInfo

import pytest

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync import ConexxusService, SyncConfig, open_store


@pytest.fixture
def office():
    return BackOffice([{"sku": sku, "name": sku, "price": 1} for sku in ("A", "B", "C")])


@pytest.fixture
def new_service(tmp_path, office):
    """
    Makes services of that back office, around one store.
    """
    config = SyncConfig(
        location_id="loc-001", timezone=ZoneInfo("America/New_York"), removals="deactivate"
    )

    def make(**host):
        settings = ClientConfig(api_url="http://localhost", api_key=office.api_key, retries=0)
        client = ConexxusClient(settings, transport=SandboxTransport(office))
        store = open_store(f"sqlite:///{tmp_path / 'conexxus.db'}")
        return ConexxusService(client, store=store, config=config, **host)

    return make
