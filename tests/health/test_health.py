"""
How the service is: before anything, after pulls, and with a broken store.
"""

import json

from databases import destroy

from conexxus_sync import AlertName, RunStatus, ServiceState
from conexxus_sync.views.json import health_document

from .states import states


def test_health_before_anything(service):
    """
    Nothing is known yet, and nothing is wrong.
    """
    assert health_document(service.health()).as_json() == {
        "status": "healthy",
        "isHealthy": True,
        "lastSyncTime": None,
        "lastSyncStatus": None,
        "lastError": None,
        "apiConnection": None,
        "alerts": [],
        "sales": {
            "enabled": False,
            "lastPushTime": None,
            "lastPushStatus": None,
            "lastError": None,
            "overdue": [],
            "alerts": [],
        },
        "state": "starting",
        "apiCheckedAt": None,
        "apiLatency": None,
    }


def test_health_after_a_pull(service, clock):
    """
    It speaks of the last pull, in JSON that is JSON.
    """
    service.sync_inventory()

    health = service.health()

    assert (health.status, health.api_connection) == ("healthy", True)
    assert (health.last_sync_time, health.last_sync_status) == (clock.now(), RunStatus.SUCCESS)
    assert (
        json.loads(json.dumps(health_document(health).as_json()))["lastSyncTime"]
        == "2026-01-02T10:00:00Z"
    )


def test_health_after_a_failure(service, office):
    """
    A failed pull makes it unhealthy, and an alert says why.
    """
    office.faults("catalog: 503")

    service.sync_inventory()

    health = service.health()
    assert (health.status, health.api_connection) == ("unhealthy", False)
    assert "503" in health.last_error
    assert any("503" in str(alert) for alert in health.alerts)


def test_quarantine_is_an_alert(service, office):
    """
    Bad items are worth a look, but the service is healthy.
    """
    office.catalog = [*office.catalog, {"sku": "C", "name": "c", "price": "free"}]

    service.sync_inventory()

    health = service.health()
    assert (health.status, health.last_sync_status) == ("healthy", RunStatus.PARTIAL)
    assert any("1 item set aside" in str(alert) for alert in health.alerts)


def test_disabled_health(new_service):
    """
    Its health says `disabled`, and why.
    """
    health = new_service(client=None, missing=["no key"]).health()

    assert (health.status, health.is_healthy) == ("disabled", False)
    assert [str(alert) for alert in health.alerts] == ["no key"]


def test_health_of_a_broken_store(service):
    """
    It never raises: it is unhealthy, and an alert says why.
    """
    said = destroy(service.store)

    health = service.health()

    assert (health.status, health.counts) == ("unhealthy", None)
    assert health.last_error in [alert.message for alert in health.alerts]
    assert said in health.last_error


def test_disabled_health_of_a_broken_store(new_service):
    """
    Switched off, it has still something to say of its store.
    """
    service = new_service(client=None, missing=["no key"])
    destroy(service.store)

    health = service.health()

    names = [alert.name for alert in health.alerts]
    assert health.status == "disabled"
    assert names == [AlertName.STORE_UNUSABLE, AlertName.NOT_CONFIGURED]


def test_health_of_a_run_that_no_one_can_read(service, caplog):
    """
    Whatever is wrong with the store, whoever asks gets an answer; the log
    has the rest.
    """
    service.sync_inventory()
    with service.store.write() as state:
        state.session.execute("UPDATE runs SET document = '{'")

    health = service.health()

    assert health.status == "unhealthy"
    assert health.last_error.endswith("see the log")
    assert "can't say how it is" in caplog.text


def test_stale_catalogue(service, clock):
    """
    Two hours without a pull are worth an alert, and the next pull ends it.
    """
    service.sync_inventory()
    clock.advance(hours=2)
    assert states(service) == (ServiceState.OK, set())

    clock.advance(seconds=1)
    assert states(service) == (ServiceState.STALE, {AlertName.SYNC_STALE})
    assert not service.health().is_healthy

    service.sync_inventory()
    assert states(service) == (ServiceState.OK, set())


def test_service_that_never_pulled(service, clock):
    """
    It is given two hours, too.
    """
    assert states(service) == (ServiceState.STARTING, set())

    clock.advance(hours=3)

    assert states(service) == (ServiceState.STALE, {AlertName.SYNC_STALE})


def test_partial_pull(service, office):
    """
    An item that was set aside is no failure, and more than one in ten is an alert.
    """
    office.catalog = [
        *office.catalog,
        *({"sku": f"B{number}", "name": "b", "price": "free"} for number in range(3)),
    ]

    service.sync_inventory()

    assert states(service) == (
        ServiceState.PARTIAL,
        {AlertName.ITEMS_SET_ASIDE, AlertName.ERROR_RATE},
    )
    assert service.health().is_healthy
