"""
Lends the connection of a transaction to a host, which can neither end it nor leave it busy.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from conexxus_sync.errors import HostError, TransactionEndedError


# Not a name that a host would choose for a savepoint of its own.
_SAVEPOINT = "conexxus_host"

# What outlasts the host's part of the transaction, and breaks the rest or the store.
_SETTINGS = (
    "application_id",
    "ignore_check_constraints",
    "journal_mode",
    "locking_mode",
    "query_only",
    "schema_version",
    "synchronous",
    "temp_store",
    "user_version",
    "writable_schema",
)


@contextmanager
def lent(connection: sqlite3.Connection) -> Iterator[None]:
    """
    A part of the transaction that may fail without the rest.

    Raises:
        HostError: Ending the transaction was tried.
        TransactionEndedError: It was done; nothing of the transaction is left.
    """
    connection.execute(f"SAVEPOINT {_SAVEPOINT}")
    settings = connection.row_factory, connection.text_factory

    try:
        with _cursors_closed(connection), _without_ending(connection) as tried:
            yield
        if tried:
            raise HostError(tried[0])
    except BaseException:
        _ensure_open(connection)
        connection.execute(f"ROLLBACK TO {_SAVEPOINT}")
        raise
    finally:
        _ensure_open(connection)
        connection.row_factory, connection.text_factory = settings
        connection.execute(f"RELEASE {_SAVEPOINT}")


@contextmanager
def _cursors_closed(connection: sqlite3.Connection) -> Iterator[None]:
    """
    Close what the host does not: a read that is left in the middle would keep
    every later transaction of the connection from beginning.
    """
    cursors: list[sqlite3.Cursor] = []
    makers = ("cursor", "execute", "executemany", "executescript")

    def noted(make: Callable[..., sqlite3.Cursor]) -> Callable[..., sqlite3.Cursor]:
        def made(*arguments: Any, **named: Any) -> sqlite3.Cursor:
            cursors.append(cursor := make(*arguments, **named))
            return cursor

        return made

    vars(connection).update({name: noted(getattr(connection, name)) for name in makers})

    try:
        yield
    finally:
        for name in makers:
            del vars(connection)[name]
        for one in cursors:
            with suppress(sqlite3.ProgrammingError):
                one.close()


@contextmanager
def _without_ending(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """
    Refuse to end the transaction, and to change what the rest of it relies on.

    Yields:
        Why what was tried is refused.
    """
    tried: list[str] = []

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        refusal = _refusal(action, str(first).lower(), second)
        if refusal is None:
            return sqlite3.SQLITE_OK
        tried.append(refusal)
        return sqlite3.SQLITE_DENY

    def close() -> None:
        tried.append("`apply_in` must not close the connection that it shares")
        raise HostError(tried[-1])

    connection.set_authorizer(authorize)
    vars(connection)["close"] = close

    try:
        yield tried
    finally:
        vars(connection).pop("close", None)
        # A connection that was closed has no authorizer.
        with suppress(sqlite3.ProgrammingError):
            connection.set_authorizer(None)


def _refusal(action: int, first: str, second: str | None) -> str | None:
    """
    Why a statement is refused; None if it is not.
    """
    is_ours = action == sqlite3.SQLITE_SAVEPOINT and str(second).lower() == _SAVEPOINT

    if action == sqlite3.SQLITE_TRANSACTION or is_ours:
        return "`apply_in` must neither commit nor roll back, but raise"
    if action == sqlite3.SQLITE_PRAGMA and second is not None and first in _SETTINGS:
        return f"`apply_in` must not set `PRAGMA {first}` of the connection that it shares"

    return None


def _ensure_open(connection: sqlite3.Connection) -> None:
    """
    Not everything asks the authorizer: `INSERT OR ROLLBACK`, `RAISE(ROLLBACK)`
    in a trigger, a full disk, and `close()` end a transaction by themselves.
    """
    try:
        is_ongoing = connection.in_transaction
    except sqlite3.ProgrammingError:
        is_ongoing = False
        # By `sqlite3.Connection.close` itself: nothing may go on with it.
        connection.close()

    if not is_ongoing:
        raise TransactionEndedError
