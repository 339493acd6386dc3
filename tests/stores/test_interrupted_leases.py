"""
A lease that was stored while its taker was interrupted stands in nobody's way.
"""

import gc
import sys
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import attrs
import pytest

from conexxus_sync import RunInProgressError, StoreError
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
from sites import HastyDatabase


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)
OURS = ("stores/_lease_table.py", "stores/sqlite/_sqlite_database.py")

CASE = pytest.mark.case(
    "E9",
    "Ctrl-C comes while the lease of a run is being stored",
    "the lease that this process has and no run holds is found, and the next run takes it",
)


class Interrupted(SqliteDatabase):
    """
    A database whose next write is interrupted when it is already on the disk.
    """

    interrupt = None

    @contextmanager
    def write(self, **options):
        with super().write(**options) as session:
            yield session
        if self.interrupt is not None:
            exc, self.interrupt = self.interrupt, None
            raise exc


class Unwritable(SqliteDatabase):
    """
    A database whose writes are interrupted before anything is on the disk.
    """

    @contextmanager
    def write(self, **_):
        raise KeyboardInterrupt
        yield


@pytest.fixture
def path(tmp_path):
    return tmp_path / "conexxus.db"


def store_at(path, database=None):
    return SqliteStore(path, database=database).at("loc")


def name():
    return f"run-{uuid4()}"


def acquire(store, clock, run_id, kind="sales"):
    return store.leases.acquire(kind, run_id, clock.now())


@CASE
@pytest.mark.parametrize(
    "exc", [KeyboardInterrupt(), SystemExit(1), StoreError("the disk failed within the commit")]
)
@pytest.mark.parametrize("kind", ["sales", "inventory"])
def test_interrupted_within_the_commit(path, clock, exc, kind):
    """
    The same store, and another one of this process, take the lease at once.
    """
    store = store_at(path, Interrupted(path))
    store.database.interrupt = exc

    with pytest.raises(type(exc)):
        acquire(store, clock, name(), kind)

    assert store.leases.holder(kind, clock.now()) is None
    assert store_at(path).leases.holder(kind, clock.now()) is None
    lease = acquire(store_at(path), clock, name(), kind)
    assert lease.epoch == 2
    with pytest.raises(RunInProgressError):
        acquire(store, clock, name(), kind)


@CASE
def test_interrupted_while_it_is_given_back(path, clock):
    """
    A release that is interrupted before it is stored frees the lease for this process.
    """
    store = store_at(path)
    lease = acquire(store, clock, name())

    broken = attrs.evolve(store.leases, database=Unwritable(path))
    with pytest.raises(KeyboardInterrupt):
        broken.release(lease)

    assert acquire(store_at(path), clock, name()).epoch == 2


@CASE
def test_lease_of_a_run_at_work_is_kept(path, clock):
    """
    What another run of this process holds is not taken, whatever was
    interrupted elsewhere.
    """
    store = store_at(path, Interrupted(path))
    held = acquire(store, clock, name(), "inventory")
    store.database.interrupt = KeyboardInterrupt()
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
    store = store_at(path)
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
    store, step, interrupted = store_at(path, HastyDatabase(path)), 1 + given_back, True
    # What is collected below is ours: all else would take most of the time.
    gc.freeze()

    while interrupted:
        lease = acquire(store, clock, name()) if given_back else None
        take, give = partial(acquire, store, clock, name()), partial(store.leases.release, lease)
        call = give if given_back else take
        interrupted = interrupted_at(step, call)
        step += 1
        if interrupted:
            other = store_at(path, HastyDatabase(path))
            other.leases.release(acquire(other, clock, name()))

        # Here, and not in the next test.
        gc.collect()

    gc.unfreeze()
    assert step > 20


def test_interrupted_while_it_is_kept_open(path, clock):
    """
    Whichever line of a unit of work Ctrl-C hits, the connection that a run
    keeps open is in no transaction afterwards, and writes again.
    """
    store, step, interrupted = store_at(path, HastyDatabase(path)), 1, True

    with store.keep_open():
        while interrupted:
            interrupted = interrupted_at(step, partial(acquire, store, clock, name()))
            step += 1
            with store.read() as state:
                assert not state.session.raw.in_transaction
            if interrupted:
                store.leases.release(acquire(store, clock, name()))

    assert step > 20
