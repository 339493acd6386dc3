"""
Facts about the text of the statements: SQLite and PostgreSQL both take it.
"""

import os
import re
from contextlib import closing

import databases
import psycopg
import pytest
from statements import statements

from conexxus_sync.stores.postgres._spelling import spelled
from conexxus_sync.stores.sqlite import SqliteStore


DATABASES = ("sqlite",)
# Spellings that only one of the two takes, each with the reason.
EXCEPTIONS: dict[str, str] = {}

STATEMENTS = statements()
TEMPORARY = {name: text for name, text in STATEMENTS.items() if re.match(r"\s*CREATE TEMP", text)}


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """
    What creates the tables and indexes of a store.
    """
    path = tmp_path_factory.mktemp("store") / "conexxus.db"
    with SqliteStore(path).at("loc").read() as state:
        rows = state.session.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            " ORDER BY type DESC, name"
        ).fetchall()

    return [sql for (sql,) in rows]


@pytest.fixture(scope="module")
def postgres(schema):
    """
    A PostgreSQL with the same tables.
    """
    name = f"statements_{os.getpid()}"

    with psycopg.connect(databases.postgres().server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"SET search_path = {name}")
        for statement in [*schema, *_tables()]:
            connection.execute(spelled(statement))
        for statement in _views():
            # In place of the table of this name.
            with connection.transaction(force_rollback=True):
                connection.execute(f"DROP TABLE {re.search('VIEW (.*?) AS', statement)[1]}")
                connection.execute(spelled(statement))
        yield connection
        connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    """
    A store with its temporary tables.
    """
    store = SqliteStore(tmp_path_factory.mktemp("store") / "conexxus.db").at("loc")

    with store.read() as state:
        for statement in [*_tables(), *_views(), *_tables()]:
            state.session.create_temporary(statement)
        yield state.session.raw


def _tables():
    """
    Those made of others come after these.
    """
    tables = {text for text in TEMPORARY.values() if "TEMP TABLE" in text}
    return sorted(tables, key=lambda text: " AS\nSELECT" in text)


def _views():
    return {text for text in TEMPORARY.values() if "TEMP VIEW" in text}


def test_all_statements_are_found():
    """
    A store has many, and none is put together at run time.
    """
    assert len(set(STATEMENTS.values())) > 170
    assert not any("%s" in text or "{" in text for text in STATEMENTS.values())


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name not in TEMPORARY])
def test_postgres_takes_it(postgres, name):
    """
    PostgreSQL prepares the same text, with its own types and parameters.
    """
    statement = spelled(STATEMENTS[name])

    if re.match(r"\s*CREATE INDEX", statement):
        postgres.execute(statement)
        return

    postgres.execute(f"PREPARE one AS {statement}")
    postgres.execute("DEALLOCATE one")


@pytest.mark.parametrize("name", [name for name in STATEMENTS if name not in TEMPORARY])
def test_sqlite_takes_it(sqlite, name):
    """
    So does SQLite.
    """
    statement = STATEMENTS[name]
    marks = re.findall(r"\?(\d*)", statement)
    count = max(int(mark) for mark in marks) if any(marks) else len(marks)

    with closing(sqlite.execute(f"EXPLAIN {statement}", ("x",) * count)) as found:
        assert found.fetchone() is not None


def test_few_exceptions():
    """
    What is spelled in two ways is listed, and there is little of it.
    """
    assert len(EXCEPTIONS) <= 8
