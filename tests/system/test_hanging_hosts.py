"""
A host's storage or order source may hang: whatever does not need it goes on.
"""

import logging
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest

from conexxus_sync import RunStatus
from peeks import peek

from .logs import Listening, handling


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


@contextmanager
def scheduled(service):
    """
    The scheduler, at work in a thread; must have ended soon after the block.
    """
    stop = threading.Event()
    thread = threading.Thread(target=service.run_forever, args=(stop,), daemon=True)
    thread.start()

    try:
        yield
    finally:
        stop.set()
        began = time.monotonic()
        thread.join(30)
        assert not thread.is_alive()
        assert time.monotonic() - began < 10


class HangingStorage:
    """
    A host whose catalogue can't be written.
    """

    def __init__(self, gate):
        self.gate = gate

    def apply(self, changes):
        self.gate.hang()


def ended_event(service, call):
    """
    An event that is set as soon as the client finished such a call.
    """
    told = threading.Event()
    service.client.add_hook(lambda details: details.call == call and told.set())

    return told


@pytest.mark.fault(
    "K10", "The host's storage hangs", "sales are pushed; the scheduler stops in time"
)
@pytest.mark.parametrize("triggered", [False, True], ids=["scheduled", "triggered"])
def test_storage_that_hangs(
    new_service, office, gate, hasty, till, clock, caplog, triggered, monkeypatch
):
    """
    A host whose storage hangs gets its sales pushed all the same, whoever
    began the pull; the scheduler ends as soon as ever, and the pull that it
    leaves behind is recorded as it was committed.
    """
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.SHUTDOWN_S", 0.5)
    service = new_service(catalog=HangingStorage(gate), orders=till)
    service.sales.push(automatic=True)
    clock.advance_to(PUSH_TIME)
    pushed = ended_event(service, "sales")
    if triggered:
        service.trigger_sync()
        assert gate.reached.wait(30)

    with scheduled(service):
        assert gate.reached.wait(30)
        assert pushed.wait(30)

    assert office.effective_batches == [{f"t{DAY}"}]
    assert service.metrics().latest.status is RunStatus.SUCCESS
    assert caplog.text.count("its pull hangs and is left behind") == 1


@pytest.mark.fault("K10", "The host's order source hangs", "catalogues are pulled")
def test_order_source_that_hangs(new_service, office, gate, hasty, clock, monkeypatch):
    """
    A host whose order source hangs gets its catalogue all the same, again and
    again.
    """

    class HangingOrders:
        def transactions(self, location_id, business_date):
            gate.hang()
            return ()

    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.LONGEST_WAIT_S", 0.05)
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.SHUTDOWN_S", 0.05)
    service = new_service(orders=HangingOrders())
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)
    pulled = ended_event(service, "catalogue")

    with scheduled(service):
        assert gate.reached.wait(30)
        assert pulled.wait(30)
        pulled.clear()
        clock.advance(hours=1)
        assert pulled.wait(30)

    assert office.requests["catalog"] == 3
    assert service.metrics().latest.start_time == clock.now()


@pytest.mark.fault("K10", "What a scheduler left behind comes back", "it sends nothing any more")
def test_push_that_was_left_behind(new_service, office, gate, hasty, clock, till, monkeypatch):
    """
    A push that hung until its scheduler had ended ends, too; the service is
    at hand, and the next push takes the sales.
    """

    class HangingOnce:
        def transactions(self, location_id, business_date):
            gate.hang()
            return till.transactions(location_id, business_date)

    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.SHUTDOWN_S", 0.05)
    service = new_service(orders=HangingOnce())
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)
    with scheduled(service):
        assert gate.reached.wait(30)
    (left,) = [thread for thread in threading.enumerate() if thread.name == "conexxus-push"]

    gate.opened.set()
    left.join()
    sent, (run,) = office.requests["sales"], service.push_sales(DAY)

    assert (sent, run.status) == (0, RunStatus.SUCCESS)
    assert office.effective_batches == [{f"t{DAY}"}]


@pytest.mark.fault(
    "K10", "The host's storage hung and is back", "one pull at a time; nothing is lost"
)
def test_storage_that_comes_back(new_service, office, gate, hasty, clock, monkeypatch):
    """
    One pull waits for a host that hangs, no second one is begun; once the
    host is back, all is as before.
    """
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.LONGEST_WAIT_S", 0.05)
    logging.getLogger("conexxus_sync.scheduling._scheduler").setLevel(logging.INFO)
    service = new_service(catalog=HangingStorage(gate))

    with (
        handling(Listening("still at work"), "conexxus_sync.scheduling._scheduler") as log,
        scheduled(service),
    ):
        assert gate.reached.wait(30)
        clock.advance(hours=1)
        assert log.heard.wait(30)
        assert office.requests["catalog"] == 1
        pulled = ended_event(service, "catalogue")
        gate.opened.set()
        assert pulled.wait(30)

    logging.getLogger("conexxus_sync.scheduling._scheduler").setLevel(logging.NOTSET)
    assert service.metrics().latest.status is RunStatus.SUCCESS
    assert peek(service.store).host_queue.pending() == []
