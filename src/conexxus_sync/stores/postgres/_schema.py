"""
Numbered migrations, one process at a time.
"""

from typing import Any

import psycopg
from psycopg import sql

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._migration_files import migrations, newer

from ._spelling import spelled


_FIND_TABLE = """
SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = 'conexxus_migrations'
"""
_ANY_TABLE = "SELECT 1 FROM pg_tables WHERE schemaname = %s LIMIT 1"
_TABLE = "CREATE TABLE conexxus_migrations (number BIGINT PRIMARY KEY)"


def migrate(connection: "psycopg.Connection[Any]", schema: str, *, lock: int) -> None:
    """
    Bring *schema* up to date.

    A role that may not create it finds it as its owner made it.

    Raises:
        StoreError: A newer version of the SDK made it, or another program.
    """
    known = len(migrations("postgres"))

    if _version(connection, schema) != known:
        with connection.transaction():
            # Another process may have been here while we waited.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            _upgrade(connection, schema, known)


def _upgrade(connection: "psycopg.Connection[Any]", schema: str, known: int) -> None:
    version = _version(connection, schema)

    if version > known:
        raise newer(f"in the schema {schema}", version, known)

    if version == 0:
        _refuse_stranger(connection, schema)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        connection.execute(_TABLE)

    for number in range(version + 1, known + 1):
        # Together, in one message.
        connection.execute(";".join(map(spelled, migrations("postgres")[number - 1])).encode())
        connection.execute("INSERT INTO conexxus_migrations VALUES (%s)", (number,))


def _refuse_stranger(connection: "psycopg.Connection[Any]", schema: str) -> None:
    """
    Refuse tables of something else: theirs may have the names of ours.
    """
    if connection.execute(_ANY_TABLE, (schema,)).fetchone():
        msg = (
            f"the schema {schema} has tables of another program, and none of conexxus-sdk: "
            "name another one by schema= in CONEXXUS_STORE; nothing was created"
        )
        raise StoreError(msg)


def is_migrated(connection: "psycopg.Connection[Any]", schema: str) -> bool:
    """
    Are there tables of a store, of whatever version?
    """
    return _version(connection, schema) > 0


def _version(connection: "psycopg.Connection[Any]", schema: str) -> int:
    # `to_regclass` would not see what was made while a lock was waited for.
    if connection.execute(_FIND_TABLE, (schema,)).fetchone() is None:
        return 0

    row = connection.execute("SELECT coalesce(max(number), 0) FROM conexxus_migrations").fetchone()
    assert row is not None

    return int(row[0])
