"""
Whether a host's tables are in the SDK's own database, whose connection its library then uses.

Connections are those of `sqlite3` and `psycopg`, as they come.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


# A server that runs, one of its databases, and as whom.
_SERVER = """
SELECT pg_postmaster_start_time(), oid, current_user
FROM pg_database WHERE datname = current_database()
"""
# A table of the host and one of the store may not have one name, in sight of both.
_MIXED_UP = """
SELECT count(*) FROM pg_tables WHERE schemaname = %s
AND to_regclass(quote_ident(tablename)) <>
    to_regclass(quote_ident(schemaname) || '.' || quote_ident(tablename))
"""
_SEE_TOO = "SELECT set_config('search_path', current_setting('search_path') || ', ' || %s, true)"


def shared_path(ours: Any, theirs: Any) -> str | None:
    """
    The schemas in which the host's tables are looked for, where *ours* is a
    connection to the same database as *theirs*, by the same driver; "" where a
    database has none, and None where it is another database.
    """
    drivers = {_driver(ours), _driver(theirs)}

    if drivers == {"sqlite3"}:
        file = _file(ours)
        return "" if file is not None and file == _file(theirs) else None
    if drivers == {"psycopg"} and _row(ours, _SERVER) == _row(theirs, _SERVER):
        (schema,) = _row(ours, "SELECT current_schema()")
        if _row(theirs, _MIXED_UP, (schema,)) == (0,):
            return str(_row(theirs, "SHOW search_path")[0])

    return None


@contextmanager
def lent_connection(connection: Any, path: str) -> Iterator[Any]:
    """
    *connection* for a library of the host, which finds its tables by *path*, and
    whose commits, rollbacks and closing do nothing: the transaction is not its own.
    """
    if path:
        connection.execute(_SEE_TOO, (path,))

    yield _Lent(connection)


def _driver(connection: Any) -> str:
    """
    The module of its class, or of the class that it extends.
    """
    roots = [each.__module__.partition(".")[0] for each in type(connection).__mro__]

    return next((it for it in roots if it in ("sqlite3", "psycopg")), roots[0])


def _file(connection: Any) -> tuple[int, int] | None:
    """
    Which file the main database is; None in memory.
    """
    for _, name, path in connection.execute("PRAGMA database_list").fetchall():
        if name == "main" and path:
            found = Path(path).stat()
            return found.st_dev, found.st_ino

    return None


def _row(connection: Any, statement: str, values: tuple[Any, ...] = ()) -> Any:
    with connection.cursor() as cursor:
        return cursor.execute(statement, values).fetchone()


class _Lent:
    cursor_factory: Any = None

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def cursor(self, *arguments: Any, **named: Any) -> Any:
        if self.cursor_factory is None:
            return self._connection.cursor(*arguments, **named)

        return self.cursor_factory(self._connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        pass

    rollback = close = commit
