"""
Runs that were triggered, when the scheduler ends or the service is closed.
"""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest

from conexxus_sync import RunStatus, SyncError
from peeks import peek

from .triggered import Host, held, joined, thread_of, took


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


def test_closed_service_starts_nothing(trigger):
    """
    A trigger of a service that was closed says so, and takes no lease along.
    """
    service, begin = trigger
    service.close()

    with pytest.raises(SyncError, match="the service is stopping"):
        begin()

    assert [held(service, kind) for kind in ("inventory", "sales")] == [None, None]


def test_scheduler_that_stops(trigger):
    """
    While the scheduler ends, nothing new is begun.
    """
    service, begin = trigger
    refused = []

    class Ending(threading.Event):
        def wait(self, timeout=None):
            self.set()
            with pytest.raises(SyncError, match="the service is stopping") as caught:
                begin()
            refused.append(caught.value)

    service.run_forever(Ending())

    assert len(refused) == 1
    assert [held(service, kind) for kind in ("inventory", "sales")] == [None, None]


@contextmanager
def scheduler(service):
    """
    The scheduler, told to stop at once.
    """

    class Ending(threading.Event):
        def wait(self, timeout=None):
            self.set()

    service.run_forever(Ending())
    yield


@contextmanager
def closing(service):
    service.close()
    yield


@pytest.mark.parametrize("ending", [scheduler, closing])
def test_runs_end_before_the_service(new_service, clock, ending):
    """
    Runs that were triggered are told when the scheduler stops, or the
    service is closed, and are over when that returns.
    """
    host = Host()
    host.service = service = new_service(orders=host, catalog=host)
    clock.advance_to(PUSH_TIME)
    runs = [service.trigger_sync(), service.trigger_push(DAY)]
    for begun in host.begun.values():
        assert begun.wait(30)

    with ending(service):
        left = [thread for run in runs if (thread := thread_of(run)) is not None]

    assert left == []
    assert service.metrics().latest.id == runs[0].run_id
    assert [held(service, kind) for kind in ("inventory", "sales")] == [None, None]


def test_pull_that_was_triggered_breaks_off(new_service):
    """
    A pull that has changed nothing when the service is closed changes nothing.
    """
    service = new_service()
    reached = threading.Event()

    def hook(_):
        reached.set()
        while not service.is_stopping:
            time.sleep(0.01)

    service.client.add_hook(hook)
    service.trigger_sync()
    assert reached.wait(30)

    service.close()

    assert service.metrics().latest.last_error == "the pull was stopped; the catalogue is as it was"
    assert peek(service.store).mirror.is_empty()


def test_runs_that_hang_are_left_behind(new_service, clock, gate, caplog, monkeypatch):
    """
    All runs together have the time of one, and are not waited for twice.
    """
    host = Host()
    host._work = lambda name: (host.begun[name].set(), gate.wait(60))
    service = new_service(orders=host, catalog=host)
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.SHUTDOWN_S", 2.0)
    clock.advance_to(PUSH_TIME)
    runs = [service.trigger_sync(), service.trigger_push(DAY)]
    for begun in host.begun.values():
        assert begun.wait(30)

    seconds = [took(service.close), took(service.close)]
    gate.set()
    for run in runs:
        joined(run)

    assert 1.9 < seconds[0] < 3.5
    assert seconds[1] < 1
    assert caplog.text.count("hangs and is left behind") == 2


def test_host_that_closes_the_service(new_service):
    """
    A run within which the service is closed does not wait for itself.
    """

    class Closing:
        def apply(self, changes):
            self.seconds = took(service.close)

    storage = Closing()
    service = new_service(catalog=storage)

    joined(service.trigger_sync())

    assert storage.seconds < 2


def test_push_that_was_stopped_before_it_sent_anything(new_service, clock):
    """
    It is not said to have gone well.
    """
    host = Host()
    host.service = service = new_service(orders=host)
    clock.advance_to(PUSH_TIME)
    trigger = service.trigger_push(DAY)
    assert host.begun["push"].wait(30)

    service.close()

    run = service.run(trigger.run_id)
    assert (run.status, "was stopped" in run.last_error) == (RunStatus.FAILED, True)
