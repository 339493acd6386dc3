"""
Whoever is called by a run may raise or hang: the run goes on, and its result
is there.
"""

import logging
import os
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime

import pytest

from conexxus_sync import InMemoryCollector, LoggingCollector, RunKind, RunStatus
from conexxus_sync.collectors import FanOut
from conexxus_sync.runtime.threads import begin
from conexxus_sync.testing import ListOrders, sale


DAY = date(2026, 1, 2)
PUSH_TIME = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)

_request = ContextVar("request", default="none")


class Gate:
    """
    Where somebody hangs until the test lets go.
    """

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def hang(self):
        self.reached.set()
        self.opened.wait()


@pytest.fixture
def gate():
    """
    A gate that is open in the end, whatever happens.
    """
    before = set(threading.enumerate())
    gate = Gate()

    yield gate

    gate.opened.set()
    for thread in set(threading.enumerate()) - before:
        thread.join()


@pytest.fixture
def hasty(monkeypatch):
    """
    Nobody waits long for others.
    """
    monkeypatch.setattr("conexxus_sync.collectors._fan_out.PATIENCE_S", 0.05)
    monkeypatch.setattr("conexxus_sync.collectors._fan_out.LEAST_PATIENCE_S", 1.0)
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.PATIENCE_S", 0.05)


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
    "K10", "A collector that hung is back", "it is told again; the log counts what it missed"
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


@pytest.mark.fault("K04", "A fork while a collector hangs", "the child's collectors are told")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_fork_while_a_collector_hangs(site, gate, hasty):
    """
    A thread that hangs stays in the parent; the child's collectors are told.
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
            with closing(sqlite3.connect(service.store.path, timeout=0)) as connection:
                connection.execute("BEGIN IMMEDIATE")
            tried.append(run.kind)

        run_finished = run_started

    doubtful = ListOrders()
    doubtful.add(sale("t", business_date=date(2026, 1, 1)), business_date=DAY)
    service = new_service(collectors=[Writing()], orders=doubtful)
    service.sync_inventory()
    (push,) = service.push_sales(DAY)

    assert (push.status, push.batches) == (RunStatus.FAILED, 0)
    assert tried == [RunKind.INVENTORY] * 2 + [RunKind.SALES] * 2


class RaisingHandler(logging.Handler):
    """
    A handler of logs that breaks the rule, and raises.
    """

    records = 0

    def emit(self, record):
        self.records += 1
        raise OSError("the disk of the logs is full")


class Listening(logging.Handler):
    """
    A handler that waits for some words.
    """

    def __init__(self, words):
        super().__init__()
        self.words, self.heard = words, threading.Event()

    def emit(self, record):
        if self.words in record.getMessage():
            self.heard.set()


@contextmanager
def handling(handler, *names):
    for name in names:
        logging.getLogger(name).addHandler(handler)
    try:
        yield handler
    finally:
        for name in names:
            logging.getLogger(name).removeHandler(handler)


class BrokenCollector:
    """
    Raises whatever it is told.
    """

    def run_started(self, run):
        raise RuntimeError("the disk of the metrics is full")

    run_finished = run_started


@pytest.mark.fault(
    "K10", "Collectors, a hook and a handler of logs raise", "each run has its result"
)
@pytest.mark.parametrize("logger", ["conexxus_sync", "conexxus_client"])
def test_log_handler_that_raises(new_service, office, till, clock, logger, capfd):
    """
    A handler of logs that raises breaks neither pull nor push and hides no
    result: not of what goes well, nor of what fails.
    """
    service = new_service(orders=till, collectors=[BrokenCollector(), LoggingCollector()])
    service.client.add_hook(BrokenCollector().run_started)

    with handling(RaisingHandler(), logger) as handler:
        office.faults("catalog: 503; sales: 503")
        failed, (unknown,) = service.sync_inventory(), service.push_sales(DAY)
        clock.advance(minutes=10)
        pull, (push,) = service.sync_inventory(), service.push_sales(DAY)

    assert handler.records > 0
    assert (failed.status, failed.last_error) == (
        RunStatus.FAILED,
        "Conexxus API server error (503). Try again later.",
    )
    assert (unknown.status, unknown.delivery_unknown) == (RunStatus.FAILED, True)
    assert (pull.status, push.status) == (RunStatus.SUCCESS, RunStatus.SUCCESS)
    assert office.effective_batches == [{f"t{DAY}"}]
    assert "the disk of the logs is full" in capfd.readouterr().err


@pytest.mark.fault("K10", "A handler of logs raises in the scheduler", "it goes on")
def test_log_handler_that_raises_in_the_scheduler(new_service, office, till, clock):
    """
    A scheduler whose every word fails goes on.
    """
    service, stop = new_service(orders=till), threading.Event()
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)
    service.client.add_hook(lambda details: details.call == "sales" and stop.set())
    office.faults("catalog: 503")

    with handling(RaisingHandler(), "conexxus_sync", "conexxus_client"):
        service.run_forever(stop)

    assert office.requests["sales"] == 1


@pytest.mark.fault("K10", "A handler of logs hangs in a collector", "runs go on")
def test_log_handler_that_hangs(new_service, gate, hasty, till):
    """
    A log that hangs holds up no collector's run for longer than a collector
    may: not even the warning that it hangs.
    """

    class HangingHandler(logging.Handler):
        def emit(self, record):
            gate.hang()

    service = new_service(collectors=[LoggingCollector()], orders=till)

    with handling(HangingHandler(), "conexxus_sync"):
        logging.getLogger("conexxus_sync").setLevel(logging.INFO)
        pull, (push,) = service.sync_inventory(), service.push_sales(DAY)
        gate.opened.set()
        logging.getLogger("conexxus_sync").setLevel(logging.NOTSET)

    assert gate.reached.is_set()
    assert (pull.status, push.status) == (RunStatus.SUCCESS, RunStatus.SUCCESS)


def test_safe_log_names_its_caller(caplog):
    """
    What a handler is told of where a record comes from is still true.
    """
    from conexxus_sync.runtime.safe_logging import safe_logger

    safe_logger("conexxus_sync.here").warning("%s", "look", extra={"run": "r1"})

    (record,) = caplog.records
    assert (record.funcName, record.getMessage()) == ("test_safe_log_names_its_caller", "look")
    assert record.run == "r1"


@contextmanager
def scheduled(service):
    """
    The scheduler, at work in a thread; must have ended soon after the block.
    """
    stop = threading.Event()
    thread = begin(lambda: service.run_forever(stop), name="scheduler")

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


def told_of(service, call):
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
def test_storage_that_hangs(new_service, office, gate, hasty, till, clock, caplog, triggered):
    """
    A host whose storage hangs gets its sales pushed all the same, whoever
    began the pull; the scheduler ends as soon as ever, and the pull that it
    leaves behind is recorded as it was committed.
    """
    service = new_service(catalog=HangingStorage(gate), orders=till)
    service.sales.push(automatic=True)
    clock.advance_to(PUSH_TIME)
    pushed = told_of(service, "sales")
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
    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.LEAVE_AFTER_S", 0.05)
    service = new_service(orders=HangingOrders())
    service.run_due(clock.now())
    clock.advance_to(PUSH_TIME)
    pulled = told_of(service, "catalogue")

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

    monkeypatch.setattr("conexxus_sync.scheduling._scheduler.LEAVE_AFTER_S", 0.05)
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
    logging.getLogger("conexxus_sync.scheduling._job_thread").setLevel(logging.INFO)
    service = new_service(catalog=HangingStorage(gate))

    with (
        handling(Listening("still at work"), "conexxus_sync.scheduling._job_thread") as log,
        scheduled(service),
    ):
        assert gate.reached.wait(30)
        clock.advance(hours=1)
        assert log.heard.wait(30)
        assert office.requests["catalog"] == 1
        pulled = told_of(service, "catalogue")
        gate.opened.set()
        assert pulled.wait(30)

    logging.getLogger("conexxus_sync.scheduling._job_thread").setLevel(logging.NOTSET)
    assert service.metrics().latest.status is RunStatus.SUCCESS
    assert service.store.catalog.hosts.pending("loc-001") == []
