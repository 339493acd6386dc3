"""
How the service is.
"""

import json
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

import pytest

from conexxus_client import (
    ApiProfile,
    ClientConfig,
    ConexxusClient,
    TransactionLine,
)
from conexxus_client.testing import SandboxTransport
from conexxus_sync import AlertName, RunStatus, ServiceState
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.alerts import Severity
from conexxus_sync.sales import OutboxOperator
from conexxus_sync.testing import ListOrders, sale
from conexxus_sync.views.json import health_to_json
from conexxus_sync.views.text import headline, what_to_do


def test_health_before_anything(service):
    """
    Nothing is known yet, and nothing is wrong.
    """
    assert health_to_json(service.health()) == {
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
    assert json.loads(json.dumps(health_to_json(health)))["lastSyncTime"] == "2026-01-02T10:00:00Z"


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
        "No good answer from the back office: Conexxus API authentication failed. Check API key."
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


@pytest.fixture
def without_orders(new_service):
    """
    A service that has no order source, as `conexxus status` has none.
    """
    return new_service()


def test_failed_push_is_an_alert(new_service, office, till, clock, without_orders):
    """
    A push that failed makes it unhealthy, and an alert says why.
    """
    office.faults("sales: 401")

    new_service(orders=till).push_sales(clock.now().date())

    for health in (new_service(orders=till).health(), without_orders.health()):
        assert health.status == "unhealthy"
        assert any("The last push, of 2026-01-02, failed" in str(a) for a in health.sales.alerts)
        assert any("authentication failed" in str(alert) for alert in health.alerts)


def test_unknown_delivery_is_an_alert(new_service, office, till, clock, without_orders):
    """
    Whether there is an order source at present does not matter.
    """
    office.faults("sales: after_commit(reset)")

    new_service(orders=till).push_sales(clock.now().date())

    health = without_orders.health()
    assert (health.sales.enabled, health.counts.unknown_batches) == (False, 1)
    assert any("1 batch of sales of unknown fate" in str(alert) for alert in health.alerts)


def test_quarantined_sale_is_an_alert(new_service, office, till, clock, without_orders):
    """
    A sale that the back office refused waits for somebody.
    """
    office.faults("sales: 422")

    new_service(orders=till).push_sales(clock.now().date())

    health = without_orders.health()
    assert health.counts.quarantined_sales == 1
    assert any("1 sale set aside" in str(alert) for alert in health.alerts)


def test_discrepancy_is_an_alert(new_service, till, clock, without_orders):
    """
    A delivered sale that is gone at the till is worth a look.
    """
    service = new_service(orders=till)
    service.push_sales(clock.now().date())
    till.transactions = lambda *_: []

    service.push_sales(clock.now().date())

    health = without_orders.health()
    assert (health.status, health.counts.discrepancies) == ("healthy", 1)
    assert any("1 delivered sale changed or gone" in str(alert) for alert in health.alerts)


def test_lines_that_do_not_add_up_are_counted(new_service, clock, without_orders):
    """
    They are normal where prices come without their tax: no alert.
    """
    line = TransactionLine(sku="A", quantity=1, price=Decimal(4))
    orders = ListOrders([sale("t1", 5, items=[line])])

    new_service(orders=orders).push_sales(clock.now().date())

    health = without_orders.health()
    assert (health.status, health.counts.mismatched_sales, health.alerts) == ("healthy", 1, ())


def test_health_of_a_broken_store(service):
    """
    It never raises: it is unhealthy, and an alert says why.
    """
    service.store.path.write_text("This is no database, but long enough to be one. " * 9)

    health = service.health()

    assert (health.status, health.counts) == ("unhealthy", None)
    assert health.last_error in [alert.message for alert in health.alerts]
    assert "no SQLite database" in health.last_error


def test_disabled_health_of_a_broken_store(new_service):
    """
    Switched off, it has still something to say of its store.
    """
    service = new_service(client=None, missing=["no key"])
    service.store.path.write_text("This is no database, but long enough to be one. " * 9)

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
    with service.store.writing() as connection:
        connection.execute("UPDATE runs SET document = '{'")

    health = service.health()

    assert health.status == "unhealthy"
    assert health.last_error.endswith("see the log")
    assert "can't say how it is" in caplog.text


def states(service):
    """
    The state, and the names of the alerts.
    """
    health = service.health()
    return health.state, {alert.name for alert in health.alerts}


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


def test_overdue_date(new_service, office, till, clock):
    """
    A business date that did not arrive within the hour is overdue, whoever
    looks, and no longer once it has.
    """
    service, onlooker = new_service(orders=till), new_service()
    service.run_due(clock.now())
    office.faults("sales: 503")
    clock.advance(hours=15)
    service.run_due(clock.now())

    for watching in (service, onlooker):
        health = watching.health()
        assert (health.state, health.sales.overdue) == (ServiceState.OVERDUE, (date(2026, 1, 2),))
        assert AlertName.DATE_OVERDUE in {alert.name for alert in health.sales.alerts}

    clock.advance(hours=1)
    service.run_due(clock.now())
    assert (service.health().state, service.health().sales.overdue) == (ServiceState.OK, ())


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

    for _ in range(3 * 24):
        clock.advance(hours=1)
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
        "they wait for your word. See `conexxus outbox list`."
    )
    assert (waiting.name, waiting.severity) == (AlertName.SALES_PARKED, Severity.CRITICAL)
    assert str(waiting) == (
        "1 batch of sales (1 sale, 5) waits for your word: nobody knows whether the back office "
        "has them. Ask it; then see `conexxus outbox list`, and `conexxus outbox resolve KEY` or "
        "`conexxus outbox resend KEY`."
    )


def test_settled_sales_are_not_overdue(parked, clock):
    """
    The operator's word ends it.
    """
    clock.advance(hours=2)
    operator = OutboxOperator(store=parked.store, location_id="loc-001", clock=clock)
    operator.resolve("20260102-", delivered=True)

    assert parked.health().sales.overdue == ()
    assert AlertName.SALES_PARKED not in states(parked)[1]


def test_mended_push(new_service, office, till, clock):
    """
    A push that failed counts until its date was looked at again with nothing
    left of it, though there was nothing to send then, and so no run; that it
    was the last stays a fact.
    """
    service = new_service(orders=till)
    till.transactions = locked
    service.run_due(clock.now())
    clock.advance(hours=13, minutes=31)
    service.run_due(clock.now())
    assert states(service) == (ServiceState.FAILED, {AlertName.PUSH_FAILED})

    till.transactions = lambda *_: []
    clock.advance(hours=1)
    service.run_due(clock.now())

    assert states(service) == (ServiceState.OK, set())
    assert service.health().sales.last_push_status is RunStatus.FAILED


def locked(*_):
    raise RuntimeError("the order table is locked")


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

    operator = OutboxOperator(store=parked.store, location_id="loc-001", clock=clock)
    operator.resolve("20260102-", delivered=True)

    assert states(parked) == (ServiceState.OK, set())


def test_sale_that_is_gone_after_it_was_set_aside(new_service, office, till, clock):
    """
    A push that set a sale aside counts until that one is let out, even if
    the till has dropped it.
    """
    service, day = new_service(orders=till), clock.now().date()
    office.faults("sales: 422")
    service.push_sales(day)
    till.transactions = lambda *_: []
    clock.advance(minutes=1)
    service.push_sales(day)
    assert AlertName.PUSH_FAILED in states(service)[1]

    service.replay_sale(day, "t2026-01-02")
    service.push_sales(day)

    assert states(service) == (ServiceState.STARTING, set())


def test_error_rate_of_a_push(new_service, office, till, clock):
    """
    It counts what was set aside; sales that wait are in no quarantine.
    """
    service, day = new_service(orders=till), clock.now().date()
    office.faults("sales: 401")
    service.push_sales(day)
    assert AlertName.ERROR_RATE not in states(service)[1]

    office.faults("sales: 422")
    service.push_sales(day)

    (alert,) = [one for one in service.health().alerts if one.name is AlertName.ERROR_RATE]
    assert alert.message == "1 of 1 sales of the last push were set aside."


def test_clock_that_is_doubted(new_service, till, clock):
    """
    While no sales are pushed because of the clock, nothing is well.
    """
    service = new_service(orders=till)
    service.sync_inventory()

    clock.set(clock.now() - timedelta(days=1))

    health = service.health()
    assert (health.state, health.status) == (ServiceState.FAILED, "unhealthy")
    assert headline(health) == "Sales can't be pushed."


def test_zone_that_is_not_configured(new_service, till):
    """
    Nor while they are not, because nobody knows which day it is.
    """
    service = new_service(config=SyncConfig(location_id="loc-001", timezone=None), orders=till)
    service.sync_inventory()

    health = service.health()

    assert (health.state, health.status) == (ServiceState.FAILED, "unhealthy")
    assert headline(health) == "Sales can't be pushed."
    assert what_to_do(health).startswith("CONEXXUS_TIMEZONE is not configured")


def test_parked_sales_of_a_night_before(parked, clock, till):
    """
    Sales that wait for a word are no matter of the last push.
    """
    parked.push_sales(date(2026, 1, 3))

    health = parked.health()

    assert health.sales.last_push_status is RunStatus.SUCCESS
    assert (health.state, headline(health)) == (ServiceState.FAILED, "Sales wait for your word.")


def test_overdue_without_an_order_source(new_service, till, clock):
    """
    A service that can't push does not say that it tries again.
    """
    new_service(orders=till).push_sales(clock.now().date())
    clock.advance(days=3)

    (overdue,) = new_service().health().sales.alerts

    assert overdue.advice == (
        "Nothing is lost, but without an order source, nothing is pushed from here. "
        "See `conexxus outbox dates`."
    )


def test_sales_that_were_being_sent(new_service, office, till, clock):
    """
    A process that dies while it sends leaves sales of unknown fate; as long
    as it lives, it is only busy.
    """

    class Died(BaseException):
        pass

    seen = []

    def die(step):
        if step == "sending":
            seen.append(states(service)[1])
            raise Died

    service = new_service(orders=till)
    service.sales.steps = die

    with suppress(Died):
        service.push_sales(clock.now().date())

    assert seen == [set()]
    assert service.health().counts.unknown_batches == 1
    assert AlertName.DELIVERY_UNKNOWN in states(service)[1]


def test_age_of_what_is_known_of_the_connection(service, clock):
    """
    Asking how it is calls nobody: the last call is what is told, with its age.
    """
    service.test_connection()
    called_at = clock.now()
    clock.advance(minutes=7)

    health = health_to_json(service.health())

    assert health["apiCheckedAt"] == called_at.isoformat().replace("+00:00", "Z")
    assert health["apiLatency"] >= 0
