"""
Facts about leases, row by row: what is written, what is said, what is due.
"""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from conexxus_sync import LeaseLostError, RunInProgressError, StoreError
from conexxus_sync.model.leases import LEASE_LENGTH, RENEWED_AFTER, Lease, is_void
from conexxus_sync.runtime.processes import ProcessIdentity
from conexxus_sync.stores import _lease_table
from conexxus_sync.stores._lease_table import Leases, LeaseState, stored_leases
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ME = ProcessIdentity(boot="boot-1", namespace="pid:[1]", pid=100, started="5", host="till-1")


class Alive:
    """
    A process table in which all are alive.
    """

    def current(self):
        return ME

    def is_gone(self, identity):
        assert identity == ME
        return False


class WatchedDatabase(SqliteDatabase):
    """
    Records how it is written, is overtaken, and fails when it is told to.
    """

    failure = None
    overtaken_by = None

    @contextmanager
    def write(self, **options):
        self.writes.append(options)
        if (other := self.overtaken_by) is not None:
            self.overtaken_by = None
            other()
        with super().write(**options) as session:
            yield session
            if self.failure is not None:
                raise self.failure


@pytest.fixture
def leases(tmp_path):
    database = WatchedDatabase(tmp_path / "conexxus.db")
    database.writes = []

    return Leases(database, "loc-001", Alive(), set())


def taken(leases, run_id="r1", now=NOW, kind="sales"):
    return leases.acquire(kind, run_id, now)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (timedelta(), False),
        (RENEWED_AFTER - SECOND, False),
        (RENEWED_AFTER, True),
        # The clock was set back.
        (-SECOND, True),
    ],
)
def test_when_a_renewal_is_due(after, due):
    lease = Lease(location_id="loc-001", kind="sales", epoch=1, run_id="r1", renewed_at=NOW)

    assert lease.is_due(NOW + after) is due


@pytest.mark.parametrize(
    ("left", "void"),
    [
        (timedelta(), True),
        (SECOND, False),
        (2 * LEASE_LENGTH, False),
        (2 * LEASE_LENGTH + SECOND, True),
    ],
)
def test_when_a_lease_is_void(left, void):
    assert is_void(NOW + left, NOW) is void


def test_lease():
    """
    A quarter of ten minutes.
    """
    assert timedelta(minutes=10) == LEASE_LENGTH
    assert timedelta(seconds=150) == RENEWED_AFTER


def test_what_is_written(leases):
    """
    Leases are written for their location, and need not outlast the loss of power.
    """
    lease = taken(leases)
    renewed = leases.renew(lease, NOW + RENEWED_AFTER)
    leases.release(renewed)

    assert leases.database.writes == [{"location": "loc-001", "durable": False}] * 3
    assert lease == Lease(location_id="loc-001", kind="sales", epoch=1, run_id="r1", renewed_at=NOW)
    assert renewed == attrs.evolve(lease, renewed_at=NOW + RENEWED_AFTER)


def test_rows(leases):
    """
    One for each location and kind, with its holder and its end.
    """
    other = attrs.evolve(leases, location="loc-002")
    taken(leases)
    leases.release(taken(other, "r2", kind="inventory"))

    with leases.database.read() as session:
        rows = sorted(map(tuple, stored_leases(session)))

    free, held = (tuple(row[2:]) for row in reversed(rows))
    assert [row[:2] for row in rows] == [("loc-001", "sales"), ("loc-002", "inventory")]
    assert held[:7] == (1, "r1", "boot-1", "pid:[1]", 100, "5", "till-1")
    assert datetime.fromisoformat(held[7]) == NOW + LEASE_LENGTH
    assert leases.state("sales", held, NOW) == LeaseState(
        location_id="loc-001", kind="sales", epoch=1, run_id="r1"
    )
    assert leases.state("sales", held, NOW + LEASE_LENGTH).run_id is None
    assert other.state("inventory", free, NOW) == LeaseState(
        location_id="loc-002", kind="inventory", epoch=1, run_id=None
    )


def test_holder(leases):
    assert leases.holder("sales", NOW) is None

    taken(leases)

    assert leases.holder("sales", NOW) == "r1"
    assert leases.holder("inventory", NOW) is None


def test_who_is_in_the_way(leases):
    taken(leases)

    with pytest.raises(RunInProgressError) as caught:
        taken(leases, "r2")

    assert caught.value.run_id == "r1"
    assert "sales" in str(caught.value)
    assert "loc-001" in str(caught.value)


def test_taken_between_the_look_and_the_write(leases):
    """
    Of two that found the lease free, the second to write does not get it.
    """
    leases.database.overtaken_by = lambda: taken(leases, "r2")

    with pytest.raises(RunInProgressError) as caught:
        taken(leases)

    assert caught.value.run_id == "r2"


def test_a_lost_lease_in_words(leases):
    old = taken(leases)
    taken(leases, "r2", NOW + LEASE_LENGTH)

    with pytest.raises(LeaseLostError) as caught:
        leases.renew(old, NOW + LEASE_LENGTH)

    assert str(caught.value) == (
        "sales run r1 lost its lease to another run and wrote nothing more"
    )


def test_given_back_where_nothing_can_be_written(leases):
    """
    The lease is free for those who share the store, until its next holder.
    """
    lease = taken(leases)
    leases.database.failure = StoreError("the disk is full")

    with pytest.raises(StoreError):
        leases.release(lease)
    assert leases.abandoned == {("loc-001", "sales", 1)}
    assert leases.holder("sales", NOW) is None
    with leases.database.read() as session:
        (row,) = stored_leases(session)
    assert leases.state("sales", row[2:], NOW).run_id is None

    leases.database.failure = None
    second = taken(leases, "r2")
    assert (second.epoch, leases.abandoned) == (2, set())
    assert leases.holder("sales", NOW) == "r2"

    leases.release(second)
    assert leases.abandoned == set()


@pytest.mark.parametrize("is_abandoned", [False, True])
def test_a_run_without_a_lease_is_counted(leases, is_abandoned):
    """
    Once, after those before it, also where the last of them could not store
    that it gave its lease back.
    """
    lease = taken(leases)
    leases.pass_over("sales", 1, NOW)
    if is_abandoned:
        leases.abandoned.add(("loc-001", "sales", 1))
    else:
        leases.release(lease)
    leases.database.writes.clear()

    leases.pass_over("sales", 1, NOW)
    leases.pass_over("sales", 1, NOW)

    assert leases.database.writes == [{"location": "loc-001", "durable": False}]
    assert leases.holder("sales", NOW) is None
    assert taken(leases, "r3").epoch == 3


@pytest.mark.parametrize("moment", ["taken", "given back"])
def test_interrupted(leases, moment):
    """
    A lease that has no run any more is free, for as long as it is not taken.
    """
    if moment == "given back":
        lease = taken(leases, "r-interrupted")
    leases.database.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        taken(leases, "r-interrupted") if moment == "taken" else leases.release(lease)
    ours = ("loc-001", "sales", "r-interrupted")
    assert ours in _lease_table._ownerless

    leases.database.failure = None
    if moment == "taken":
        _lease_table._ownerless.discard(ours)
        return
    leases.abandoned.clear()
    taken(leases, "r2")

    assert ours not in _lease_table._ownerless


def test_a_store_that_was_moved(leases):
    """
    No run begins, and it says where the store is.
    """
    leases.refuse_moved()
    with leases.database.write(location="loc-001") as session:
        session.execute(
            "INSERT INTO store_moves (target, moved_at) VALUES (?, ?)",
            ("postgresql://db", "2026-01-02T12:00:00"),
        )

    said = (
        "the store was moved to postgresql://db at 2026-01-02T12:00:00, and nothing is pulled or "
        "pushed with this one: set CONEXXUS_STORE to that one"
    )
    with pytest.raises(StoreError) as caught:
        leases.refuse_moved()
    assert str(caught.value) == said
    with pytest.raises(StoreError) as caught:
        taken(leases)
    assert str(caught.value) == said
