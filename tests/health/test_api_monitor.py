"""
What is known of the connection, by the calls that were made.
"""

import pytest

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_client.testing import SandboxTransport
from conexxus_sync import AlertName, RunStatus, ServiceState
from conexxus_sync.views.json import health_document
from conexxus_sync.views.text import headline

from .states import states


def test_connection_follows_every_call(service, office):
    """
    The last call decides whether the back office can be reached.
    """
    office.faults("health: 503")
    assert not service.test_connection().success
    assert service.health().api_connection is False

    assert service.test_connection().success
    assert service.health().api_connection is True


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_judgement_on_content_is_a_connection(new_service, office, till, clock, status):
    """
    A back office that refuses what was sent can be reached.
    """
    service = new_service(orders=till)
    office.faults(f"sales: {status}")

    service.push_sales(clock.now().date())

    assert service.health().api_connection is True


def test_odd_answer_is_a_connection(service, office):
    """
    So can one whose answer can't be used: the pull fails, and says why.
    """
    office.faults("catalog: 204")

    service.sync_inventory()

    health = service.health()
    assert (health.api_connection, health.last_sync_status) == (True, RunStatus.FAILED)
    assert states(service) == (ServiceState.FAILED, {AlertName.SYNC_FAILED})


def test_back_office_that_turns_away(service, office):
    """
    One that turns the key away answers too, but no good answer: the words are
    true of it.
    """
    office.faults("health: 401")

    service.test_connection()

    health = service.health()
    (alert,) = health.alerts
    assert headline(health) == "The back office gives no good answer."
    assert alert.message == (
        "No good answer from the back office: Conexxus API authentication failed. Check API key. "
        "The answer said: A fault of the sandbox."
    )


def test_attempts_are_no_calls(new_service, office):
    """
    An attempt that fails says nothing while the call goes on.
    """
    config = ClientConfig(
        api_url="http://127.0.0.1:9", api_key=office.api_key, retries=1, retry_delay_ms=1
    )
    service = new_service(client=ConexxusClient(config, transport=SandboxTransport(office)))
    seen = []
    service.client.add_hook(lambda details: seen.append(service.health().api_connection))
    office.faults("health: 503")

    service.test_connection()

    assert seen == [None, None, True]


def test_age_of_what_is_known_of_the_connection(service, clock):
    """
    Asking how it is calls nobody: the last call is what is told, with its age.
    """
    service.test_connection()
    called_at = clock.now()
    clock.advance(minutes=7)

    health = health_document(service.health()).as_json()

    assert health["apiCheckedAt"] == called_at.isoformat().replace("+00:00", "Z")
    assert health["apiLatency"] >= 0
