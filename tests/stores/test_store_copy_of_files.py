"""
A store is copied that has a file of freezes beside it, or what PostgreSQL can't store.
"""

from datetime import UTC, datetime

import pytest
from databases import other_database, store_at

from conexxus_client import ConfigurationError
from conexxus_sync import StoreError
from conexxus_sync.stores._store_copy import TABLES, copy_store
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite.copies import back_up, restore


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def source(tmp_path):
    store = SqliteStore(tmp_path / "from.db")
    with store.at("loc-001").write() as state:
        state.freezes.advance()
    return store


@pytest.fixture
def target(tmp_path):
    with other_database():
        return store_at(tmp_path / "to.db")


def copied(source, target):
    return copy_store(source, target, now=NOW)


def test_restored_source(source, target):
    """
    Its pushes wait; those of the copy would not.
    """
    source.freeze_file.write("loc-001", 9)

    with pytest.raises(ConfigurationError, match="restored from a backup"):
        copied(source, target)


def test_file_of_another_store(source, tmp_path):
    """
    Beside the target, it would make the copy look like a restored store.
    """
    target = SqliteStore(tmp_path / "to.db")
    target.freeze_file.write("loc-001", 9)

    with pytest.raises(ConfigurationError, match=r"to\.db\.freeze counts freezes of another"):
        copied(source, target)


def test_restored_after_a_copy(source, target, tmp_path):
    """
    Put in place by `restore`, a store that was moved is used again, and its
    pushes wait.
    """
    copied(source, target)
    back_up(source.path, tmp_path / "backup.db")

    restore(tmp_path / "backup.db", tmp_path / "new.db")

    store = SqliteStore(tmp_path / "new.db").at("loc-001")
    with store.read() as state:
        assert state.freezes.numbers().is_behind
    store.leases.acquire("sales", "run", NOW)


def test_nul(source, target):
    """
    PostgreSQL stores none: it is replaced, as in a pull.
    """
    with source.at("loc-001").write() as state:
        state.session.execute("INSERT INTO told_nights VALUES ('loc', ?, 1)", ("\0",))

    copied(source, target)

    with target.at("loc").read() as state:
        rows = state.session.execute("SELECT business_date FROM told_nights").fetchall()
    assert rows == [("\ufffd",)]


def test_nul_in_what_was_sent(source, target):
    """
    Under another name, it would be sent again: nothing is copied.
    """
    sold = "('loc-001', '2026-01-02', ?, '', '2', ?, '1.00', 'k', '', '', 0, 0)"
    with source.at("loc-001").write() as state:
        state.session.execute(f"INSERT INTO delivered VALUES {sold}", ("t\0", b"d"))

    with pytest.raises(StoreError, match="a row of delivered can't be stored"):
        copied(source, target)

    with target.at("loc-001").read() as state:
        assert state.session.execute("SELECT * FROM sales_freezes").fetchall() == []


def test_keys_come_first(source):
    """
    Rows are compared in the order of the whole primary key, which comes first.
    """
    with source.at("loc-001").read() as state:
        keys = {
            table: [row[5] for row in state.session.execute(f"PRAGMA table_info({table})")]
            for table in TABLES
        }

    for table, count in TABLES.items():
        assert keys[table][:count] == list(range(1, count + 1)), table
        assert not any(keys[table][count:]), table
