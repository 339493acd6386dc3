"""
The new stores of most tests are copies of one that was migrated: they are no
other than what the migrations make.
"""

import sqlite3
from contextlib import closing

from conexxus_sync.stores.sqlite import SqliteStore


DATABASES = ("sqlite",)


def content_of(path):
    """
    All but the mark, which differs.
    """
    with SqliteStore(path).at("loc").read():
        pass
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
        rows = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()
            for kind, name, _ in tables
            if kind == "table"
        }
        pragmas = ("user_version", "application_id", "journal_mode", "page_size")
        settings = [connection.execute(f"PRAGMA {name}").fetchone() for name in pragmas]

    return tables, rows, settings, path.stat().st_mode


def mark_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT latest FROM store_generation").fetchone()


def test_a_copy_is_a_new_store(tmp_path, request):
    """
    Tables, settings and access are those of a store that was migrated; each
    has a mark of its own.
    """
    copies = tmp_path / "one.db", tmp_path / "two.db"
    contents = [content_of(path) for path in copies]
    request.getfixturevalue("stores_from_nothing")

    assert contents == [content_of(tmp_path / "migrated.db")] * 2
    assert mark_of(copies[0]) != mark_of(copies[1])


def test_an_empty_file_is_not_replaced(tmp_path):
    """
    What is there already is migrated as it is.
    """
    path = tmp_path / "store.db"
    path.touch()
    number = path.stat().st_ino

    with SqliteStore(path).at("loc").read():
        pass

    assert path.stat().st_ino == number
    assert [*tmp_path.iterdir()] == [path]
