"""
A lease that was stored while its taker was interrupted stands in nobody's way.
"""

import gc
import sys
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import pytest

from conexxus_sync import RunInProgressError, StoreError
from conexxus_sync.stores.sqlite import SqliteStore


OURS = ("stores/_lease_table.py", "stores/sqlite/__init__.py")

CASE = pytest.mark.case(
    "E9",
    "Ctrl-C comes while the lease of a run is being stored",
    "the lease that this process has and no run holds is found, and the next run takes it",
)


class Interrupted(SqliteStore):
    """
    A store whose next write is interrupted when it is already on the disk.
    """

    interrupt = None

    @contextmanager
    def writing(self, lease=None, *, connection=None):
        with super().writing(lease, connection=connection) as given:
            yield given
        if connection is None and self.interrupt is not None:
            exc, self.interrupt = self.interrupt, None
            raise exc


@pytest.fixture
def path(tmp_path):
    return tmp_path / "conexxus.db"


def name():
    return f"run-{uuid4()}"


def acquire(store, clock, run_id, kind="sales"):
    return store.leases.acquire("loc", kind, run_id, clock.now())


@CASE
@pytest.mark.parametrize(
    "exc", [KeyboardInterrupt(), SystemExit(1), StoreError("the disk failed within the commit")]
)
@pytest.mark.parametrize("kind", ["sales", "inventory"])
def test_interrupted_within_the_commit(path, clock, exc, kind):
    """
    The same store, and another one of this process, take the lease at once.
    """
    store = Interrupted(path)
    store.interrupt = exc

    with pytest.raises(type(exc)):
        acquire(store, clock, name(), kind)

    assert store.leases.holder("loc", kind, clock.now()) is None
    assert SqliteStore(path).leases.holder("loc", kind, clock.now()) is None
    lease = acquire(SqliteStore(path), clock, name(), kind)
    assert lease.epoch == 2
    with pytest.raises(RunInProgressError):
        acquire(store, clock, name(), kind)


@CASE
def test_interrupted_while_it_is_given_back(path, clock):
    """
    A release that is interrupted before it is stored frees the lease for this process.
    """
    store = SqliteStore(path)
    lease = acquire(store, clock, name())

    @contextmanager
    def broken(*_, **__):
        raise KeyboardInterrupt
        yield

    store.leases.store = type("Broken", (), {"writing": broken})()
    with pytest.raises(KeyboardInterrupt):
        store.leases.release(lease)

    assert acquire(SqliteStore(path), clock, name()).epoch == 2


@CASE
def test_lease_of_a_run_at_work_is_kept(path, clock):
    """
    What another run of this process holds is not taken, whatever was
    interrupted elsewhere.
    """
    store = Interrupted(path)
    held = acquire(store, clock, name(), "inventory")
    store.interrupt = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        acquire(store, clock, name(), "sales")

    with pytest.raises(RunInProgressError) as caught:
        acquire(store, clock, name(), "inventory")

    assert caught.value.run_id == held.run_id


@CASE
def test_refused_run_frees_nothing(path, clock):
    """
    A run that was refused has no lease to lose.
    """
    store = SqliteStore(path)
    first = acquire(store, clock, name())

    for _ in range(2):
        with pytest.raises(RunInProgressError) as caught:
            acquire(store, clock, name())

    assert caught.value.run_id == first.run_id


def interrupted_at(step, call):
    """
    Make *call*, with Ctrl-C at the line of ours that is the *step*th.

    Returns:
        Whether it came so far.
    """
    left = step

    def trace(frame, event, arg):
        nonlocal left
        if not frame.f_code.co_filename.endswith(OURS):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)

    return False


@CASE
# Ctrl-C between opening a connection and closing it leaves that to Python,
# which from 3.13 on says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("given_back", [False, True])
def test_interrupted_at_any_line(path, clock, given_back):
    """
    Whichever line of acquire or release Ctrl-C hits, the next run has its lease.
    """
    # At the first line of release, it has not begun.
    store, step, interrupted = SqliteStore(path), 1 + given_back, True
    # What is collected below is ours: all else would take most of the time.
    gc.freeze()

    while interrupted:
        lease = acquire(store, clock, name()) if given_back else None
        take, give = partial(acquire, store, clock, name()), partial(store.leases.release, lease)
        call = give if given_back else take
        interrupted = interrupted_at(step, call)
        step += 1
        if interrupted:
            other = SqliteStore(path)
            other.leases.release(acquire(other, clock, name()))

        # Here, and not in the next test.
        gc.collect()

    gc.unfreeze()
    assert step > 20
