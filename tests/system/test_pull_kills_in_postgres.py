"""
The proof of `test_pull_kills` with a store in PostgreSQL: killed after each
exchange with the server that follows a step.
"""

import os
import shutil
import signal

import psycopg
import pytest
from databases import IS_SMALL, database, in_postgres, postgres, url_of

from conexxus_sync.stores.postgres import PostgresStore, _connections
from conexxus_sync.stores.postgres._connections import Connections
from conexxus_sync.stores.postgres._postgres_database import PostgresDatabase

from .test_pull_kills import OLD, HostElsewhere, Proof, Till


__all__ = ["database"]

TIMES = 1 if IS_SMALL else 20
CASES = [("elsewhere", {}), ("here", OLD)]
if not IS_SMALL:
    CASES += [("elsewhere", OLD), ("here", {})]

pytestmark = [in_postgres, pytest.mark.long, pytest.mark.timeout(3_600)]


class CountedConnection(psycopg.Connection):
    """
    Tells the database at work of each exchange before it begins.
    """

    owner = None

    def wait(self, *arguments, **options):
        if self.owner is not None:
            self.owner.database.count()
        return super().wait(*arguments, **options)


class CountedConnections(Connections):
    """
    Those of all stores here; the last store that was made is at work.
    """

    def open(self):
        found = CountedConnection.connect(self.address.with_password(), autocommit=True)
        found.owner = self
        return found


class KilledDatabase(PostgresDatabase):
    """
    Ends the process after so many exchanges, once it is told to.
    """

    left = None
    seen = 0

    def count(self):
        self.seen += 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.left is not None:
            self.left -= 1


def killed_store(path):
    store = PostgresStore(url_of(path))
    store.database = KilledDatabase(store.address)
    # Registered, so that a child gives up what its parent has opened.
    ours = _connections._all.setdefault("counted", CountedConnections(store.address))
    store.database.connections, ours.database = ours, store.database

    return store


class HostHere:
    """
    Has its table in the schema of the SDK.
    """

    def apply_in(self, connection, changes):
        for item in [*changes.created, *changes.updated]:
            connection.execute(
                "INSERT INTO products VALUES (%s, %s)"
                " ON CONFLICT (sku) DO UPDATE SET price = excluded.price",
                (item.sku, str(item.price)),
            )
        for item in changes.removed:
            connection.execute("DELETE FROM products WHERE sku = %s", (item.sku,))


class PostgresTill(Till):
    """
    One folder with the host's table, unless it is in the schema, and pulls.
    """

    make_store = staticmethod(killed_store)

    def __init__(self, new_site, folder, kind):
        super().__init__(new_site, folder, kind)
        self.host = HostElsewhere(self.products) if kind == "elsewhere" else HostHere()

    @property
    def schema(self):
        return self.site.store.database.address.schema

    def make_table(self):
        if self.kind == "elsewhere":
            super().make_table()
        else:
            postgres().connection.execute(
                f"CREATE TABLE {self.schema}.products (sku TEXT PRIMARY KEY, price TEXT)"
            )

    @property
    def table(self):
        if self.kind == "elsewhere":
            return super().table
        return dict(postgres().connection.execute(f"SELECT sku, price FROM {self.schema}.products"))


class PostgresProof(Proof):
    till_type = PostgresTill

    def copy(self, name):
        """
        A till that has the old catalogue, in an empty folder and schema.
        """
        shutil.rmtree(self.tmp_path / name, ignore_errors=True)
        till = self.till(name)
        with till.site.store.read():
            pass
        postgres().empty(till.schema)
        till.prepare(self.catalogue)
        return till


@pytest.mark.parametrize(("kind", "old"), CASES)
def test_killed(new_site, tmp_path, kind, old):
    """
    Killed anywhere, mirror and host are the old catalogue or the new one,
    each of them whole; the next pull starts at once and ends at the new one.
    """
    proof = PostgresProof(new_site, tmp_path, kind, old)

    assert list(proof.all_problems(TIMES)) == []
    assert proof.kills == proof.all_kills(TIMES)
    print(f"{sum(proof.kills.values())} kills ({kind}, {len(old)} items known)")
