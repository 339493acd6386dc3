"""
A file of another program is never taken for a store.
"""

import sqlite3
from contextlib import closing

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.errors import StoreError
from conexxus_sync.stores.sqlite import SqliteStore, copies


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)
OURS = 0x434E5853


@pytest.fixture
def path(tmp_path):
    return tmp_path / "conexxus.db"


def touch(path):
    with SqliteStore(path).at("loc-001").write() as state:
        return state.session.execute("PRAGMA application_id").fetchone()[0]


def run(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


@pytest.mark.case(
    "D3",
    "`CONEXXUS_STORE` names another program's SQLite file, whatever its `user_version` and "
    "`application_id`, with tables or without",
    "it is refused, and no byte of it is changed",
)
@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE till (a)", "PRAGMA user_version = 3"],
        ["CREATE TABLE till (a)", "PRAGMA user_version = 19"],
        ["CREATE TABLE till (a)", "PRAGMA user_version = 999"],
        ["CREATE TABLE till (a)"],
        ["CREATE TABLE items (a)", "CREATE TABLE runs (a)", "PRAGMA user_version = 3"],
        ["CREATE VIEW a AS SELECT 1"],
        ["PRAGMA user_version = 3"],
        ["PRAGMA application_id = 7"],
        ["CREATE TABLE till (a)", f"PRAGMA application_id = {OURS}"],
    ],
)
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_another_programs_file(path, statements, journal):
    run(path, f"PRAGMA journal_mode = {journal}", *statements)
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"is no store of conexxus-sdk.*nothing was changed"):
        touch(path)

    assert path.read_bytes() == before
    assert copies.check(path).problems


@pytest.mark.case(
    "D3",
    "another program's database is where a backup is to be restored, with --overwrite",
    "it is refused, and no byte of it is changed",
)
def test_restore_over_another_programs_file(path, tmp_path):
    touch(backup := tmp_path / "backup.db")
    run(path, "CREATE TABLE till (a)", "PRAGMA user_version = 3")
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match="it is not replaced"):
        copies.restore(backup, path, overwrite=True)

    assert path.read_bytes() == before


@pytest.mark.case(
    "D3",
    "a store has the `application_id` 0",
    "it is adopted, and bears the mark of a store from then on",
)
def test_store_without_a_mark(path):
    touch(path)
    run(path, "PRAGMA application_id = 0")

    assert touch(path) == OURS


def test_store_with_the_mark_of_another_program(path):
    touch(path)
    run(path, "PRAGMA application_id = 7")

    with pytest.raises(StoreError, match="application id 7"):
        touch(path)
