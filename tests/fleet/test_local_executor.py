"""
A bounded pool of threads, as every executor has to be.
"""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from conexxus_sync.fleet import LocalExecutor, WorkItem
from conexxus_sync.model.runs import RunKind
from conexxus_sync.runtime.cancellation import is_abandoned


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)


def item(location="a", kind=RunKind.INVENTORY, attempt=0):
    return WorkItem(location_id=location, kind=kind, slot=NOW, attempt=attempt)


class Work:
    """
    Runs that go on until they are let go, or stopped.
    """

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.freed = threading.Semaphore(0)
        self.gate = threading.Event()
        self.done, self.stopped, self.threads = [], [], set()

    def perform(self, item):
        self.threads.add(threading.current_thread())
        self.begun.release()
        while not (self.gate.wait(0.01) or is_abandoned()):
            pass
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


@pytest.fixture
def executor(work):
    executor = LocalExecutor(work.perform, workers=2, on_free=work.freed.release)
    yield executor
    work.gate.set()
    executor.close()


def test_capacity(executor, work):
    """
    It takes as many items as it has threads.
    """
    assert executor.capacity() == 2
    executor.submit(item("a"))
    executor.submit(item("b"))
    work.wait(2)

    assert executor.capacity() == 0

    work.gate.set()
    work.wait_until_free(2)

    assert executor.capacity() == 2
    assert sorted(work.done) == [item("a").key, item("b").key]


def test_threads_are_the_same(executor, work):
    """
    However many items there are, there are no more threads.
    """
    work.gate.set()
    for number in range(20):
        executor.submit(item(f"loc-{number}"))
    work.wait_until_free(20)

    assert len(work.done) == 20
    assert len(work.threads) <= 2


@pytest.mark.parametrize("attempt", [0, 1])
def test_location_at_work(executor, work, attempt):
    """
    No second run of a location and kind is begun, whatever its key; of the other
    kind, it is.
    """
    executor.submit(item("a"))
    executor.submit(item("a", attempt=attempt))
    executor.submit(item("a", RunKind.SALES))
    work.wait(2)
    work.gate.set()
    work.wait_until_free(2)

    assert sorted(work.done) == [item("a").key, item("a", RunKind.SALES).key]


def test_cancel(executor, work):
    """
    A run that is cancelled is stopped, and so is one that has not begun; the
    others go on.
    """
    for name in ("a", "b", "c"):
        executor.submit(item(name))
    work.wait(2)
    executor.cancel(item("a").key)
    executor.cancel(item("c").key)
    executor.cancel("unknown")
    work.wait_until_free(2)
    work.gate.set()
    work.wait_until_free()

    assert (work.stopped, work.done) == ([item("a").key], [item("b").key])


def test_time_is_up(work):
    """
    A run that takes longer than its budget is stopped, and costs its thread no longer.
    """
    executor = LocalExecutor(
        work.perform,
        workers=1,
        budget=timedelta(milliseconds=50),
        on_free=work.freed.release,
    )
    executor.submit(item("a"))
    work.wait_until_free()

    assert work.stopped == [item("a").key]
    assert executor.capacity() == 1

    executor.close()


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
