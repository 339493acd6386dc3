"""
Facts about opening a store that another process uses, or has to itself.
"""

import itertools
import sqlite3
from contextlib import closing, suppress

import pytest

from conexxus_sync import StoreError
from conexxus_sync.stores.sqlite import SqliteStore, _sqlite_database
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)
# Makes a file in which nothing is.
CREATE = "PRAGMA user_version = 0"
# What another process may do with a file that is no store yet.
HOLDS = {
    "reads": [CREATE, "BEGIN", "SELECT * FROM sqlite_schema"],
    "writes": ["BEGIN IMMEDIATE"],
    "has it to itself": ["BEGIN EXCLUSIVE"],
    "locking mode": ["PRAGMA locking_mode = EXCLUSIVE", CREATE],
    "locking mode, reads": [
        CREATE,
        "PRAGMA locking_mode = EXCLUSIVE",
        "SELECT * FROM sqlite_schema",
    ],
}


@pytest.fixture
def statements(monkeypatch):
    """
    What the store executes from here on.
    """
    seen = []

    class Recorded(_sqlite_database.SqliteSession):
        def execute(self, statement, *parameters):
            seen.append(statement)
            return super().execute(statement, *parameters)

    monkeypatch.setattr(_sqlite_database, "SqliteSession", Recorded)
    return seen


@pytest.mark.case(
    "E8",
    "Another process uses a file in which the store is to be made, and goes on",
    "All steps of the opening wait once, together, and the error says who is in the way",
)
@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
def test_new_store_that_is_held(tmp_path, monkeypatch, statements, hold):
    """
    To switch to WAL is tried twice at most, once before the deadline and once after.
    """
    monkeypatch.setattr(_sqlite_database, "BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "conexxus.db"

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in hold:
            other.execute(statement).fetchall()
        with (
            pytest.raises(StoreError, match="Another process holds it"),
            SqliteStore(path).at("loc").read(),
        ):
            pass

    assert statements.count("PRAGMA journal_mode = WAL") <= 2


@pytest.mark.case(
    "E8",
    "Other processes write between the migrations of a store",
    "Each migration waits for what is left of one deadline, and statements afterwards in full",
)
def test_migrations_share_a_deadline(tmp_path, statements):
    """
    With a second between two looks at the clock, each step may wait a second less.
    """
    clock = itertools.count()
    database = SqliteDatabase(tmp_path / "conexxus.db", monotonic=lambda: float(next(clock)))

    with SqliteStore(database.path, database=database).at("loc").read():
        waits = [int(it.split()[-1]) for it in statements if "busy_timeout" in it]

    assert waits[:11] == [*range(9_000, -1, -1_000), 0]
    assert waits[-1] == 10_000


def test_store_that_is_up_to_date_is_opened_in_few_statements(tmp_path, statements):
    """
    Three settings and a look at identity and version; the deadline costs none.
    """
    store = SqliteStore(tmp_path / "conexxus.db").at("loc")
    with store.write():
        pass
    statements.clear()

    with store.read():
        pass

    assert [it.split()[:2] for it in statements] == [
        ["PRAGMA", "synchronous"],
        ["PRAGMA", "cache_size"],
        ["PRAGMA", "temp_store"],
        ["PRAGMA", "application_id"],
        ["PRAGMA", "user_version"],
    ]


def test_hold_is_over(tmp_path, monkeypatch):
    """
    The store is made once the other process has closed the file.
    """
    monkeypatch.setattr(_sqlite_database, "BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "conexxus.db"

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in HOLDS["reads"]:
            other.execute(statement)
        with suppress(StoreError), SqliteStore(path).at("loc").read():
            pass

    with SqliteStore(path).at("loc").read() as state:
        assert state.session.execute("PRAGMA journal_mode").fetchone() == ("wal",)
