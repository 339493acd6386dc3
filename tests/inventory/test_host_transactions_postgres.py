"""
A host that shares a transaction of PostgreSQL can't end it, and nothing of a
transaction that did end is kept.
"""

from contextlib import suppress

import psycopg
import pytest

from conexxus_sync import RunStatus


DATABASES = ("postgres",)


def items(*skus, price="1.00"):
    return [{"sku": sku, "name": f"Item {sku}", "price": price} for sku in skus]


def products(site):
    return dict(site.dump("products")["products"])


def commits(connection):
    connection.commit()


def rolls_back(connection):
    connection.rollback()


def commits_in_sql(connection):
    connection.execute("COMMIT")


def begins_anew(connection):
    connection.execute("COMMIT")
    connection.execute("BEGIN")


def begins_a_script_anew(connection):
    connection.execute("ROLLBACK; BEGIN; SELECT 1")


def frees_all_savepoints(connection):
    connection.execute("ROLLBACK AND CHAIN")


def frees_our_savepoint(connection):
    connection.execute('RELEASE SAVEPOINT "_pg3_1"')


def makes_it_read_only(connection):
    connection.execute("SET TRANSACTION READ ONLY")


def hides_an_error(connection):
    with suppress(psycopg.Error):
        connection.execute("NONSENSE")


def turns_autocommit_off(connection):
    connection.autocommit = False


WAYS = [
    commits,
    rolls_back,
    commits_in_sql,
    begins_anew,
    begins_a_script_anew,
    frees_all_savepoints,
    frees_our_savepoint,
    makes_it_read_only,
    hides_an_error,
    turns_autocommit_off,
]

UPSERT = """
INSERT INTO products VALUES (%s, %s) ON CONFLICT (sku) DO UPDATE SET price = excluded.price
"""


class Host:
    """
    Has its table in the SDK's own schema, and ends the transaction when told.
    """

    way = None

    def apply_in(self, connection, changes):
        connection.execute("CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, price TEXT)")
        for item in [*changes.created, *changes.updated]:
            connection.execute(UPSERT, (item.sku, str(item.price)))
        if self.way is not None:
            self.way(connection)


@pytest.fixture
def host(site):
    site.office.etag = "strong"
    host = Host()
    site.pull(items("S0", "S1"), storage=host)
    return host


@pytest.mark.parametrize("way", WAYS)
def test_transaction_can_not_be_ended(site, host, way):
    """
    However it is tried, the run fails and names the host, and the mirror is
    the new catalogue; what the host committed itself comes again.
    """
    host.way = way
    run = site.pull(items("S0", "S1", price="2.00"), storage=host)

    assert run.status is RunStatus.FAILED
    assert "the host's catalogue storage" in run.last_error
    assert run.updated == 2
    assert {str(item.price) for item in site.shelf.values()} == {"2.00"}

    host.way = None
    again = site.pull(storage=host)

    assert (again.status, again.not_modified) == (RunStatus.SUCCESS, True)
    assert products(site) == {"S0": "2.00", "S1": "2.00"}


def test_own_savepoints_are_welcome(site, host):
    """
    A part of what the host does may fail without the rest.
    """

    def tries(connection):
        with suppress(psycopg.Error), connection.transaction():
            connection.execute("DELETE FROM products")
            connection.execute("NONSENSE")

    host.way = tries

    assert site.pull(items("S2"), storage=host).status is RunStatus.SUCCESS
    assert set(products(site)) == {"S0", "S1", "S2"}


def test_closed_connection_leaves_nothing(site, host):
    """
    A host that closes the connection stops the run; nothing is half done, and
    the next pull does it all.
    """
    before = site.dump("items", "checkpoints", "changes", "hosts", "products")
    host.way = lambda connection: connection.close()

    run = site.pull(items("S2"), storage=host)

    assert run.status is RunStatus.FAILED
    assert site.dump("items", "checkpoints", "changes", "hosts", "products") == before
    host.way = None
    assert site.pull(storage=host).created == 1
    assert set(products(site)) == {"S0", "S1", "S2"}
