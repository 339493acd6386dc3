"""
Runs that somebody asked for and nobody waits for.
"""

import threading

import pytest

from conexxus_sync import SyncError


def refuse(self):
    raise RuntimeError("can't start new thread")


@pytest.fixture(params=["sync", "push"])
def trigger(request, new_service, till):
    """
    A service, and what triggers one of its runs.
    """
    service = new_service(orders=till)

    return service, getattr(service, f"trigger_{request.param}")


def test_no_thread_is_to_be_had(trigger, monkeypatch):
    """
    A run that can't be started says so, and keeps no other from its turn.
    """
    service, begin = trigger

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(SyncError, match="not started: can't start new thread"):
            begin()

    assert [held(service, kind) for kind in ("inventory", "sales")] == [None, None]
    assert not joined(begin()).already_running


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


def joined(trigger):
    """
    Wait for the run that was triggered.
    """
    for thread in threading.enumerate():
        if thread.name == f"conexxus-{trigger.run_id}":
            thread.join(30)

    return trigger


def held(service, kind):
    return service.store.leases.holder("loc-001", kind, service._clock.now())
