"""
Facts about units of work: one connection, one transaction, nobody locked out.
"""

import os
import sqlite3

import pytest
from databases import BOTH, Chosen, store_at

from conexxus_sync import StoreError
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.stores.postgres._connections import Connections
from conexxus_sync.stores.sqlite import _sqlite_database as database_module
from conexxus_sync.testing import FakeClock


DATABASES = BOTH
LEASES = "SELECT run_id FROM leases, (SELECT 1 UNION ALL SELECT 2)"


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "conexxus.db").at("loc-001")


@pytest.fixture
def opened(monkeypatch):
    """
    How many connections were opened.
    """
    seen = []
    if Chosen.name == "sqlite":
        connect = sqlite3.connect
        monkeypatch.setattr(
            database_module.sqlite3, "connect", lambda *a, **k: seen.append(a) or connect(*a, **k)
        )
    else:
        take = Connections.take
        monkeypatch.setattr(Connections, "take", lambda it: seen.append(it) or take(it))
    return seen


def run(name):
    now = FakeClock().now()
    return SyncRun(
        id=name,
        kind=RunKind.INVENTORY,
        location_id="loc-001",
        status=RunStatus.SUCCESS,
        start_time=now,
        end_time=now,
    )


@pytest.mark.case(
    "D2",
    "a transaction begins while a read of the same connection is not at its end",
    "the read ends, and the transaction waits for its turn, as any other",
)
def test_write_in_the_middle_of_a_read(store, tmp_path):
    """
    SQLite refuses a transaction at once that begins on an old state of the
    file: no read is open when one begins.
    """
    other = store_at(tmp_path / "conexxus.db").at("loc-001")
    store.leases.acquire("inventory", "r1", FakeClock().now())

    with store.keep_open(), store.read() as state:
        rows = state.session.stream(LEASES)
        next(rows)
        with other.write() as elsewhere:
            elsewhere.runs.save(run("r0"))

        with store.write() as writing:
            writing.runs.save(run("r1"))

        with pytest.raises(StoreError, match="still being read"):
            list(rows)

    with store.read() as state:
        assert [one.id for one in state.runs.history()] == ["r1", "r0"]


def test_one_connection(store, opened):
    """
    What is nested, or within `keep_open`, shares a connection.
    """
    with store.keep_open():
        for _ in range(3):
            with store.read() as outer, store.read() as inner:
                assert outer.session is inner.session
            with store.write() as state, store.read() as inner:
                assert state.session is inner.session

    assert len(opened) == 1


def test_what_is_nested_in_a_transaction_sees_it(store):
    """
    A read within a transaction sees what that has written so far; undone, it
    was never there.
    """
    with pytest.raises(ZeroDivisionError), store.write() as state:  # noqa: PT012  # the block is what is undone
        state.runs.save(run("r1"))
        with store.read() as inner:
            assert inner.runs.get("r1")
        raise ZeroDivisionError

    with store.read() as state:
        assert state.runs.history() == []


def test_no_transaction_in_another(store):
    """
    Within a transaction, or a snapshot, nothing else can be written.
    """
    for block in (store.write, store.snapshot):
        with (
            block(),
            pytest.raises(StoreError, match="read or written in this thread"),
            store.write(),
        ):
            pass


def test_snapshot_sees_one_state(store, tmp_path):
    """
    Whatever others commit meanwhile.
    """
    other = store_at(tmp_path / "conexxus.db").at("loc-001")

    with store.snapshot() as state:
        assert state.runs.history() == []
        with other.write() as elsewhere:
            elsewhere.runs.save(run("r1"))
        with store.read() as nested:
            assert nested.runs.history() == []

    with store.read() as state:
        assert len(state.runs.history()) == 1


def test_calls_after_the_commit(store):
    """
    They are made if, and once, the transaction is committed.
    """
    made = []

    with store.write() as state:
        state.session.after_commit(lambda: made.append(1))
        assert made == []
    with pytest.raises(ZeroDivisionError), store.write() as state:  # noqa: PT012  # the block is what is undone
        state.session.after_commit(lambda: made.append(2))
        raise ZeroDivisionError

    with store.write():
        pass

    assert made == [1]


def test_call_after_the_commit_that_fails(store):
    """
    The others are made in their order, its exception is raised, and what was
    committed stays.
    """
    made = []

    with pytest.raises(ZeroDivisionError), store.write() as state:  # noqa: PT012  # it raises at its end
        state.runs.save(run("r1"))
        state.session.after_commit(lambda: made.append(1))
        state.session.after_commit(lambda: 1 / 0)
        state.session.after_commit(lambda: made.append(3))

    assert made == [1, 3]
    with store.read() as state:
        assert state.runs.get("r1")


def test_child_process_has_a_connection_of_its_own(store):
    """
    What its parent keeps open stays the parent's.
    """
    with store.keep_open(), store.read() as outer:
        child = os.fork()
        if child == 0:
            with store.read() as inner:
                os._exit(0 if inner.session is not outer.session else 1)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_locations_of_one_store(tmp_path):
    """
    Each sees its own rows alone.
    """
    both = store_at(tmp_path / "conexxus.db")

    with both.at("loc-001").write() as state:
        state.runs.save(run("r1"))

    with both.at("loc-002").read() as state:
        assert state.runs.get("r1") is None
        assert state.runs.history() == []


def waiting(state):
    """
    For how many seconds another writer is waited for.
    """
    if Chosen.name == "sqlite":
        return state.session.execute("PRAGMA busy_timeout").fetchone()[0] / 1000

    return int(state.session.execute("SHOW lock_timeout").fetchone()[0].removesuffix("s"))


def test_short_timeout_of_a_connection_that_is_kept_open(store):
    """
    It holds there, too, and only as long as it is asked for.
    """
    with store.keep_open(), store.read() as state:
        before = waiting(state)
        with store.short_timeout():
            assert waiting(state) == 1
        assert waiting(state) == before == 10


@pytest.mark.parametrize("count", [0, 1, 7, 585, 1_200])
def test_rows_by_column(store, count):
    """
    An INSERT takes any number of rows that are given by column.
    """
    names = ["", "a\tb", "\\N", None, "ü"]
    rows = [(number, names[number % 5]) for number in range(count)]
    columns = [range(count), [name for _, name in rows]]

    with store.read() as state:
        state.session.create_temporary("CREATE TEMP TABLE many (number INTEGER, name TEXT, x TEXT)")
        state.session.insert_columns(
            "INSERT INTO many (number, name, x) VALUES (?, ?, NULL)", columns
        )
        found = state.session.execute("SELECT number, name, x FROM many ORDER BY number").fetchall()

    assert found == [(*row, None) for row in rows]
