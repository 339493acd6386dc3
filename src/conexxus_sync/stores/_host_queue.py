"""
Queue of catalogue changes that the host has not applied yet.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs

from conexxus_sync.errors import HostError, TransactionEndedError
from conexxus_sync.model.catalogue import HostState

from ._database import Database
from ._queued_items import QueuedChanges


# Not a name that a host would choose for a savepoint of its own.
_SAVEPOINT = "conexxus_host"


@attrs.define
class SqliteHostQueue:
    """
    Rows of `hosts` and `changes`.
    """

    store: Database

    def state(self, location_id: str) -> HostState | None:
        """
        How far the host of this location has come; None if it never had one.
        """
        with self.store.reading() as connection:
            return _state(connection, location_id)

    def queue_delta(
        self, connection: sqlite3.Connection, location_id: str, *, removals: bool
    ) -> None:
        """
        Queue what the staged read changes, under the next sequence.

        A location that never had a host queues nothing.
        """
        state = _state(connection, location_id)

        if state is None:
            return

        queued = connection.execute(
            "INSERT INTO changes SELECT ?1, ?2, d.kind, i.sku, i.name, i.price, i.category,"
            " i.description, i.extra FROM delta d JOIN items i ON i.location = ?1"
            " AND i.sku = d.sku WHERE d.kind <> 'removed' OR ?3",
            (location_id, state.sequence + 1, removals),
        ).rowcount

        if queued:
            _save(connection, location_id, state.sequence + 1, state.applied)

    def queue_everything(
        self, connection: sqlite3.Connection, location_id: str, *, beyond: int, removals: bool
    ) -> None:
        """
        Queue the whole mirror instead of whatever is pending.

        Args:
            beyond: The host has seen sequences up to this one.
        """
        state = _state(connection, location_id)
        last = beyond if state is None else max(state.sequence, beyond)
        connection.execute("DELETE FROM changes WHERE location = ?", (location_id,))
        queued = connection.execute(
            "INSERT INTO changes SELECT ?1, ?2, iif(missing_since IS NULL, 'created', 'removed'),"
            " sku, name, price, category, description, extra FROM items"
            " WHERE location = ?1 AND (missing_since IS NULL OR ?3)",
            # A new host never had what is gone.
            (location_id, last + 1, removals and state is not None),
        ).rowcount

        _save(connection, location_id, last + 1 if queued else last, last)

    def pending(self, location_id: str, connection: sqlite3.Connection | None = None) -> list[int]:
        """
        Sequences that the host has not applied, oldest first.
        """
        if connection is None:
            with self.store.reading() as fresh:
                return self.pending(location_id, fresh)

        rows = connection.execute(
            # From each to the next by the key, past all rows between them.
            "WITH RECURSIVE waiting (sequence) AS ("
            " SELECT min(sequence) FROM changes WHERE location = ?1"
            " UNION ALL SELECT (SELECT min(sequence) FROM changes WHERE location = ?1"
            " AND sequence > waiting.sequence) FROM waiting WHERE sequence IS NOT NULL"
            ") SELECT sequence FROM waiting WHERE sequence IS NOT NULL ORDER BY sequence",
            (location_id,),
        )
        return [sequence for (sequence,) in rows]

    def waiting(self, location_id: str, sku: str) -> list[int]:
        """
        Sequences with a change of this item that the host has not applied.
        """
        with self.store.reading() as connection:
            return [
                sequence
                for sequence in self.pending(location_id, connection)
                if connection.execute(
                    "SELECT 1 FROM changes WHERE location = ? AND sequence = ?"
                    " AND kind IN ('created', 'updated', 'removed') AND sku = ?",
                    (location_id, sequence, sku),
                ).fetchone()
            ]

    def changes(
        self, location_id: str, sequence: int, connection: sqlite3.Connection | None = None
    ) -> QueuedChanges:
        """
        What is queued under *sequence*.
        """
        return QueuedChanges(self.store, location_id, sequence, connection)

    def applied(self, connection: sqlite3.Connection, location_id: str, sequence: int) -> None:
        """
        Forget *sequence*: the host has it.
        """
        connection.execute(
            "DELETE FROM changes WHERE location = ? AND sequence = ?", (location_id, sequence)
        )
        connection.execute(
            "UPDATE hosts SET applied = ? WHERE location = ?", (sequence, location_id)
        )

    @contextmanager
    def attempt(self, connection: sqlite3.Connection) -> Iterator[None]:
        """
        A part of a transaction that may fail without the rest.

        Whoever uses the connection in it can't end the transaction: a commit
        or a rollback is refused, and makes this part fail.

        Raises:
            HostError: It was tried.
            TransactionEndedError: It was done; nothing of the transaction is left.
        """
        connection.execute(f"SAVEPOINT {_SAVEPOINT}")
        settings = connection.row_factory, connection.text_factory

        try:
            with _without_ending(connection) as tried:
                yield
            if tried:
                msg = "`apply_in` must neither commit nor roll back, but raise"
                raise HostError(msg)
        except BaseException:
            _ensure_open(connection)
            connection.execute(f"ROLLBACK TO {_SAVEPOINT}")
            raise
        finally:
            _ensure_open(connection)
            connection.row_factory, connection.text_factory = settings
            connection.execute(f"RELEASE {_SAVEPOINT}")


@contextmanager
def _without_ending(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """
    Refuse to end the transaction.

    Yields:
        What was tried.
    """
    tried: list[str] = []

    def authorize(action: int, operation: str | None, name: str | None, *_: str | None) -> int:
        ends = action == sqlite3.SQLITE_TRANSACTION or name == _SAVEPOINT
        if ends and action in (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT):
            tried.append(str(operation))
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    connection.set_authorizer(authorize)

    try:
        yield tried
    finally:
        # A connection that was closed has nobody to authorize.
        with suppress(sqlite3.ProgrammingError):
            connection.set_authorizer(None)


def _ensure_open(connection: sqlite3.Connection) -> None:
    """
    Not everything asks the authorizer: `INSERT OR ROLLBACK`, `RAISE(ROLLBACK)`
    in a trigger, a full disk, and `close()` end a transaction by themselves.
    """
    try:
        is_open = connection.in_transaction
    except sqlite3.ProgrammingError:
        is_open = False

    if not is_open:
        raise TransactionEndedError


def _state(connection: sqlite3.Connection, location_id: str) -> HostState | None:
    row = connection.execute(
        "SELECT sequence, applied FROM hosts WHERE location = ?", (location_id,)
    ).fetchone()

    return None if row is None else HostState(sequence=row[0], applied=row[1])


def _save(connection: sqlite3.Connection, location_id: str, sequence: int, applied: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)", (location_id, sequence, applied)
    )
