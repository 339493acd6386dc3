"""
Business dates that are over are reconciled by the scheduler, and what differs is shown.
"""

from datetime import UTC, date, datetime

import pytest

from conexxus_client import ApiProfile
from conexxus_sync.errors import StoreError
from conexxus_sync.health._overview import DayState
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.stores._reconciliations import Reconciliations
from conexxus_sync.views.text import day_sentence
from shops import Shop


DAY = date(2026, 1, 2)
OVER = datetime(2026, 1, 3, 0, 15, tzinfo=UTC)


@pytest.fixture
def night(shop):
    """
    A shop that sold one on 2 January, and lets the night come.
    """

    def come(faults="", at=OVER):
        shop.office.faults(faults)
        shop.service.run_due(shop.clock.now())
        shop.orders.sell(DAY, "t1")
        shop.clock.advance_to(at)
        shop.service.run_due(shop.clock.now())
        return shop

    return come


def compared(shop: Shop):
    with shop.service.store.read() as state:
        return state.reconciliations.since(DAY)


def logged(caplog):
    return [one.message for one in caplog.records if one.name.endswith("_nightly_reconciliation")]


def alerts(shop: Shop):
    return [one for one in shop.service.health().alerts if one.name is AlertName.BOOKS_DIFFER]


def test_date_is_compared_once_it_is_over(night):
    """
    Not at its push time, but after its end; once, if it agrees.
    """
    shop = night(at=datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
    assert compared(shop) == {}

    for moment in (OVER, OVER.replace(day=4), OVER.replace(day=5)):
        shop.clock.advance_to(moment)
        shop.service.run_due(moment)

    assert compared(shop)[DAY].difference is None
    assert compared(shop)[DAY].at == OVER
    assert alerts(shop) == []


def test_sale_that_the_back_office_lost(night, caplog):
    """
    It is an alert, in the log, and shown with its date on the page.
    """
    shop = night("forget(t1)")
    assert logged(caplog) == [f"Conexxus sales differ: {compared(shop)[DAY].difference}"]

    (alert,) = alerts(shop)
    assert str(alert) == (
        "Till and back office differ on 2026-01-02: total: till 1.50, accepted 1.50, "
        "back office 0.00;"
        " t1 was accepted, but is not in the books of the back office. "
        "See `conexxus reconcile --orders ORDERS --date 2026-01-02`."
    )
    (day,) = [one for one in shop.service.overview().days if one.business_date == DAY]
    assert day.state is DayState.DIFFERS
    assert "till and back office differ: total: till 1.50" in day_sentence(day, None, DAY)


def test_difference_that_is_mended(night):
    """
    A date that differs is compared again after each look at it; the alert ends
    when it agrees.
    """
    shop = night("forget(t1)")
    (push,) = shop.office.ledger.pushes
    assert push.sales == ()

    shop.office.faults("")
    shop.orders.remove("t1")
    moment = OVER.replace(day=4)
    shop.clock.advance_to(moment)
    shop.service.run_due(moment)
    assert compared(shop)[DAY].at == moment
    assert len(alerts(shop)) == 1


def test_alert_of_long_ago(night):
    """
    After a week, a difference is no alert any more.
    """
    shop = night("forget(t1)")

    shop.clock.advance_to(OVER.replace(day=9))
    assert len(alerts(shop)) == 1
    shop.clock.advance_to(OVER.replace(day=11))
    assert alerts(shop) == []


def test_date_that_is_not_over(shop):
    """
    What is not pushed yet is no difference to remember.
    """
    shop.orders.sell(DAY, "t1")

    found = shop.service.reconcile(DAY)

    assert not found.agrees
    assert compared(shop) == {}


@pytest.mark.parametrize("fault", ["summary: 503*forever", "summary: status(200, body={})*forever"])
def test_books_that_cannot_be_read(night, fault):
    """
    They are asked again after the next push; nothing is taken for agreement.
    """
    shop = night(fault)
    assert compared(shop) == {}

    shop.office.faults("")
    shop.clock.advance_to(OVER.replace(day=4))
    shop.service.run_due(shop.clock.now())
    assert compared(shop)[DAY].difference is None


def test_back_office_without_totals(night, shop):
    """
    Till and outbox are compared all the same.
    """
    shop.office.summary = "none"

    assert compared(night())[DAY].difference is None


def test_date_with_a_batch_that_is_parked(night, shop):
    """
    It has its turn when the batch is settled.
    """
    shop.open(client=shop.client(profile=ApiProfile(dedupe="none")))
    night("sales: reset")
    assert compared(shop) == {}

    (batch,) = shop.service.outbox_operator().undecided()
    shop.service.outbox_operator().resolve(batch.key, delivered=True)
    shop.clock.advance_to(OVER.replace(day=4))
    shop.service.run_due(shop.clock.now())
    assert list(compared(shop)) == [DAY, DAY.replace(day=3)]


def test_store_that_fails(night, monkeypatch, caplog):
    """
    The push is done; what could not be kept of the comparison is compared later.
    """

    def fail(self, found, now):
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Reconciliations, "record", fail)
        shop = night()
    assert logged(caplog) == ["Conexxus sales were not reconciled: the disk is full"]
    assert shop.office.effective_batches == [{"t1"}]

    shop.clock.advance_to(OVER.replace(day=4))
    shop.service.run_due(shop.clock.now())
    assert DAY in compared(shop)


def test_date_whose_sales_can_not_be_read(shop, monkeypatch, caplog):
    """
    It holds up no other date.
    """
    shop.service.run_due(shop.clock.now())
    transactions, broken = shop.orders.transactions, []
    monkeypatch.setattr(
        shop.orders,
        "transactions",
        lambda location, day: transactions(location, day) if day not in broken else 1 / 0,
    )
    for day in (DAY, DAY.replace(day=3)):
        shop.orders.sell(day, f"t{day.day}")
        shop.clock.advance_to(OVER.replace(day=day.day + 1))
        shop.service.run_due(shop.clock.now())
    broken.append(DAY)
    with shop.service.store.write() as state:
        state.session.execute("DELETE FROM reconciliations")

    shop.clock.advance_to(OVER.replace(day=5))
    shop.service.run_due(shop.clock.now())

    assert list(compared(shop)) == [DAY.replace(day=3), DAY.replace(day=4)]
    assert any("ZeroDivisionError" in said for said in logged(caplog))


def test_order_source_that_fails(night, shop, monkeypatch, caplog):
    """
    The push of the date is not undone, and the date is compared later.
    """
    transactions = shop.orders.transactions

    def fail_after_the_push(location, day):
        if shop.office.effective_batches:
            raise RuntimeError("locked")
        return transactions(location, day)

    monkeypatch.setattr(shop.orders, "transactions", fail_after_the_push)
    night()

    assert compared(shop) == {}
    assert shop.office.effective_batches == [{"t1"}]
    (said,) = logged(caplog)
    assert said.startswith("Conexxus sales were not reconciled: the order source failed for")
