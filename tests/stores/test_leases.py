"""
One run per location and kind; who is gone stands in nobody's way.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import attrs
import pytest
from databases import BOTH, store_at

from conexxus_sync import LeaseLostError, RunInProgressError
from conexxus_sync.model.leases import LEASE_LENGTH
from conexxus_sync.runtime.processes import ProcessIdentity


DATABASES = BOTH
HERE = ProcessIdentity(boot="boot-1", namespace="pid:[1]", pid=100, started="5", host="till-1")


class FakeProcesses:
    """
    A process table.
    """

    def __init__(self, me=HERE):
        self.me = me
        self.gone = set()

    def current(self):
        return self.me

    def is_gone(self, identity):
        return identity in self.gone


@pytest.fixture
def processes():
    return FakeProcesses()


@pytest.fixture
def whole(tmp_path, processes):
    """
    The store of all locations.
    """
    return store_at(tmp_path / "conexxus.db", processes=processes)


@pytest.fixture
def store(whole):
    return whole.at("loc")


def acquire(store, clock, run_id="r2", kind="inventory"):
    return store.leases.acquire(kind, run_id, clock.now())


def test_one_holder(store, clock):
    """
    The second one gets the id of the run in progress.
    """
    acquire(store, clock, "r1")

    with pytest.raises(RunInProgressError) as caught:
        acquire(store, clock)

    assert caught.value.run_id == "r1"
    assert store.leases.holder("inventory", clock.now()) == "r1"


def test_holder_that_is_writing(store, clock):
    """
    While the holder writes, however long it takes, the second one is told at
    once.
    """
    lease = acquire(store, clock, "r1")

    with (
        store.write(lease),
        ThreadPoolExecutor() as elsewhere,
        pytest.raises(RunInProgressError),
    ):
        # Whoever waits for a writer gives up after ten seconds.
        elsewhere.submit(acquire, store, clock).result(timeout=5)


def test_other_location_or_kind(whole, store, clock):
    """
    Leases of other locations and kinds are other leases.
    """
    acquire(store, clock)

    acquire(store, clock, kind="sales")
    acquire(whole.at("other"), clock)


def test_release(store, clock):
    """
    A lease given back is free; its epoch never comes again.
    """
    first = acquire(store, clock)
    store.leases.release(first)
    store.leases.release(first)

    second = acquire(store, clock)

    assert (first.epoch, second.epoch) == (1, 2)


def test_holder_that_is_gone(store, clock, processes):
    """
    A lease whose holder no longer exists is taken over at once.
    """
    acquire(store, clock, "r1")
    processes.gone.add(HERE)

    assert acquire(store, clock).run_id == "r2"


@pytest.mark.parametrize(
    "another",
    [{"boot": "boot-2"}, {"namespace": "pid:[2]"}, {"pid": 101}, {"started": "6"}],
    ids=lambda another: next(iter(another)),
)
def test_holder_after_one_that_is_gone(store, clock, processes, another):
    """
    Who took over is known by all that distinguishes processes: nothing of the one
    before is left of which it could be said that it is gone.
    """
    acquire(store, clock, "r1")
    processes.gone.add(HERE)
    processes.me = attrs.evolve(HERE, **another)
    acquire(store, clock, "r2")
    processes.is_gone = lambda identity: identity != processes.me

    with pytest.raises(RunInProgressError) as caught:
        acquire(store, clock, "r3")

    assert caught.value.run_id == "r2"


def test_expiry(store, clock):
    """
    A holder of whom nothing is known keeps it until it expires.
    """
    acquire(store, clock, "r1")

    clock.advance(LEASE_LENGTH - timedelta(seconds=1))
    with pytest.raises(RunInProgressError):
        acquire(store, clock)

    clock.advance(seconds=1)
    assert acquire(store, clock).run_id == "r2"


def test_clock_set_back(store, clock):
    """
    A lease that ends later than anybody could have asked for is void.
    """
    acquire(store, clock, "r1")
    clock.set(clock.now() - LEASE_LENGTH)
    with pytest.raises(RunInProgressError):
        acquire(store, clock)

    clock.set(clock.now() - timedelta(seconds=1))
    assert acquire(store, clock).run_id == "r2"


def test_renewal(store, clock):
    """
    A renewed lease lasts longer; renewing early does nothing.
    """
    lease = acquire(store, clock, "r1")
    assert store.leases.renew(lease, clock.now()) is lease

    for _ in range(9):
        clock.advance(LEASE_LENGTH / 3)
        lease = store.leases.renew(lease, clock.now())

    with pytest.raises(RunInProgressError):
        acquire(store, clock)


def test_renewal_after_the_clock_was_set_back(store, clock):
    """
    Then the lease is renewed at once, so that nobody finds it void.
    """
    lease = acquire(store, clock, "r1")
    clock.set(clock.now() - timedelta(days=1))

    store.leases.renew(lease, clock.now())

    with pytest.raises(RunInProgressError):
        acquire(store, clock)


def test_fenced(store, clock):
    """
    Who overslept writes nothing, renews nothing, and frees nothing.
    """
    old = acquire(store, clock, "r1")
    clock.advance(hours=1)
    acquire(store, clock)

    with pytest.raises(LeaseLostError), store.write(old) as state:
        state.session.execute("DELETE FROM leases")
    with pytest.raises(LeaseLostError):
        store.leases.renew(old, clock.now())
    store.leases.release(old)

    assert store.leases.holder("inventory", clock.now()) == "r2"


def test_expired_but_not_taken(store, clock):
    """
    As long as nobody took over, the holder may finish.
    """
    lease = acquire(store, clock)
    clock.advance(hours=1)

    with store.write(lease):
        pass


def test_overslept_pull_is_refused(site):
    """
    A pull that lost its lease in the middle leaves the mirror alone, and
    says why.
    """
    other = []

    def oversleep(step):
        if step == "compared":
            site.clock.advance(hours=1)
            other.append(site.engine().acquire())

    run = site.pull([{"sku": "A", "name": "a", "price": 1}], failpoint=oversleep)

    assert site.shelf == {}
    assert "lost its lease" in run.last_error
    assert site.store.leases.holder("inventory", site.clock.now()) == other[0].run_id


def test_sixteen_threads_at_once(store, clock):
    """
    Of sixteen at once, on a store that does not exist yet, one wins; the
    others get its id.
    """
    winners, losers = [], []
    together = threading.Barrier(16)

    def run(number):
        together.wait()
        try:
            winners.append(acquire(store, clock, f"r{number}").run_id)
        except RunInProgressError as exc:
            losers.append(exc.run_id)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(winners) == 1
    assert losers == winners * 15


def test_run_without_a_lease(whole, store, clock):
    """
    It is counted once, whether the location had a run before or not.
    """
    leases = store.leases
    for _ in range(2):
        leases.pass_over("inventory", 0, clock.now())

    assert [it.epoch for it in whole.lease_states(clock.now())] == [1]
    assert leases.holder("inventory", clock.now()) is None
    assert acquire(store, clock).epoch == 2


def test_run_that_holds_the_lease(whole, store, clock):
    """
    It goes on: nothing is counted while it does.
    """
    lease = acquire(store, clock)
    store.leases.pass_over("inventory", lease.epoch, clock.now())

    with store.write(lease):
        pass
    assert [it.epoch for it in whole.lease_states(clock.now())] == [lease.epoch]
