"""
Numbered migrations, each in one transaction.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._migration_files import migrations, newer

from ._identity import APPLICATION_ID, FIRST_WITH_ID, identity_of


@attrs.frozen
class Deadline:
    """
    When the opening of a store ends, whatever other processes do.

    SQLite waits for a lock in each statement anew.

    Attributes:
        ends: By the clock *monotonic*, in seconds.
    """

    connection: sqlite3.Connection
    ends: float
    monotonic: Callable[[], float]

    def limit_wait(self) -> bool:
        """
        Let the next statement wait for no longer than what is left; is anything?
        """
        left = max(0.0, self.ends - self.monotonic())
        set_busy_timeout(self.connection, left)

        return left > 0


def set_busy_timeout(connection: sqlite3.Connection, seconds: float) -> None:
    """
    For how long a statement waits for another process.
    """
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")


def migrate(connection: sqlite3.Connection, path: Path, deadline: Deadline) -> bool:
    """
    Bring the database behind *connection*, the file at *path*, up to date.

    Args:
        deadline: Of all steps together.

    Returns:
        Was there anything to do?

    Raises:
        StoreError: A newer version of the SDK made it, or another program.
    """
    known = latest_version()
    identity = identity_of(connection)
    version = identity.version

    if not (identity.is_ours or identity.is_new):
        msg = (
            f"the file {path} {identity.problem}; nothing was changed. Set CONEXXUS_STORE to a "
            "file of its own, which is created"
        )
        raise StoreError(msg)
    if version > known:
        raise newer(str(path), version, known)

    if version == 0:
        _use_wal(connection, deadline)

    for number in range(version + 1, known + 1):
        deadline.limit_wait()
        _apply(connection, number)

    if version >= FIRST_WITH_ID and identity.application_id != APPLICATION_ID:
        # Somebody took the mark away.
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")

    return version < known


def latest_version() -> int:
    """
    The version of the schema that this version of the SDK makes.
    """
    return len(_migrations())


def _apply(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")

    try:
        # Another process may have been here while we waited.
        if _version(connection) < number:
            for statement in _migrations()[number - 1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back by itself.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection, deadline: Deadline) -> None:
    """
    Switch to WAL.  SQLite does not wait for a lock in this, so we retry.
    """
    while True:
        is_last = not deadline.limit_wait()

        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if is_last:
                raise
            deadline.limit_wait()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            return


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrations() -> tuple[tuple[str, ...], ...]:
    return migrations("sqlite")
