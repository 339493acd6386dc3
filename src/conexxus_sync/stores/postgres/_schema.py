"""
Numbered migrations, one process at a time.
"""

from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from conexxus_sync.errors import StoreError

from ._spelling import spelled


_FOLDER = Path(__file__).with_name("migrations")
_TABLE = "CREATE TABLE conexxus_migrations (number BIGINT PRIMARY KEY)"


def migrate(connection: "psycopg.Connection[Any]", schema: str, *, lock: int) -> None:
    """
    Bring *schema* up to date.

    A role that may not create it finds it as its owner made it.

    Raises:
        StoreError: A newer version of the SDK made it.
    """
    known = len(_migrations())

    if _version(connection) != known:
        with connection.transaction():
            # Another process may have been here while we waited.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            _upgrade(connection, schema, known)


def _upgrade(connection: "psycopg.Connection[Any]", schema: str, known: int) -> None:
    version = _version(connection)

    if version > known:
        msg = (
            f"the schema {schema} of the store has version {version}, this conexxus-sdk knows "
            f"{known}: upgrade conexxus-sdk, or name another schema in CONEXXUS_STORE"
        )
        raise StoreError(msg)

    if version == 0:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        connection.execute(_TABLE)

    for number in range(version + 1, known + 1):
        for statement in _migrations()[number - 1].split(";\n"):
            if statement.strip():
                connection.execute(spelled(statement).encode())
        connection.execute("INSERT INTO conexxus_migrations VALUES (%s)", (number,))


def is_migrated(connection: "psycopg.Connection[Any]") -> bool:
    """
    Are there tables of a store, of whatever version?
    """
    return _version(connection) > 0


def _version(connection: "psycopg.Connection[Any]") -> int:
    found = connection.execute("SELECT to_regclass('conexxus_migrations')").fetchone()

    if found is None or found[0] is None:
        return 0

    row = connection.execute("SELECT coalesce(max(number), 0) FROM conexxus_migrations").fetchone()
    assert row is not None

    return int(row[0])


@cache
def _migrations() -> tuple[str, ...]:
    files = sorted(_FOLDER.glob("[0-9]*.sql"))
    return tuple(_without_comments(file.read_text(encoding="utf-8")) for file in files)


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("--"))
