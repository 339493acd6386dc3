"""
What is said of sales that wait for an operator's word.
"""

from datetime import date

import pytest

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient
from conexxus_client.testing import SandboxTransport
from conexxus_sync import AlertName, RunStatus, ServiceState
from conexxus_sync.model.alerts import Severity
from conexxus_sync.sales import OutboxOperator
from conexxus_sync.views.text import headline

from .states import states


PARKING = ApiProfile(dedupe="none")


@pytest.fixture
def parked(new_service, office, till, clock):
    """
    A service that pushed at half past eleven, by whose answer nobody knows
    whether the sales arrived; it may not send them again.
    """
    service = new_service(client=client_of(office, PARKING), orders=till)
    service.run_due(clock.now())
    office.faults("sales: after_commit(reset)")
    clock.advance(hours=13, minutes=31)
    service.run_due(clock.now())
    return service


def client_of(office, profile=None):
    config = ClientConfig(api_url="http://127.0.0.1:9", api_key=office.api_key, retries=0)
    return ConexxusClient(config, transport=SandboxTransport(office), profile=profile)


def test_parked_sales_are_overdue(parked, new_service, clock):
    """
    What waits for an operator has not arrived: its date is overdue for as
    long as it waits, though it is not due, and whatever later dates do.
    """
    assert AlertName.DATE_OVERDUE not in states(parked)[1]

    for _ in range(3 * 8):
        clock.advance(hours=3)
        parked.run_due(clock.now())

        for health in (parked.health(), new_service().health()):
            assert (health.state, health.is_healthy) == (ServiceState.OVERDUE, False)
            assert health.sales.overdue == (date(2026, 1, 2),)


def test_parked_sales_wait_for_a_word(parked, clock):
    """
    The alerts tell how much waits, and what to do; none of them says that it
    is sent again.
    """
    clock.advance(days=1)

    overdue, waiting, _ = parked.health().sales.alerts

    assert str(overdue) == (
        "Sales of 2026-01-02 should be at the back office by now, and are not. Nothing is lost: "
        "they are parked until you decide. See `conexxus outbox list`."
    )
    assert (waiting.name, waiting.severity) == (AlertName.SALES_PARKED, Severity.CRITICAL)
    assert str(waiting) == (
        "1 batch of sales (1 sale, 5.00) waits for your decision: it is unknown whether the back "
        "office has them. Ask it; then see `conexxus outbox list`, and "
        "`conexxus outbox resolve KEY --delivered`, or --not-delivered."
    )


def test_settled_sales_are_not_overdue(parked, clock):
    """
    The operator's word ends it.
    """
    clock.advance(hours=2)
    operator = OutboxOperator(context=parked.context)
    operator.resolve("20260102-", delivered=True)

    assert parked.health().sales.overdue == ()
    assert AlertName.SALES_PARKED not in states(parked)[1]


def test_push_that_is_settled_by_a_word(parked, clock, till):
    """
    A push whose sales are parked counts, however often its date is looked at;
    an operator's word mends it.
    """
    till.transactions = lambda *_: []
    clock.advance(minutes=50)
    parked.run_due(clock.now())
    parked.test_connection()
    assert states(parked) == (
        ServiceState.FAILED,
        {AlertName.PUSH_FAILED, AlertName.SALES_PARKED},
    )

    operator = OutboxOperator(context=parked.context)
    operator.resolve("20260102-", delivered=True)

    assert states(parked) == (ServiceState.OK, set())


def test_parked_sales_of_a_night_before(parked, clock, till):
    """
    Sales that wait for a word are no matter of the last push.
    """
    parked.push_sales(date(2026, 1, 3))

    health = parked.health()

    assert health.sales.last_push_status is RunStatus.SUCCESS
    assert (health.state, headline(health)) == (ServiceState.FAILED, "Sales need your decision.")
