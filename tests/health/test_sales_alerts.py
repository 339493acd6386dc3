"""
What alerts say of sales and pushes.
"""

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

import attrs
import pytest

from conexxus_client import TransactionLine
from conexxus_sync import AlertName, RunStatus, ServiceState
from conexxus_sync.config import SyncConfig
from conexxus_sync.testing import ListOrders, sale
from conexxus_sync.views.text import headline, what_to_do

from .states import states


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
    service.sales.context = attrs.evolve(service.context, failpoint=die)

    with suppress(Died):
        service.push_sales(clock.now().date())

    assert seen == [set()]
    assert service.health().counts.unknown_batches == 1
    assert AlertName.DELIVERY_UNKNOWN in states(service)[1]
