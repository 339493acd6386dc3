"""
Facts about a process that stops within a transaction of a PostgreSQL: its
backend waits, and holds the locks of its location.
"""

import os
import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
from databases import other_of, postgres, store_at

from conexxus_sync import StoreError
from conexxus_sync.stores.postgres import _writer_locks


DATABASES = ("postgres",)
SET = "INSERT INTO sales_freezes (location, number) VALUES (?, ?)"
ALL = "SELECT location, number FROM sales_freezes"
WAITS = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"


def after_a_pipeline(session):
    session.executemany(SET, [("a", 1), ("b", 1)])


def within_a_copy(session):
    session.connection.pgconn.send_query(b"COPY sales_freezes FROM STDIN")


def with_rows_unread(session):
    query = b"SELECT repeat('x', 1000) FROM generate_series(1, 10000)"
    session.connection.pgconn.send_query(query)


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "store").at("loc-001")


@pytest.fixture
def soon(monkeypatch):
    """
    A lease is over at once.
    """
    monkeypatch.setattr(_writer_locks, "LEASE_LENGTH", timedelta())
    monkeypatch.setattr(_writer_locks, "LONGEST_ROUND_S", 1)


def stop(store, work):
    """
    A process that has begun a transaction, done *work* and sends nothing more;
    leaving the block is its going on.
    """
    going_on = ExitStack()
    work(going_on.enter_context(store.write()).session)

    return going_on


@pytest.mark.fault(
    "S11",
    "A process stops within a transaction, idle, in a COPY, or with rows that it does not read",
    "a writer that waits ends its backend once a lease is over, and goes on; it writes nothing",
)
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("work", [after_a_pipeline, within_a_copy, with_rows_unread])
def test_stopped_within_a_transaction(store, work):
    """
    Its locks are taken over, and it writes nothing when it goes on.
    """
    stopped = stop(store, work)

    with other_of(store).write() as state:
        state.session.execute(SET, ("c", 2))

    with pytest.raises(StoreError):
        stopped.close()
    with store.read() as state:
        assert state.session.execute(ALL).fetchall() == [("c", 2)]


@pytest.mark.usefixtures("soon")
def test_all_locations_wait_for_one(store):
    """
    What writes rows of all locations takes over from a writer of any.
    """
    stopped = stop(store, after_a_pipeline)

    with other_of(store).database.write(location=None):
        pass

    with pytest.raises(StoreError):
        stopped.close()


def refuse(store):
    """
    A writer that waits for a second, in vain.
    """
    other = other_of(store)

    with (
        pytest.raises(StoreError, match="Another process holds it"),
        other.short_timeout(),
        other.write(),
    ):
        pass


def test_its_lease_lasts(store):
    """
    Until it is over, a process that stopped keeps its locks, and may go on.
    """
    with stop(store, after_a_pipeline):
        refuse(store)

    with store.read() as state:
        assert len(state.session.execute(ALL).fetchall()) == 2


@pytest.mark.usefixtures("soon")
def test_long_statement(store):
    """
    It is not ended: its client waits for it.
    """
    lock, connection = os.getpid(), postgres().connection
    connection.execute("SELECT pg_advisory_lock(%s)", (lock,))

    with store.write() as state:
        long = threading.Thread(
            target=state.session.execute, args=("SELECT pg_advisory_xact_lock(?)", (lock,))
        )
        long.start()
        while not connection.execute(WAITS, (state.session.pooled.backend,)).fetchone():
            pass
        refuse(store)
        connection.execute("SELECT pg_advisory_unlock(%s)", (lock,))
        long.join()
        state.session.execute(SET, ("a", 1))

    with store.read() as state:
        assert state.session.execute(ALL).fetchall() == [("a", 1)]
