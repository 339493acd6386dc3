"""
Whose file an SQLite database is, and its numbered migrations, each in one transaction.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._migration_files import migrations, newer


# "CNXS"
APPLICATION_ID = 0x434E5853
# Stores of earlier versions bear no application id.
FIRST_WITH_ID = 19

# Of the first migration; none of them was renamed since.
_TABLES = ("changes", "checkpoints", "hosts", "items", "leases", "quarantine", "runs")

# In one statement, so that it is one state of the file.
_LOOK = f"""
SELECT
    (SELECT application_id FROM pragma_application_id),
    (SELECT user_version FROM pragma_user_version),
    count(*),
    count(*) FILTER (WHERE type = 'table' AND name IN {_TABLES})
FROM sqlite_schema
"""  # noqa: S608  # the names are above


@attrs.frozen(kw_only=True)
class Identity:
    """
    What a file says of itself.

    Attributes:
        application_id: 0 if none was set.
        version: Of the schema; 0 if none was set.
        is_new: Nothing was ever made in it.
        is_ours: It has the tables of a store, and no other program's mark.
    """

    application_id: int
    version: int
    is_new: bool = False
    is_ours: bool = True

    @property
    def problem(self) -> str | None:
        """
        Why it is no store; None if it is one.
        """
        if self.is_ours:
            return None

        return (
            f"is no store of conexxus-sdk: application id {self.application_id}, "
            f"schema version {self.version}"
        )


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


def identity_of(connection: sqlite3.Connection) -> Identity:
    """
    Look at the file behind *connection*; two short statements for a store.
    """
    if _value(connection, "application_id") == APPLICATION_ID:
        version = _value(connection, "user_version")
        return Identity(application_id=APPLICATION_ID, version=version, is_ours=version > 0)

    found, version, objects, ours = connection.execute(_LOOK).fetchone()

    return Identity(
        application_id=found,
        version=version,
        is_new=not (found or version or objects),
        # Another process may have brought it up to date just now.
        is_ours=found in (0, APPLICATION_ID) and version > 0 and ours == len(_TABLES),
    )


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def latest_version() -> int:
    """
    The version of the schema that this version of the SDK makes.
    """
    return len(_migrations())


def _apply(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")

    try:
        # Another process may have been here while we waited.
        if _value(connection, "user_version") < number:
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


def _migrations() -> tuple[tuple[str, ...], ...]:
    return migrations("sqlite")
