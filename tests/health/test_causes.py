"""
Alerts that are consequences of another one.
"""

import attrs
import pytest

from conexxus_sync.metrics._gauges import Gauges
from conexxus_sync.model.alerts import Alert, AlertGroup, AlertName
from conexxus_sync.views.json import health_document


CASE = pytest.mark.case(
    "D11",
    "the back office is dead, and pull and push fail for it",
    "JSON and metrics have all alerts, with `causedBy`; page and notices group them by their cause",
)


def causes(service):
    return {alert.name: alert.caused_by for alert in service.health().alerts}


@CASE
def test_dead_back_office(new_service, office, till, clock):
    """
    What fails because the back office does not answer names that as its cause.
    """
    service = new_service(orders=till)
    office.faults("503*20")

    service.sync_inventory()
    service.push_sales(clock.now().date())

    assert causes(service) == {
        AlertName.API_DOWN: None,
        AlertName.SYNC_FAILED: AlertName.API_DOWN,
        AlertName.PUSH_FAILED: AlertName.API_DOWN,
        AlertName.DELIVERY_UNKNOWN: AlertName.API_DOWN,
    }


@CASE
def test_all_alerts_stay_in_json_and_metrics(new_service, office, clock):
    """
    Consequences are not left out there, and name their cause.
    """
    service = new_service()
    office.faults("503*20")
    service.sync_inventory()

    document = health_document(service.health()).as_json()
    found = Gauges(service, clock).samples()
    samples = {(family.name, *labels): value for family, labels, value in found}

    assert {it["name"]: it["causedBy"] for it in document["alerts"]} == {
        "ConexxusApiDown": None,
        "ConexxusSyncFailed": "ConexxusApiDown",
    }
    assert samples["conexxus_alert_active", "ConexxusSyncFailed", "warning"] == 1
    assert samples["conexxus_alert_caused_by", "ConexxusSyncFailed", "ConexxusApiDown"] == 1


def test_failure_of_the_host(new_service, office):
    """
    A pull that failed at the host stands for itself, though the back office is
    down since.
    """

    class Full:
        def apply(self, changes):
            raise OSError(28, "No space left on device")

    service = new_service(catalog=Full())
    service.sync_inventory()
    office.faults("503*20")
    service.test_connection()

    found = causes(service)

    assert AlertName.API_DOWN in found
    assert found[AlertName.SYNC_FAILED] is None


def test_groups_come_by_their_gravest_alert():
    """
    A cause takes the place of its gravest consequence.
    """
    overdue, held, down, failed = (
        Alert(name=name, message="")
        for name in (
            AlertName.DATE_OVERDUE,
            AlertName.CLOCK_DOUBTED,
            AlertName.API_DOWN,
            AlertName.SYNC_FAILED,
        )
    )
    overdue, failed = (attrs.evolve(it, caused_by=AlertName.API_DOWN) for it in (overdue, failed))

    groups = AlertGroup.of([overdue, held, down, failed])

    assert groups == [AlertGroup(down, (overdue, failed)), AlertGroup(held)]


def test_cause_that_does_not_hold():
    """
    Without its cause, a consequence stands for itself.
    """
    overdue = Alert(name=AlertName.DATE_OVERDUE, message="", caused_by=AlertName.API_DOWN)

    assert AlertGroup.of([overdue]) == [AlertGroup(overdue)]
