"""
Runs that somebody asked for and nobody waits for.
"""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest

from conexxus_sync import InMemoryCollector, RunKind, RunStatus, StoreError, SyncError
from conexxus_sync.testing import ListOrders


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


def refuse(self):
    raise RuntimeError("can't start new thread")


@pytest.fixture(params=["sync", "push"])
def trigger(request, new_service, till):
    """
    A service, and what triggers one of its runs.
    """
    service = new_service(orders=till)

    return service, getattr(service, f"trigger_{request.param}")


@pytest.fixture
def gate():
    """
    What hangs until the end of the test, whatever happens.
    """
    gate = threading.Event()
    yield gate
    gate.set()


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
    runs = service.store.runs.history("loc-001")

    with service.store.writing():
        began = time.monotonic()
        with pytest.raises(StoreError, match="Another process holds it; try again"):
            begin()
        seconds = time.monotonic() - began

    assert seconds < 5
    assert [held(service, kind) for kind in ("inventory", "sales")] == [None, None]
    assert service.store.runs.history("loc-001") == runs
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


class Host:
    """
    Storage and order source in one, each of which is at work until its run is
    told to stop.
    """

    def __init__(self, patience_s=30):
        self.patience_s = patience_s
        self.begun = {"pull": threading.Event(), "push": threading.Event()}
        self.service = None

    def apply(self, changes):
        self._work("pull")

    def transactions(self, location_id, business_date):
        self._work("push")
        return ()

    def _work(self, name):
        self.begun[name].set()
        ends_at = time.monotonic() + self.patience_s
        while not self.service.is_stopping and time.monotonic() < ends_at:
            time.sleep(0.01)


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
    assert service.store.catalog.is_empty("loc-001")


def test_runs_that_hang_are_left_behind(new_service, clock, gate, caplog, monkeypatch):
    """
    All runs together have the time of one, and are not waited for twice.
    """
    host = Host()
    host._work = lambda name: (host.begun[name].set(), gate.wait(60))
    service = new_service(orders=host, catalog=host)
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.LEAVE_AFTER_S", 2.0)
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
    lease = service._inventory().acquire()

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
    assert service.store.runs.history("loc-001", planned=True) == [service.metrics().latest]


def test_scheduled_push_of_nothing(new_service, clock):
    """
    A push that nobody has triggered records no run, if it finds nothing.
    """
    service = new_service(orders=ListOrders())
    clock.advance_to(PUSH_TIME)

    service.run_due(clock.now())

    with service.store.reading() as connection:
        kinds = connection.execute("SELECT kind FROM runs").fetchall()
    assert kinds == [("inventory",)]


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

    service.sales.steps = fail

    run = service.run(joined(service.trigger_push(DAY)).run_id)

    assert (run.status, run.last_error, run.kind) == (RunStatus.FAILED, said, RunKind.SALES)
    assert service.run("another") is None


def took(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def thread_of(trigger):
    """
    Of the run that was triggered, if it is at work.
    """
    name = f"conexxus-{trigger.run_id}"
    return next((one for one in threading.enumerate() if one.name == name), None)


def joined(trigger):
    """
    Wait for the run that was triggered.
    """
    if (thread := thread_of(trigger)) is not None:
        thread.join(30)

    return trigger


def held(service, kind):
    return service.store.leases.holder("loc-001", kind, service._clock.now())


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
