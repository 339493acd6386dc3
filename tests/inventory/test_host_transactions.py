"""
A host that shares our transaction can't end it, and nothing of a transaction
that did end is kept.
"""

import sqlite3
from datetime import UTC, datetime

import psycopg
import pytest
from databases import BOTH, host_sql, in_sqlite

from conexxus_sync import RunStatus
from conexxus_sync.errors import TransactionEndedError
from conexxus_sync.model.api_connection import ApiConnection
from peeks import peek
from sites import Site

from .ended_transactions import IN_POSTGRES, IN_SQLITE, begins_anew, commits_in_sql


DATABASES = BOTH


def items(*skus, price="1.00"):
    return [{"sku": sku, "name": f"Item {sku}", "price": price} for sku in skus]


UPSERT = """
INSERT INTO products VALUES (?, ?) ON CONFLICT (sku) DO UPDATE SET price = excluded.price
"""

CLOSE = {"sqlite": sqlite3.Connection.close, "postgres": psycopg.Connection.close}

# A transaction of PostgreSQL ends by statements, too; what was committed comes again.
IS_COMMITTED = (commits_in_sql, begins_anew)

each_way = pytest.mark.parametrize(
    ("database", "way"),
    [("sqlite", way) for way in IN_SQLITE] + [("postgres", way) for way in IN_POSTGRES],
    indirect=["database"],
)


class Host:
    """
    Has its table in the SDK's own database, and ends the transaction when told.
    """

    way = None

    def apply_in(self, connection, changes):
        connection.execute("CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, price TEXT)")
        for item in [*changes.created, *changes.updated]:
            connection.execute(host_sql(UPSERT), (item.sku, str(item.price)))
        if self.way is not None:
            self.way(connection)


@pytest.fixture
def host(site):
    site.office.etag = "strong"
    host = Host()
    site.pull(items("S0", "S1"), storage=host)
    return host


def products(site):
    return dict(site.dump("products")["products"])


@pytest.mark.case(
    "E14",
    "a host closes the connection that it shares, sets `query_only`, or releases the savepoint in "
    "capitals",
    "it is refused: the delivery has failed, and the catalogue is pulled",
)
@each_way
def test_transaction_can_not_be_ended(site, host, way):
    """
    However it is tried, the run fails and names the host, none of what the
    host wrote is kept, and the mirror is the new catalogue with its checkpoint.
    """
    host.way = way
    run = site.pull(items("S0", "S1", price="2.00"), storage=host)

    assert run.status is RunStatus.FAILED
    assert "the host's catalogue storage" in run.last_error
    assert run.updated == 2
    assert {str(item.price) for item in site.shelf.values()} == {"2.00"}
    assert way in IS_COMMITTED or products(site) == {"S0": "1.00", "S1": "1.00"}

    host.way = None
    again = site.pull(storage=host)

    assert (again.status, again.not_modified) == (RunStatus.SUCCESS, True)
    assert products(site) == {"S0": "2.00", "S1": "2.00"}


@each_way
def test_queue_is_kept_when_nothing_else_changed(site, host, way):
    """
    The same where only the queue is delivered: it waits for the next run.
    """
    host.way = way
    site.pull(items("S0", "S2"), storage=host)
    waiting = peek(site.store).mirror.counts()

    run = site.pull(storage=host)

    assert run.status is RunStatus.FAILED
    if way not in IS_COMMITTED:
        assert peek(site.store).mirror.counts() == waiting
        assert set(products(site)) == {"S0", "S1"}

    host.way = None
    site.pull(storage=host)

    assert set(products(site)) == {"S0", "S1", "S2"}


def test_own_savepoints_are_welcome(site, host):
    """
    A part of what the host does may fail without the rest.
    """

    def tries(connection):
        connection.execute("SAVEPOINT mine")
        connection.execute("DELETE FROM products")
        connection.execute("ROLLBACK TO mine")
        connection.execute("RELEASE mine")

    host.way = tries

    assert site.pull(items("S2"), storage=host).status is RunStatus.SUCCESS
    assert set(products(site)) == {"S0", "S1", "S2"}


@in_sqlite
def test_settings_that_do_no_harm(site, host):
    def looks(connection):
        assert connection.execute("PRAGMA table_info(products)").fetchall()
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA query_only")

    host.way = looks

    assert site.pull(items("S2"), storage=host).status is RunStatus.SUCCESS


@in_sqlite
def test_host_may_want_rows_of_its_own_kind(site, host):
    """
    What the host sets on the connection ends with its turn.
    """

    def wants_lists(connection):
        connection.row_factory = lambda cursor, row: list(row)
        connection.text_factory = bytes

    host.way = wants_lists

    assert site.pull(items("S2"), storage=host).status is RunStatus.SUCCESS


def test_closed_connection_leaves_nothing(site, host, database):
    """
    A host that closes the connection, past its refusal if there is one, stops
    the run; nothing is half done, and the next pull does it all.
    """
    before = site.dump("items", "checkpoints", "changes", "hosts", "products")
    host.way = CLOSE[database]

    run = site.pull(items("S2"), storage=host)

    assert run.status is RunStatus.FAILED
    assert site.dump("items", "checkpoints", "changes", "hosts", "products") == before
    host.way = None
    assert site.pull(storage=host).created == 1
    assert set(products(site)) == {"S0", "S1", "S2"}


@in_sqlite
def test_failed_unit_of_work_is_named(site):
    """
    Where the transaction is gone, the store says so instead of going on
    without one.
    """

    def end_it():
        with site.store.write() as state, state.session.attempt():
            state.session.raw.set_authorizer(None)
            state.session.raw.rollback()

    with pytest.raises(TransactionEndedError, match="neither commit nor roll back"):
        end_it()


CALL = ApiConnection(
    checked_at=datetime(2026, 1, 2, 9, tzinfo=UTC), reached=True, latency=None, error=None
)


class KeepingHost(Host):
    """
    Leaves what it reads in the middle, and asks Python for transactions.
    """

    kept = None

    def apply_in(self, connection, changes):
        super().apply_in(connection, changes)
        self.kept = connection.execute("SELECT sku FROM products")
        next(self.kept)
        connection.isolation_level = "DEFERRED"


@pytest.mark.case(
    "D2",
    "a host that shares the transaction keeps a cursor that is not at its end",
    "it is closed: the next transaction begins, whatever others committed meanwhile",
)
@in_sqlite
def test_cursor_that_a_host_keeps(site):
    """
    What a host did to the connection does not outlive its part.
    """
    host = KeepingHost()
    others = Site(site.path)

    def commit_elsewhere(step):
        if step in ("committed", "release"):
            with others.store.write() as state:
                state.api_calls.record(CALL, CALL.checked_at)

    for names in (["A", "B", "C"], ["A", "B", "C", "D"]):
        run = site.pull(items(*names), storage=host, failpoint=commit_elsewhere)
        assert run.status is RunStatus.SUCCESS
        assert set(products(site)) == set(names)
        assert others.store.leases.holder("inventory", site.clock.now()) is None
        with pytest.raises(sqlite3.ProgrammingError):
            next(host.kept)
