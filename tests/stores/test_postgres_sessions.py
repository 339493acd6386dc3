"""
Facts about one connection to a PostgreSQL: what is set on it, and what becomes of it.
"""

import os
from datetime import UTC, datetime

import psycopg
import pytest
from databases import postgres, store_at
from proxies import Proxy, end
from psycopg.rows import dict_row

from conexxus_sync import HostError, StoreError
from conexxus_sync.stores.postgres import PostgresStore, _connections, _postgres_session
from conexxus_sync.stores.postgres._known_freezes import KnownFreezes


DATABASES = ("postgres",)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SET = "INSERT INTO sales_freezes (location, number) VALUES (?, ?)"
ALL = "SELECT location, number FROM sales_freezes ORDER BY location"
STRANGER = f"another_program_{os.getpid()}"
ROLE = f"conexxus_of_a_host_{os.getpid()}"


@pytest.fixture
def both(tmp_path):
    return store_at(tmp_path / "store")


@pytest.fixture
def store(both):
    return both.at("loc-001")


def rows(store):
    with store.read() as state:
        return state.session.execute(ALL).fetchall()


def setting(state, name):
    return state.session.execute(f"SHOW {name}").fetchone()[0]


def backend(state):
    return state.session.execute("SELECT pg_backend_pid()").fetchone()[0]


def with_options(store, options):
    url = postgres().url(store.database.address.schema)
    return PostgresStore(f"{url}&{options}").at("loc-001")


def test_outcome_that_can_not_be_read(both, store, monkeypatch):
    """
    While the server has the transaction open, it is neither committed nor not.
    """
    monkeypatch.setattr(_postgres_session, "READS_OF_OUTCOME", 2)
    proxy, called = Proxy(postgres().server), []
    far = PostgresStore(proxy.url(both.address.schema)).at("loc-001")

    def write():
        with far.write() as state:
            state.session.execute(SET, ("a", 1))
            state.session.after_commit(lambda: called.append("committed"))
            proxy.lose = "both"

    with pytest.raises(StoreError, match="whether it was committed can't be read back"):
        write()

    far.database.close()
    proxy.close()
    assert called == []


def test_outcome_without_a_server(both, store, monkeypatch):
    """
    Where no other connection can be opened, it is unknown, too.
    """
    proxy = Proxy(postgres().server)
    far = PostgresStore(proxy.url(both.address.schema)).at("loc-001")

    def write():
        with far.write() as state:
            state.session.execute(SET, ("a", 1))
            proxy.lose, proxy.then = "request", lambda: end(proxy.listener)

    with pytest.raises(StoreError, match="whether it was committed can't be read back"):
        write()

    far.database.close()
    proxy.close()
    assert rows(store) == []


@pytest.fixture
def role():
    connection = postgres().connection
    connection.execute(f"CREATE ROLE {ROLE}")
    yield ROLE
    connection.execute(f"DROP ROLE {ROLE}")


@pytest.mark.case(
    "E14",
    "a host sets the search path, the role or the rows of the PostgreSQL connection that it shares",
    "it ends with its turn: the rest of the transaction and the next one are not touched",
)
@pytest.mark.parametrize(
    "statement",
    [
        "SET search_path = public",
        "SET ROLE {}",
        "SET SESSION AUTHORIZATION {}",
        "SET statement_timeout = 1",
        "SET lock_timeout = 0",
        "SET bytea_output = escape",
    ],
)
def test_settings_of_a_host(store, role, statement):
    """
    They end with its part of the transaction.
    """
    with store.write() as state:
        names = ("search_path", "role", "session_authorization", "statement_timeout")
        names = (*names, "lock_timeout", "bytea_output")
        before = [setting(state, name) for name in names]
        with state.session.attempt():
            state.session.raw.execute(statement.format(role))
        assert [setting(state, name) for name in names] == before
        state.session.execute(SET, ("a", 1))

    assert rows(store) == [("a", 1)]


def test_rows_of_a_host(store):
    """
    So does the kind of rows that it wants.
    """
    with store.write() as state:
        with state.session.attempt():
            state.session.raw.row_factory = dict_row
        state.session.execute(SET, ("a", 1))
        assert state.session.execute(ALL).fetchall() == [("a", 1)]


@pytest.mark.case(
    "E14",
    "a host makes the PostgreSQL transaction that it shares read-only",
    "it is refused: the delivery has failed, and the rest is committed",
)
def test_a_host_that_makes_it_read_only(store):
    """
    The rest of the transaction can still be written.
    """

    def make_it_read_only(session):
        with session.attempt():
            session.raw.execute("SET TRANSACTION READ ONLY")

    with store.write() as state:
        with pytest.raises(HostError, match="must not make the transaction read-only"):
            make_it_read_only(state.session)
        state.session.execute(SET, ("a", 1))

    assert rows(store) == [("a", 1)]


def test_what_a_host_did_to_a_connection(store):
    """
    One that a host had is not used again: it may listen, or hold locks.
    """
    with store.write() as state:
        shared = backend(state)
        with state.session.attempt():
            state.session.raw.execute("LISTEN something; SELECT pg_advisory_lock(7)")

    with store.read() as state:
        assert backend(state) != shared
    assert postgres().connection.execute("SELECT pg_try_advisory_lock(7)").fetchone() == (True,)
    postgres().connection.execute("SELECT pg_advisory_unlock(7)")


def test_a_connection_is_used_again(store):
    """
    If no host had it, until it is old.
    """
    with store.write() as state:
        first = backend(state)
    with store.read() as state:
        assert backend(state) == first


def test_an_old_connection(store, monkeypatch):
    """
    It is closed, as the server may have another address by now.
    """
    with store.write() as state:
        first = backend(state)
    monkeypatch.setattr(_connections, "LONGEST_LIFE_S", -1)

    with store.read() as state:
        assert backend(state) != first


def test_limits(both):
    """
    No statement, lock or idle transaction lasts for ever.
    """
    store = with_options(both, "statement_timeout=77")
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")

    with store.read() as state:
        assert [setting(state, name) for name in names] == ["77s", "77s", "10s"]
    with store.short_timeout(), store.read() as state:
        assert setting(state, "lock_timeout") == "1s"


def test_durability(both):
    """
    A transaction outlasts the loss of power unless it may be lost.
    """
    store = with_options(both, "options=-c%20synchronous_commit%3Don")

    with store.database.write(location="loc-001") as session:
        assert session.execute("SHOW synchronous_commit").fetchone() == ("on",)
    with store.database.write(location="loc-001", durable=False) as session:
        assert session.execute("SHOW synchronous_commit").fetchone() == ("off",)
    with store.database.write(location="loc-001") as session:
        assert session.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_snapshot(store):
    """
    All of its reads see one state, and it writes nothing.
    """
    with store.snapshot() as state:
        assert state.session.execute(ALL).fetchall() == []
        with other(store).write() as writing:
            writing.session.execute(SET, ("a", 1))
        assert state.session.execute(ALL).fetchall() == []
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            state.session.execute(SET, ("b", 1))
        state.session.pooled.raw.execute("ROLLBACK")


def other(store):
    return PostgresStore(postgres().url(store.database.address.schema)).at("loc-001")


def test_writers_of_other_schemas(store, tmp_path):
    """
    They do not wait, though the location has the same name.
    """
    elsewhere = store_at(tmp_path / "other").at("loc-001")

    with store.write(), elsewhere.short_timeout(), elsewhere.write() as state:
        state.session.execute(SET, ("a", 1))


def test_calls_of_a_transaction_that_failed(store):
    """
    They are not made by the next one.
    """
    called = []

    def fail():
        with store.write() as state:
            state.session.after_commit(lambda: called.append("first"))
            raise RuntimeError

    with store.keep_open():
        with pytest.raises(RuntimeError):
            fail()
        with store.write() as state:
            state.session.after_commit(lambda: called.append("second"))

    assert called == ["second"]


def test_a_run_that_was_fenced_off(store):
    """
    It writes nothing under a lease that another has taken since.
    """
    lost = store.leases.acquire("sales", "first", NOW)
    store.leases.release(lost)
    store.leases.acquire("sales", "second", NOW)

    def write():
        with store.write(lost) as state:
            state.session.execute(SET, ("a", 1))

    with pytest.raises(Exception, match="lost its lease"):
        write()
    assert rows(store) == []


@pytest.mark.case(
    "D3",
    "`CONEXXUS_STORE` names a schema of PostgreSQL with tables of another program",
    "it is refused before anything is created; another schema of the database is a store",
)
def test_schema_of_another_program(tmp_path):
    """
    Tables beside those of something else could have their names.
    """
    connection = postgres().connection
    connection.execute(f"CREATE SCHEMA {STRANGER} CREATE TABLE theirs (x int)")
    url = postgres().url(STRANGER)

    try:
        store = PostgresStore(url)
        with pytest.raises(StoreError, match="tables of another program"), store.at("a").read():
            pass
        query = f"SELECT tablename FROM pg_tables WHERE schemaname = '{STRANGER}'"
        assert connection.execute(query).fetchall() == [("theirs",)]
        assert not store.database.exists()
    finally:
        connection.execute(f"DROP SCHEMA {STRANGER} CASCADE")


def test_idle_connections_of_a_parent(store):
    """
    A child process does not use them.
    """
    with store.read() as state:
        parent = backend(state)
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        with store.read() as state:
            os.write(writing, str(backend(state)).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(reading, 100)) != parent
    os.close(reading)
    os.close(writing)


def test_known_freezes_only_grow():
    """
    A store that lags behind does not make the process forget.
    """
    known = KnownFreezes(f"a database of {os.getpid()}")

    for number in (3, 1):
        known.write("loc-001", number)

    assert known.numbers() == {"loc-001": 3}
