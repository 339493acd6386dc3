"""
What only a PostgreSQL has: other connections, other servers, and their ends.
"""

import os
import threading
from contextlib import contextmanager, suppress

import psycopg
import pytest
from databases import postgres, store_at
from proxies import Proxy

from conexxus_sync import StoreError
from conexxus_sync.stores.postgres import PostgresStore, _connections, _schema
from conexxus_sync.stores.sqlite import SqliteStore
from peeks import peek


DATABASES = ("postgres",)
SET = "INSERT INTO sales_freezes (location, number) VALUES (?, ?)"
ALL = "SELECT location, number FROM sales_freezes ORDER BY location"


@pytest.fixture
def both(tmp_path):
    return store_at(tmp_path / "store")


@pytest.fixture
def store(both):
    return both.at("loc-001")


def rows(store):
    with store.read() as state:
        return state.session.execute(ALL).fetchall()


def backend(state):
    return state.session.execute("SELECT pg_backend_pid()").fetchone()[0]


def terminate(process):
    postgres().connection.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))


def test_ended_while_idle(store):
    """
    A connection that the server ended is not used again.
    """
    with store.read() as state:
        process = backend(state)
    terminate(process)

    with store.write() as state:
        assert backend(state) != process


def test_ended_in_a_transaction(store):
    """
    Nothing of it is kept, and the next one goes on.
    """

    def end_it():
        with store.write() as state:
            state.session.execute(SET, ("a", 1))
            terminate(backend(state))
            state.session.execute(SET, ("b", 1))

    with pytest.raises(StoreError, match="stopped or is starting"):
        end_it()

    assert rows(store) == []


def test_an_error_that_was_caught(store):
    """
    PostgreSQL would roll back and report success.
    """

    def hide_it():
        with store.write() as state:
            state.session.execute(SET, ("a", 1))
            with suppress(psycopg.Error):
                state.session.execute("NONSENSE")

    with pytest.raises(StoreError, match="rolled its transaction back"):
        hide_it()

    assert rows(store) == []


@pytest.fixture
def proxied(both):
    """
    The store behind a proxy.
    """
    proxy = Proxy(postgres().server)
    store = PostgresStore(proxy.url(both.address.schema)).at("loc-001")

    yield proxy, store

    store.database.close()
    proxy.close()


@pytest.mark.parametrize("lost", ["answer", "request"])
def test_connection_lost_during_commit(store, proxied, lost):
    """
    What became of it is read back: it is no error if it was committed.
    """
    proxy, far = proxied
    called = []

    def write():
        with far.write() as state:
            state.session.execute(SET, ("a", 1))
            state.session.after_commit(lambda: called.append("committed"))
            proxy.lose = lost

    if lost == "answer":
        write()
        assert rows(store) == [("a", 1)]
    else:
        with pytest.raises(StoreError):
            write()
        assert rows(store) == []

    assert called == (["committed"] if lost == "answer" else [])
    assert rows(far) == rows(store)


@contextmanager
def holding(store):
    """
    Another thread that writes to *store*.
    """
    held, done = threading.Event(), threading.Event()

    def hold():
        with store.write():
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_one_writer_of_a_location(both, store, monkeypatch):
    """
    Another waits for as long as it may; those of other locations do not wait.
    """
    with holding(store):
        with both.at("loc-002").write() as state:
            state.session.execute(SET, ("b", 2))
        with (
            pytest.raises(StoreError, match="Another process holds it"),
            store.short_timeout(),
            store.write(),
        ):
            pass

    with store.write() as state:
        state.session.execute(SET, ("a", 1))
    assert rows(store) == [("a", 1), ("b", 2)]


def test_all_connections_in_use(both, monkeypatch):
    """
    It says so, and which setting allows more.
    """
    monkeypatch.setattr(_connections, "LONGEST_WAIT_S", 0)
    few = PostgresStore(f"{postgres().url(both.address.schema)}&connections=1").at("loc-001")

    with (
        few.write(),
        pytest.raises(StoreError, match="connections="),
        few.database.read(apart=True),
    ):
        pass
    assert rows(few) == []


@contextmanager
def role(name, *grants, options=""):
    """
    A role that logs in, with *grants*.
    """
    connection = postgres().connection
    connection.execute(f"CREATE ROLE {name} LOGIN {options}")
    try:
        for grant in grants:
            connection.execute(grant)
        yield postgres().server.replace("postgres:@", f"{name}@").replace("postgres@", f"{name}@")
    finally:
        connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_the_server_has_no_connection_left(both, store):
    """
    It says what to raise or to lower.
    """
    rows(store)
    schema = both.address.schema

    with role(
        "conexxus_limited",
        f"GRANT USAGE ON SCHEMA {schema} TO conexxus_limited",
        options="CONNECTION LIMIT 0",
    ) as url:
        limited = PostgresStore(f"{url}&schema={schema}").at("loc-001")
        with pytest.raises(StoreError, match="no connection left"), limited.read():
            pass


def test_least_privileges(both, store):
    """
    A role that may neither create tables nor schemas pulls, pushes and stages.
    """
    rows(store)
    schema, name = both.address.schema, f"conexxus_least_{os.getpid()}"
    grants = (
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}",
        f"GRANT TEMPORARY ON DATABASE postgres TO {name}",
    )

    with role(name, *grants) as url:
        least = PostgresStore(f"{url}&schema={schema}").at("loc-001")
        with least.write() as state:
            state.session.execute(SET, ("a", 1))
            state.staging.open()
        with pytest.raises(StoreError, match="use-postgresql"), least.write() as state:
            state.session.execute("DROP TABLE sales_freezes")
        least.database.close()


def test_a_server_that_only_reads(both, store):
    """
    A standby says which setting finds the primary.
    """
    rows(store)
    url = postgres().url(both.address.schema)
    standby = PostgresStore(f"{url}&options=-c%20default_transaction_read_only%3Don").at("loc-001")

    with pytest.raises(StoreError, match="target_session_attrs"), standby.write() as state:
        state.session.execute(SET, ("a", 1))
    assert rows(standby) == []


def test_a_statement_that_takes_too_long(both):
    """
    It is ended, and the setting is named.
    """
    slow = PostgresStore(f"{postgres().url(both.address.schema)}&statement_timeout=1").at("x")

    with pytest.raises(StoreError, match="statement_timeout="), slow.read() as state:
        state.session.execute("SELECT pg_sleep(30)").fetchone()


def test_a_newer_schema(both, store):
    """
    It is refused before anything is read.
    """
    with store.write() as state:
        state.session.execute("INSERT INTO conexxus_migrations VALUES (999)")

    try:
        with (
            pytest.raises(StoreError, match="version 999"),
            PostgresStore(postgres().url(both.address.schema)).at("loc-001").read(),
        ):
            pass
    finally:
        with store.write() as state:
            state.session.execute("DELETE FROM conexxus_migrations WHERE number = 999")


def test_many_begin_at_once(tmp_path):
    """
    Threads that all find no tables make them once.
    """
    start, errors = threading.Barrier(6), []
    schema = f"fresh_{os.getpid()}"
    url = postgres().url(schema)

    def begin():
        store = PostgresStore(url).at("loc-001")
        start.wait()
        try:
            rows(store)
        except StoreError as exc:
            errors.append(exc)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = rows(PostgresStore(url).at("loc-001"))
    postgres().connection.execute(f"DROP SCHEMA {schema} CASCADE")

    assert errors == []
    assert found == []


def test_child_process(store):
    """
    It opens connections of its own, and the parent's go on.
    """
    with store.read() as state:
        parent = backend(state)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            with store.read() as own:
                os.write(writing, str(backend(own)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert int(os.read(reading, 100)) != parent
        assert backend(state) == parent
    os.close(reading)
    os.close(writing)


def test_a_service_gives_its_connections_back(new_service, both):
    """
    Once it is closed, none is open; the next unit of work opens another.
    """
    idle = both.database.connections._idle

    with new_service(store=both) as service:
        service.health()
        assert idle
    assert not idle

    with both.at("loc-001").read() as state:
        assert backend(state)


def test_nothing_temporary_is_left(store):
    """
    What one unit of work staged is not there for the next.
    """
    with store.read() as state:
        state.staging.open()
        process = backend(state)

    with store.read() as state:
        assert backend(state) == process
        assert state.session.execute("SELECT to_regclass('pg_temp.stage')").fetchone() == (None,)


def test_a_server_that_lags_behind(both, store):
    """
    While the process lives, a store that forgot a freeze is noticed.
    """
    with store.write() as state:
        state.freezes.advance()
        state.freezes.advance()
    with store.write() as state:
        state.session.execute("UPDATE sales_freezes SET number = 1")

    with both.at("loc-001").read() as state:
        assert state.freezes.numbers().is_behind


def test_tables_are_those_of_sqlite(both, tmp_path):
    """
    Each table has the same columns, may be empty where SQLite's may, and has
    the same primary key.
    """
    query = """
    SELECT c.table_name, c.column_name, c.is_nullable = 'NO', k.column_name IS NOT NULL
    FROM information_schema.columns AS c LEFT JOIN (
        information_schema.table_constraints AS t
        JOIN information_schema.key_column_usage AS k USING (constraint_schema, constraint_name)
    ) ON t.constraint_type = 'PRIMARY KEY' AND t.table_schema = c.table_schema
        AND t.table_name = c.table_name AND k.column_name = c.column_name
    WHERE c.table_schema = ?
    """
    with both.at("loc-001").read() as state:
        rows = state.session.execute(query, (both.address.schema,)).fetchall()
    theirs = {tuple(row) for row in rows if row[0] != "conexxus_migrations"}

    with SqliteStore(tmp_path / "store.db").at("loc-001").read() as state:
        ours = {
            (table, name, bool(needed or key), bool(key))
            for (table,) in state.session.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            for _, name, _, needed, _, key in state.session.execute(
                f"PRAGMA table_info({table})"
            ).fetchall()
            # The mark of a file's generation.
            if table != "store_generation"
        }

    assert theirs == ours


def test_texts_are_sorted_by_their_bytes(both):
    """
    As in SQLite, whatever the database's own order is.
    """
    query = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = ? AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
    """
    with both.at("loc-001").read() as state:
        assert state.session.execute(query, (both.address.schema,)).fetchall() == []


def test_older_schema(monkeypatch):
    """
    It is brought up to date, with what it holds.
    """
    schema = f"older_{os.getpid()}"
    later = _schema.migrations("postgres")
    monkeypatch.setattr(_schema, "migrations", lambda _: later[:14])
    with PostgresStore(postgres().url(schema)).at("loc-001").write() as state:
        state.session.execute(
            "INSERT INTO items VALUES ('loc-001', 'A', ?, 'n', '1.00', NULL, NULL, NULL, NULL,"
            " 'r1', 'r2', NULL, 3, '2.00')",
            (b"x",),
        )
    monkeypatch.setattr(_schema, "migrations", lambda _: later)

    try:
        (entry,) = peek(PostgresStore(postgres().url(schema)).at("loc-001")).mirror.items()
    finally:
        postgres().connection.execute(f"DROP SCHEMA {schema} CASCADE")

    assert (entry.item.sku, str(entry.item.price)) == ("A", "1.00")
