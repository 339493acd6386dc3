"""
A host's table in the database of the SDK's own store, and in another.
"""

import sqlite3
from contextlib import closing

import psycopg
import pytest
import sqlalchemy as sa
from databases import postgres
from psycopg import sql

from conexxus_sync.contrib.sql import SqlCatalogStorage
from conexxus_sync.testing import ListChanges, item


@pytest.fixture
def storage(engine):
    with engine.begin() as db:
        db.exec_driver_sql("CREATE TABLE product (code VARCHAR(60), price NUMERIC(12, 2))")
    return SqlCatalogStorage(
        engine, table="product", columns={"sku": "code", "price": "price"}, delete_removed=True
    )


@pytest.fixture
def ours(engine, tmp_path):
    """
    A connection of the SDK to the same database, in a schema of its own; to
    some SQLite where there is no store in such a one.
    """
    if engine.dialect.name != "postgresql":
        with closing(sqlite3.connect(engine.url.database or "", isolation_level=None)) as found:
            yield found
        return

    schema = sql.Identifier(f"store_of_{tmp_path.name}"[:60])
    with psycopg.connect(postgres().server, autocommit=True) as found:
        found.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        found.execute(sql.SQL("SET search_path = {}").format(schema))
        found.execute("CREATE TABLE changes (x int)")
        yield found
        found.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
def test_same_database(storage, ours):
    """
    What is applied in a transaction of the SDK is a part of it.
    """
    assert storage.shares(ours)

    ours.execute("BEGIN")
    storage.apply_in(ours, ListChanges(sequence=1, created=[item("A", "1.00")]))
    ours.execute("ROLLBACK")
    assert (storage.prices(), storage.last_applied("default")) == ({}, None)

    ours.execute("BEGIN")
    storage.apply_in(ours, ListChanges(sequence=1, created=[item("A", "1.00")]))
    ours.execute("COMMIT")
    assert [*storage.prices()] == ["A"]
    assert storage.last_applied("default") == 1


def test_another_file(storage, tmp_path):
    """
    Another file, or another kind of database, is another database.
    """
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        assert not storage.shares(other)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_tables_of_one_name(storage, ours):
    """
    Where the host has a table that is called like one of the store, they are
    not mixed up.
    """
    with storage._engine.begin() as db:
        db.exec_driver_sql("CREATE TABLE changes (y int)")

    assert not storage.shares(ours)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_another_role(storage, ours):
    """
    The SDK's role may not be allowed what the host's is.
    """
    ours.execute("SET ROLE pg_monitor")

    assert not storage.shares(ours)
    ours.execute("RESET ROLE")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_one_connection(engine, storage, ours):
    """
    A storage that was given a connection keeps to it.
    """
    with engine.connect() as connection:
        one = SqlCatalogStorage(
            connection, table="product", columns={"sku": "code", "price": "price"}
        )
        assert not one.shares(ours)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_memory(ours):
    """
    Two databases in memory are two.
    """
    engine = sa.create_engine("sqlite://")
    with engine.begin() as db:
        db.exec_driver_sql("CREATE TABLE product (code VARCHAR(60), price TEXT)")
    one = SqlCatalogStorage(engine, table="product", columns={"sku": "code", "price": "price"})

    with closing(sqlite3.connect(":memory:")) as other:
        assert not one.shares(other)
    engine.dispose()
