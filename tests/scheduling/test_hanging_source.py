"""
Facts about an order source that does not return.
"""

import threading
from datetime import UTC, date, datetime

import pytest

from conexxus_sync.model.alerts import AlertName

from .triggered import joined


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)

CASE = pytest.mark.case(
    "C14",
    "an order source hangs for two hours",
    "after five minutes an alert and a line of the log name it and the date; nothing says that "
    "sales are tried again",
)


class Till:
    """
    Returns when it is told so: at once, or after some sales.
    """

    def __init__(self, sales=()):
        self.sales = sales
        self.asked, self.gate = threading.Event(), threading.Event()

    def transactions(self, location_id, business_date):
        yield from self.sales
        self.asked.set()
        self.gate.wait(60)


def hanging(service):
    found = {alert.name: str(alert) for alert in service.health().alerts}
    return found.get(AlertName.ORDERS_HANG), found.get(AlertName.DATE_OVERDUE)


@pytest.fixture
def till_that_hangs():
    till = Till()
    yield till
    till.gate.set()


@CASE
def test_source_that_hangs(new_service, clock, till_that_hangs, caplog):
    """
    Alert and log name source and date; the log once.
    """
    till = till_that_hangs
    service = new_service(orders=till)
    clock.advance_to(datetime(2026, 1, 2, 12, tzinfo=UTC))
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)
    trigger = service.trigger_push()
    assert till.asked.wait(30)

    clock.advance(minutes=4, seconds=59)
    assert hanging(service) == (None, None)
    clock.advance(hours=2)
    alert, overdue = hanging(service)
    hanging(service)

    assert f"{Till.__module__}.Till has not returned since 23:30 UTC" in alert
    assert "asked for the sales of 2026-01-02" in alert
    assert "they wait for the order source" in overdue
    assert "tried again" not in alert + overdue
    assert [record.message for record in caplog.records].count(
        f"Conexxus sales: {alert.split(' Find out')[0]}"
    ) == 1

    till.gate.set()
    joined(trigger)
    assert hanging(service)[0] is None


@CASE
def test_source_that_is_slow(new_service, clock, till_that_hangs):
    """
    What counts is the time since it last returned a sale, not since the push began.
    """
    till = till_that_hangs
    service = new_service(orders=till)

    def slowly():
        for _ in range(5):
            clock.advance(minutes=4)
            assert hanging(service)[0] is None
            yield {"id": "t"}

    till.sales = slowly()
    trigger = service.trigger_push(DAY)
    assert till.asked.wait(30)

    assert hanging(service)[0] is None
    clock.advance(minutes=5)
    assert hanging(service)[0] is not None
    till.gate.set()
    joined(trigger)


@CASE
def test_scheduler_looks(new_service, clock, till_that_hangs, caplog):
    """
    The scheduler writes the line, also where nothing asks for the health.
    """
    till = till_that_hangs
    service = new_service(orders=till)
    trigger = service.trigger_push(DAY)
    assert till.asked.wait(30)
    clock.advance(minutes=6)

    service._scheduler._look_at_source()

    assert "has not returned since" in caplog.text
    till.gate.set()
    joined(trigger)


@CASE
def test_source_that_raises(new_service):
    """
    A source that raised is not waited for.
    """

    class Broken:
        def transactions(self, location_id, business_date):
            raise RuntimeError("locked")

    service = new_service(orders=Broken())
    service.push_sales(DAY)

    assert service.sales.hanging_source is None
    assert service.sales.watch._asked is None
