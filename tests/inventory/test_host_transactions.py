"""
A host that shares our transaction can't end it, and nothing of a transaction
that did end is kept.
"""

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from conexxus_sync import RunStatus
from conexxus_sync.errors import TransactionEndedError
from conexxus_sync.model.api_connection import ApiConnection
from peeks import peek
from sites import Site


# PostgreSQL has other ways: test_host_transactions_postgres.py
DATABASES = ("sqlite",)


def items(*skus, price="1.00"):
    return [{"sku": sku, "name": f"Item {sku}", "price": price} for sku in skus]


def commits(connection):
    connection.commit()


def leaves_a_with_block(connection):
    with connection:
        pass


def runs_a_script(connection):
    connection.executescript("CREATE TABLE other (x)")


def rolls_back(connection):
    try:
        raise ValueError("constraint")
    except ValueError:
        connection.rollback()
        raise


def hides_a_rollback(connection):
    try:
        connection.rollback()
    except Exception:
        return


def turns_autocommit_on(connection):
    connection.isolation_level = ""
    connection.isolation_level = None


def frees_our_savepoint(connection):
    connection.execute("RELEASE conexxus_host")


def frees_our_savepoint_in_another_case(connection):
    connection.execute("release Conexxus_HOST")


def closes(connection):
    connection.close()


def hides_a_close(connection):
    with suppress(Exception):
        connection.close()


def makes_it_read_only(connection):
    connection.execute("PRAGMA query_only = ON")


def hides_a_setting(connection):
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA main.Query_Only = 1")


def takes_the_mark_of_the_store(connection):
    connection.execute("PRAGMA application_id = 7")


def rolls_back_by_conflict(connection):
    connection.execute("INSERT OR ROLLBACK INTO products VALUES ('S0', 'again')")


def rolls_back_by_trigger(connection):
    connection.execute(
        "CREATE TRIGGER no BEFORE DELETE ON products BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
    )
    connection.execute("DELETE FROM products")


WAYS = [
    commits,
    leaves_a_with_block,
    runs_a_script,
    rolls_back,
    hides_a_rollback,
    turns_autocommit_on,
    frees_our_savepoint,
    frees_our_savepoint_in_another_case,
    closes,
    hides_a_close,
    makes_it_read_only,
    hides_a_setting,
    takes_the_mark_of_the_store,
    rolls_back_by_conflict,
    rolls_back_by_trigger,
]


class Host:
    """
    Has its table in the SDK's own database, and ends the transaction when told.
    """

    way = None

    def apply_in(self, connection, changes):
        connection.execute("CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, price TEXT)")
        for item in [*changes.created, *changes.updated]:
            connection.execute(
                "INSERT OR REPLACE INTO products VALUES (?, ?)", (item.sku, str(item.price))
            )
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
@pytest.mark.parametrize("way", WAYS)
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
    assert products(site) == {"S0": "1.00", "S1": "1.00"}

    host.way = None
    again = site.pull(storage=host)

    assert (again.status, again.not_modified) == (RunStatus.SUCCESS, True)
    assert products(site) == {"S0": "2.00", "S1": "2.00"}


@pytest.mark.parametrize("way", WAYS)
def test_queue_is_kept_when_nothing_else_changed(site, host, way):
    """
    The same where only the queue is delivered: it waits for the next run.
    """
    host.way = way
    site.pull(items("S0", "S2"), storage=host)
    waiting = peek(site.store).mirror.counts()

    run = site.pull(storage=host)

    assert run.status is RunStatus.FAILED
    assert peek(site.store).mirror.counts() == waiting
    assert set(products(site)) == {"S0", "S1"}


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


def test_settings_that_do_no_harm(site, host):
    def looks(connection):
        assert connection.execute("PRAGMA table_info(products)").fetchall()
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA query_only")

    host.way = looks

    assert site.pull(items("S2"), storage=host).status is RunStatus.SUCCESS


def test_host_may_want_rows_of_its_own_kind(site, host):
    """
    What the host sets on the connection ends with its turn.
    """

    def wants_lists(connection):
        connection.row_factory = lambda cursor, row: list(row)
        connection.text_factory = bytes

    host.way = wants_lists

    assert site.pull(items("S2"), storage=host).status is RunStatus.SUCCESS


def test_closed_connection_leaves_nothing(site, host):
    """
    A host that closes the connection past its refusal stops the run; nothing is half done, and
    the next pull does it all.
    """
    before = site.dump("items", "checkpoints", "changes", "hosts", "products")
    host.way = sqlite3.Connection.close

    run = site.pull(items("S2"), storage=host)

    assert run.status is RunStatus.FAILED
    assert site.dump("items", "checkpoints", "changes", "hosts", "products") == before
    host.way = None
    assert site.pull(storage=host).created == 1
    assert set(products(site)) == {"S0", "S1", "S2"}


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
