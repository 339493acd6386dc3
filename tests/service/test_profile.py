"""
Facts about the profile of the back office in a service.
"""

from datetime import date

import pytest

from conexxus_client import ApiProfile, ConfigurationError
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.testing import ListOrders, sale


DAY = date(2026, 1, 2)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """
    What the environment says of a sandbox, and of a module with a profile.
    """
    (tmp_path / "kept_profiles.py").write_text(
        "from conexxus_client import ApiProfile\nshop = ApiProfile(dedupe='transaction_id')\n"
    )
    monkeypatch.chdir(tmp_path)

    with SandboxServer() as server:
        yield {
            **server.env,
            "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'conexxus.db'}",
            "CONEXXUS_TIMEZONE": "America/New_York",
            "CONEXXUS_RETRIES": "0",
        }


@pytest.mark.case(
    "C1",
    "A service is started with another profile than before",
    "It sends nothing, and a critical alert says which parts differ",
)
def test_a_service_with_another_profile(settings):
    """
    Pushes, triggers and the outbox refuse it alike; health says so before.
    """
    orders = ListOrders([sale("t1")])
    with ConexxusService.from_env(settings, orders=orders) as service:
        service.push_sales(DAY)
    orders.add(sale("t2"))

    profile = ApiProfile(dedupe="none")
    with ConexxusService.from_env(settings, orders=orders, profile=profile) as service:
        for send in (service.push_sales, service.close_day, service.trigger_push):
            with pytest.raises(ConfigurationError, match="dedupe is none, kept is key"):
                send(DAY)
        with pytest.raises(ConfigurationError, match="dedupe is none, kept is key"):
            service.replay_sale(DAY, "t1")
        alerts = {alert.name: alert.message for alert in service.health().sales.alerts}

    assert "dedupe is none, kept is key" in alerts["ConexxusMisconfigured"]


@pytest.mark.case(
    "C1",
    "CONEXXUS_PROFILE names the profile of the service",
    "The service takes it; what is given in code goes before",
)
def test_a_service_takes_the_variable(settings):
    """
    Argument before environment; a wrong name is a configuration error.
    """
    settings["CONEXXUS_PROFILE"] = "kept_profiles:shop"

    with ConexxusService.from_env(settings) as service:
        assert service.client.profile.dedupe == "transaction_id"
    with ConexxusService.from_env(settings, profile=ApiProfile()) as service:
        assert service.client.profile.dedupe == "key"
    with pytest.raises(ConfigurationError, match="CONEXXUS_PROFILE nowhere:x can't be used"):
        ConexxusService.from_env({**settings, "CONEXXUS_PROFILE": "nowhere:x"})
