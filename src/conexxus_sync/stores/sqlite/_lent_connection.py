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
def _cursors_closed(connection: sqlite3.Connection) -> Iterator[None]:
    """
    Close what the host does not: a read that is left in the middle would keep
    every later transaction of the connection from beginning.
    """
    cursors: list[sqlite3.Cursor] = []
    makers = ("cursor", "execute", "executemany", "executescript")

    def noted(make: Callable[..., sqlite3.Cursor]) -> Callable[..., sqlite3.Cursor]:
        def made(*arguments: Any) -> sqlite3.Cursor:
            cursors.append(cursor := make(*arguments))
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
        # A connection that was closed has no authorizer.
        with suppress(sqlite3.ProgrammingError):
            connection.set_authorizer(None)


def _ensure_open(connection: sqlite3.Connection) -> None:
    """
    Not everything asks the authorizer: `INSERT OR ROLLBACK`, `RAISE(ROLLBACK)`
    in a trigger, a full disk, and `close()` end a transaction by themselves.
    """
    try:
        is_ongoing = connection.in_transaction
    except sqlite3.ProgrammingError:
        is_ongoing = False

    if not is_ongoing:
        raise TransactionEndedError
