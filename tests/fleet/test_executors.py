"""
One suite for every executor: a pool of threads, and DBOS.
"""

import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from databases import store_at

from conexxus_sync.fleet import LocalExecutor, WorkItem
from conexxus_sync.model.runs import RunKind
from conexxus_sync.runtime.cancellation import is_abandoned


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)
# To import the engine takes longer than all other tests of fleets.
EXECUTORS = ("local", pytest.param("dbos", marks=pytest.mark.long))


def item(location="a", kind=RunKind.INVENTORY, attempt=0):
    return WorkItem(location_id=location, kind=kind, slot=NOW, attempt=attempt)


class Work:
    """
    Runs that go on until they are let go, or stopped.

    Attributes:
        most: How many of one location and kind went on at a time.
    """

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.freed = threading.Semaphore(0)
        self.gate = threading.Event()
        self.done, self.stopped, self.threads = [], [], set()
        self.going, self.most = Counter(), 0

    def perform(self, item):
        key = item.location_id, item.kind
        self.going[key] += 1
        self.most = max(self.most, self.going[key])
        self.threads.add(threading.current_thread())
        self.begun.release()
        while not (self.gate.wait(0.01) or is_abandoned()):
            pass
        self.going[key] -= 1
        (self.stopped if is_abandoned() else self.done).append(item.key)

    def wait(self, count=1):
        for _ in range(count):
            assert self.begun.acquire(timeout=30)

    def wait_until_free(self, count=1):
        for _ in range(count):
            assert self.freed.acquire(timeout=30)


@pytest.fixture
def work():
    return Work()


@pytest.fixture(params=EXECUTORS)
def new_executor(request, work, cleanup, tmp_path, monkeypatch):
    """
    Makes executors of two threads.
    """

    def make(**options):
        options = {"workers": 2, "on_free": work.freed.release, **options}
        if request.param == "local":
            return cleanup.enter_context(closing(LocalExecutor(work.perform, **options)))

        from conexxus_sync.fleet import _dbos_executor

        monkeypatch.setattr(_dbos_executor, "POLLED_S", 0.02)
        store = cleanup.enter_context(closing(store_at(tmp_path / "conexxus.db")))
        executor = _dbos_executor.DbosExecutor(work.perform, store=store, **options)
        return cleanup.enter_context(closing(executor))

    yield make
    work.gate.set()


@pytest.fixture
def executor(new_executor):
    return new_executor()


def wait_for(condition):
    """
    Wait until something is so that nothing announces.
    """
    pause = threading.Event()
    assert any(condition() or pause.wait(0.02) for _ in range(1_000))


def test_capacity(executor, work):
    """
    It takes so many items, and once they have ended, as many again.
    """
    most = executor.capacity()
    names = [f"loc-{number}" for number in range(most)]
    for name in names:
        executor.submit(item(name))
    work.wait(2)

    assert most >= 2
    assert executor.capacity() == 0

    work.gate.set()
    work.wait_until_free(most)

    wait_for(lambda: executor.capacity() == most)
    assert sorted(work.done) == [item(name).key for name in names]


def test_threads_are_the_same(executor, work):
    """
    However many items there are, there are no more threads.
    """
    work.gate.set()
    for number in range(20):
        executor.submit(item(f"loc-{number}"))
    work.wait_until_free(20)

    assert len(work.done) == 20
    # Those of the engine do its own work, too.
    assert len(work.threads) <= 4


@pytest.mark.parametrize("attempt", [0, 1])
def test_location_at_work(executor, work, attempt):
    """
    No second run of a location and kind is begun beside the first, whatever its
    key; and none with the same key.
    """
    executor.submit(item("a"))
    executor.submit(item("a"))
    executor.submit(item("a", attempt=attempt))
    executor.submit(item("a", RunKind.SALES))
    work.wait()
    work.gate.set()
    wait_for(lambda: item("a", RunKind.SALES).key in work.done)

    assert work.done.count(item("a").key) == 1
    assert work.most == 1


def test_cancel(executor, work):
    """
    A run that is cancelled is stopped, and so is one that has not begun; the
    others go on.
    """
    most = executor.capacity()
    for name in ("a", "b"):
        executor.submit(item(name))
    work.wait(2)
    executor.submit(item("c"))
    for key in (item("c").key, item("a").key, "unknown"):
        executor.cancel(key)
    wait_for(lambda: work.stopped)
    work.gate.set()
    wait_for(lambda: executor.capacity() == most)

    assert (work.stopped, work.done) == ([item("a").key], [item("b").key])


def test_time_is_up(new_executor, work):
    """
    A run that takes longer than its budget is stopped, and costs its thread no longer.
    """
    executor = new_executor(workers=1, budget=timedelta(milliseconds=50))
    most = executor.capacity()
    executor.submit(item("a"))
    work.wait_until_free()

    assert work.stopped == [item("a").key]
    wait_for(lambda: executor.capacity() == most)


def test_nothing_to_reconcile(executor, work):
    """
    What goes on here is not given up.
    """
    executor.submit(item("a"))
    work.wait()
    executor.reconcile()
    work.gate.set()
    work.wait_until_free()

    assert work.done == [item("a").key]


def test_close(executor, work):
    """
    What runs is stopped, and nothing more is taken.
    """
    executor.submit(item("a"))
    work.wait()
    executor.close()
    executor.submit(item("b"))

    assert work.stopped == [item("a").key]
    assert executor.capacity() == 0
    assert not any(thread.is_alive() for thread in work.threads)
