"""
Runs that somebody asked for and nobody waits for.
"""

import threading
import time
from datetime import UTC, date, datetime

import attrs
import pytest

from conexxus_sync import InMemoryCollector, RunKind, RunStatus, StoreError, SyncError
from conexxus_sync.testing import ListOrders
from locks import locked
from peeks import peek

from .triggered import Host, held, joined, refuse


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


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


def test_store_that_another_process_writes_to(trigger):
    """
    A trigger does not wait for another process to give the store free: it
    says so soon, and has started nothing.
    """
    service, begin = trigger
    joined(begin())
    runs = peek(service.store).runs.history()

    with locked(service.store):
        began = time.monotonic()
        with pytest.raises(StoreError, match="Another process holds it; try again"):
            begin()
        seconds = time.monotonic() - began

    assert seconds < 5
    assert [held(service, kind) for kind in ("inventory", "sales")] == [None, None]
    assert peek(service.store).runs.history() == runs
    assert not joined(begin()).already_running


@pytest.mark.parametrize("name", ["pull", "push"])
def test_run_of_another_process(new_service, clock, gate, name):
    """
    A run that another process is at can be followed from its start to its
    end: that it is at work, its kind and its start are known.
    """
    host, here = Host(), new_service()
    host._work = lambda name: (host.begun[name].set(), gate.wait(60))
    there = new_service(orders=host, catalog=host)
    clock.advance_to(PUSH_TIME)
    trigger = there.trigger_sync() if name == "pull" else there.trigger_push(DAY)
    assert host.begun[name].wait(30)

    during = here.run(trigger.run_id)
    gate.set()
    joined(trigger)

    assert (during.id, during.status, during.end_time) == (trigger.run_id, None, None)
    assert (during.kind.value, during.start_time) == (
        {"pull": "inventory", "push": "sales"}[name],
        clock.now(),
    )
    if name == "pull":
        assert here.run(trigger.run_id).status is RunStatus.SUCCESS
    assert here.running() == ()


def test_run_that_has_not_begun(service):
    """
    From the moment at which its lease is taken, a run can be found.
    """
    lease = service._engines.inventory(lambda: False).acquire()

    assert service.run(lease.run_id).status is None
    assert service.run("another") is None


def test_first_run_of_a_push_that_goes_on(new_service, till, clock):
    """
    A push of several dates holds one lease; its first run has ended as soon as
    it is recorded.
    """
    seen, watching = [], new_service()

    class Watch(InMemoryCollector):
        def run_finished(self, run):
            seen.append((watching.run(run.id), held(watching, "sales")))

    service = new_service(orders=till, collectors=[Watch()])
    service.run_due(clock.now())
    clock.advance(days=3)
    seen.clear()
    joined(service.trigger_push())

    first, holder = seen[0]
    assert (first.id, first.status) == (holder, RunStatus.SUCCESS)


@pytest.mark.parametrize("business_date", [None, DAY])
def test_push_of_nothing(new_service, clock, business_date):
    """
    A push that finds nothing has ended well for whoever has its id, in every
    process; but it is no part of the history.
    """
    service, elsewhere = new_service(orders=ListOrders()), new_service()
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)

    trigger = joined(service.trigger_push(business_date))
    run = elsewhere.run(trigger.run_id)

    assert (run.status, run.items_processed, run.last_error) == (RunStatus.SUCCESS, 0, None)
    assert (run.business_date, run.kind, run.end_time) == (
        business_date,
        RunKind.SALES,
        clock.now(),
    )
    assert service.metrics(kind=RunKind.SALES).history == ()
    assert service.health().sales.last_push_time is None
    assert peek(service.store).runs.history(planned=True) == [service.metrics().latest]


def test_scheduled_push_of_nothing(new_service, clock):
    """
    A push that nobody has triggered records no run, if it finds nothing.
    """
    service = new_service(orders=ListOrders())
    clock.advance_to(PUSH_TIME)

    service.run_due(clock.now())

    with service.store.read() as state:
        kinds = state.session.execute("SELECT kind FROM runs").fetchall()
    assert kinds == [("inventory",)]


@pytest.mark.parametrize(
    ("raised", "said"),
    [(StoreError("no disk"), "no disk"), (ValueError("x"), "ended by an unexpected ValueError")],
)
def test_push_that_raises(new_service, till, raised, said):
    """
    A push that nobody could record has failed for whoever has its id.
    """
    service = new_service(orders=till)

    def fail(step):
        raise raised

    service.sales.context = attrs.evolve(service.context, failpoint=fail)

    run = service.run(joined(service.trigger_push(DAY)).run_id)

    assert (run.status, run.last_error, run.kind) == (RunStatus.FAILED, said, RunKind.SALES)
    assert service.run("another") is None


@pytest.mark.parametrize("what", ["sync", "push", "probe"])
def test_what_a_run_finds_out_the_others_know(new_service, clock, office, till, what):
    """
    How the back office answered a triggered run, or somebody who asked, is the
    same in every process as soon as that is over.
    """
    here, there = new_service(orders=till), new_service(orders=till)
    clock.advance_to(PUSH_TIME)
    acts = {
        "sync": lambda: joined(there.trigger_sync()),
        "push": lambda: joined(there.trigger_push(DAY)),
        "probe": there.test_connection,
    }

    for faults, reached in (("503*forever", False), ("", True)):
        clock.advance(seconds=1)
        office.faults(faults)
        acts[what]()

        told, known = there.health(), here.health()
        assert (known.api.reached, known.api.checked_at) == (reached, clock.now())
        assert (known.state, known.alerts) == (told.state, told.alerts)
