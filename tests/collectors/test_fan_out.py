"""
Collectors may raise or hang: the run goes on, and the others are told.
"""

import os
import threading
import time
from contextvars import ContextVar
from datetime import date

import pytest
from databases import in_sqlite, other_of

from conexxus_sync import InMemoryCollector, RunKind, RunStatus
from conexxus_sync.collectors import FanOut
from conexxus_sync.testing import ListOrders, sale


DAY = date(2026, 1, 2)
_request = ContextVar("request", default="none")


class Hanging(InMemoryCollector):
    """
    A collector that hangs, from the start of a run on.
    """

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    def run_started(self, run):
        self.gate.hang()
        super().run_started(run)


@pytest.mark.fault(
    "K10", "A collector hangs", "runs and other collectors go on; it is warned of once"
)
def test_collector_that_hangs(new_service, gate, hasty, till, caplog):
    """
    A collector that hangs holds up neither a pull nor a push, nor the other
    collectors; it is warned of once.
    """
    hanging, healthy = Hanging(gate), InMemoryCollector()
    service = new_service(collectors=[hanging, healthy], orders=till)

    pull, (push,) = service.sync_inventory(), service.push_sales(DAY)

    assert (pull.status, push.status) == (RunStatus.SUCCESS, RunStatus.SUCCESS)
    assert list(healthy.finished) == [pull, push]
    assert [run.id for run in healthy.started] == [pull.id, push.id]
    assert caplog.text.count("The collector Hanging does not come back") == 1


@pytest.mark.fault(
    "K10", "A collector that hung is back", "it is called again; the log counts what it missed"
)
def test_collector_that_comes_back(site, gate, hasty, caplog):
    """
    A collector that hung is told again once it is back, and the log says how
    much it missed.
    """
    fan_out = FanOut([hanging := Hanging(gate)])
    hung = site.pull([])
    fan_out.run_started(hung)
    fan_out.run_finished(hung)
    gate.opened.set()
    for thread in threading.enumerate():
        if thread.name.startswith("conexxus-collector"):
            thread.join()

    fan_out.run_started(run := site.pull())
    fan_out.run_finished(run)

    assert (list(hanging.started), list(hanging.finished)) == ([hung, run], [run])
    assert "The collector Hanging is back; events missed so far: 1" in caplog.text


@pytest.mark.fault("K10", "Five collectors hang", "a run waits less than five seconds, once")
@in_sqlite
def test_many_collectors_that_hang(site, gate):
    """
    However many hang, a run waits less than the five seconds in which it must
    be able to stop, and then no more.
    """
    began = time.monotonic()

    run = site.pull([], collectors=[Hanging(gate) for _ in range(5)])

    assert run.status is RunStatus.SUCCESS
    assert time.monotonic() - began < 5


def test_collector_runs_in_the_context_of_the_run(site):
    """
    What a tracer keeps in a context variable is there for a collector.
    """
    seen = []

    class Tracing(InMemoryCollector):
        def run_started(self, run):
            seen.append(_request.get())

    token = _request.set("r-17")
    site.pull([], collectors=[Tracing()])
    _request.reset(token)

    assert seen == ["r-17"]


def test_collector_where_no_thread_is_to_be_had(site, monkeypatch):
    """
    A process that may start no more threads tells its collectors all the same.
    """

    def refuse(self):
        raise RuntimeError("can't start new thread")

    collector = InMemoryCollector()
    monkeypatch.setattr(threading.Thread, "start", refuse)

    run = site.pull([], collectors=[collector])

    assert list(collector.finished) == [run]


@pytest.mark.fault("K04", "A fork while a collector hangs", "the child's collectors are called")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_fork_while_a_collector_hangs(site, gate, hasty):
    """
    A thread that hangs stays in the parent; the child's collectors are called.
    """
    collector = Hanging(gate)
    fan_out = FanOut([collector])
    run = site.pull([])
    fan_out.run_started(run)

    pid = os.fork()
    if pid == 0:
        fan_out.run_finished(run)
        os._exit(0 if list(collector.finished) == [run] else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert list(collector.finished) == []


def test_collectors_leave_no_thread(site):
    """
    After a run there are as many threads as before it.
    """
    before = threading.enumerate()

    site.pull([], collectors=[InMemoryCollector()])

    assert threading.enumerate() == before


def test_no_transaction_is_open_when_collectors_are_told(new_service):
    """
    A collector may write to the database of the SDK, and a slow one keeps
    nobody else from it: also where a run has nothing to send.
    """
    tried = []

    class Writing(InMemoryCollector):
        def run_started(self, run):
            other = other_of(service.store)
            with other.short_timeout(), other.write():
                pass
            tried.append(run.kind)

        run_finished = run_started

    doubtful = ListOrders()
    doubtful.add(sale("t", business_date=date(2026, 1, 1)), business_date=DAY)
    service = new_service(collectors=[Writing()], orders=doubtful)
    service.sync_inventory()
    (push,) = service.push_sales(DAY)

    assert (push.status, push.batches) == (RunStatus.FAILED, 0)
    assert tried == [RunKind.INVENTORY] * 2 + [RunKind.SALES] * 2
