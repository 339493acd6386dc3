"""
A process that is forked while other threads use the service.
"""

import os
import signal
import threading
from contextlib import contextmanager

import pytest

from conexxus_client._calls._retries import RetryBudget
from conexxus_sync.stores.sqlite import SqliteStore, _fork_gate


DATABASES = ("sqlite",)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

# A child that hangs is ended by a signal.
HANGS_S = 10


def in_child(work):
    """
    What *work* returns in a child process.
    """
    reader, writer = os.pipe()
    child = os.fork()

    if child == 0:
        signal.alarm(HANGS_S)
        try:
            said = str(work())
        except BaseException as exc:
            said = f"{type(exc).__name__}: {exc}"
        os.write(writer, said.encode())
        os._exit(0)

    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)

    assert status == 0, "the child hangs"
    return said


@contextmanager
def elsewhere(context):
    """
    Another thread is in *context* until the end of the block.
    """
    entered, end = threading.Event(), threading.Event()

    def work():
        with context:
            entered.set()
            end.wait()

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait()
    try:
        yield end
    finally:
        end.set()
        thread.join()


def touch(store):
    with store.read() as state:
        return state.session.execute("SELECT count(*) FROM runs").fetchone()[0]


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "conexxus.db").at("loc-001")
    touch(store)
    return store


@pytest.mark.case(
    "E16",
    "a process is forked while another thread holds a lock of the service or the client",
    "the child has locks of its own, and uses the service",
)
def test_locks_are_renewed(new_service):
    service = new_service()
    engines = service._engines
    budget = RetryBudget()

    def work():
        budget.refund()
        service.close()
        return service.running()

    for holder in (engines.active_runs, engines.background_runs, budget):
        with elsewhere(holder._lock):
            assert in_child(work) == "()"


@pytest.mark.case(
    "E16",
    "a process is forked while another thread goes on using the store",
    "the store refuses its use in the child with a sentence; the parent goes on",
)
def test_unit_of_work_that_goes_on(store, monkeypatch):
    monkeypatch.setattr(_fork_gate, "PATIENCE_S", 0.01)

    with elsewhere(store.read()):
        said = in_child(lambda: touch(store))
        assert touch(store) == 0

    assert said.startswith("StoreError: the store can't be used in this process")


@pytest.mark.case(
    "E16",
    "a process is forked while another thread is in a short unit of work",
    "the fork waits for its end, and the child uses the store",
)
def test_unit_of_work_that_ends(store, monkeypatch):
    waits = threading.Condition.wait_for

    with elsewhere(store.read()) as end:

        def wait_for(self, *arguments):
            end.set()
            return waits(self, *arguments)

        monkeypatch.setattr(threading.Condition, "wait_for", wait_for)
        assert in_child(lambda: (end.is_set(), touch(store))) == "(True, 0)"


def test_own_unit_of_work(store):
    """
    The thread that forks may be in a unit of work: it is not in SQLite.
    """
    with store.read():
        assert in_child(lambda: touch(store)) == "0"

    assert touch(store) == 0
