"""
Numbered migrations, each in one transaction.
"""

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from conexxus_sync.errors import StoreError


_FOLDER = Path(__file__).with_name("migrations")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """
    Bring the database behind *connection*, the file at *path*, up to date.

    Raises:
        StoreError: A newer version of the SDK made it.
    """
    known = len(_migrations())
    version = _version(connection)

    if version > known:
        msg = (
            f"the store {path} has schema version {version}, this conexxus-sdk knows {known}: "
            "upgrade conexxus-sdk, or point CONEXXUS_STORE at another database"
        )
        raise StoreError(msg)

    if version == 0:
        _use_wal(connection)

    for number in range(version + 1, known + 1):
        _apply(connection, number)


def _apply(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")

    try:
        # Another process may have been here while we waited.
        if _version(connection) < number:
            for statement in _statements(_migrations()[number - 1]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """
    Switch to WAL.  Nobody waits for a lock in this, so we queue elsewhere.
    """
    for _ in range(100):
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            return


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@cache
def _migrations() -> tuple[str, ...]:
    files = sorted(_FOLDER.glob("[0-9]*.sql"))
    return tuple(file.read_text(encoding="utf-8") for file in files)


def _statements(script: str) -> Iterator[str]:
    statement = ""

    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
