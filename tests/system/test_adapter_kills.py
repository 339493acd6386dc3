"""
A process that is killed while an adapter writes the host's table leaves the
old catalogue or the new one.

Killed before each statement of the host's database, before its commit, and
after it; in SQLite, PostgreSQL and MariaDB.
"""

import signal
from contextlib import contextmanager, nullcontext

import pytest
import sqlalchemy as sa
from databases import IS_SMALL, other_database, postgres, store_at
from host_databases import engine  # noqa: F401 - a fixture

from conexxus_sync import RunStatus
from conexxus_sync.contrib.django import ModelCatalogStorage, _model_catalog
from conexxus_sync.contrib.sql import SqlCatalogStorage, _catalog_storage
from conexxus_sync.testing import ListChanges
from django_site import alias  # noqa: F401 - a fixture

from .kill_steps import Killer, in_child


COLUMNS = {"sku": "code", "name": "title", "price": "price"}
# Several batches of each kind; one item is gone, one is new, the rest stays.
OLD = {f"S{n:02}": "1.00" for n in range(30)}
NEW = {**OLD, **dict.fromkeys(list(OLD)[:12], "2.00"), "X": "3.00"}
del NEW["S29"]
BATCH = 5

ENDS = {"commit", "committed", "host applied"}
STEPS = {"update products", "insert products", "delete products", "update sequence", "commit"}


class SqlShop:
    """
    A host with SQLAlchemy.
    """

    def __init__(self, bind):
        self.engine, self.database = bind, bind.dialect.name
        sa.Table(
            "product",
            sa.MetaData(),
            sa.Column("code", sa.String(60), primary_key=True),
            sa.Column("title", sa.String(200)),
            sa.Column("price", sa.Numeric(12, 2)),
        ).create(bind)
        self.storage = SqlCatalogStorage(
            bind, table="product", columns=COLUMNS, delete_removed=True
        )

    def forget_connections(self):
        """
        Those of its parent are no child's.
        """
        self.engine.dispose(close=False)

    @property
    def watched_engines(self):
        return self.engine

    @contextmanager
    def watched(self, step):
        def executed(connection, cursor, statement, *_):
            step(named(statement))

        def committed(connection):
            step("commit")

        sa.event.listen(self.watched_engines, "before_cursor_execute", executed)
        sa.event.listen(self.watched_engines, "commit", committed)
        try:
            yield
        finally:
            sa.event.remove(self.watched_engines, "before_cursor_execute", executed)
            sa.event.remove(self.watched_engines, "commit", committed)

    @property
    def table(self):
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT code, price FROM product")).all()
        return {code: f"{price:.2f}" for code, price in rows}


class SharingShop(SqlShop):
    """
    One whose tables are in the database of the store: its own engine only looks.
    """

    watched_engines = sa.Engine


class DjangoShop:
    """
    A host with Django.
    """

    def __init__(self, using):
        from django.db import connections

        from django_till.models import Product

        self.connections, self.alias = connections, using
        self.database = connections[using].vendor
        self.rows = Product.objects.using(using)
        self.storage = ModelCatalogStorage(
            Product, fields=COLUMNS, delete_removed=True, using=using
        )

    def forget_connections(self):
        assert self.connections[self.alias].connection is None

    @contextmanager
    def watched(self, step):
        connection = self.connections[self.alias]
        commit = connection._commit

        def executed(execute, statement, *arguments):
            step(named(statement))
            return execute(statement, *arguments)

        def committed():
            step("commit")
            commit()

        connection._commit = committed
        try:
            with connection.execute_wrapper(executed):
                yield
        finally:
            del connection._commit

    @property
    def table(self):
        found = {code: f"{price:.2f}" for code, price in self.rows.values_list("code", "price")}
        self.connections[self.alias].close()
        return found


def named(statement):
    table = "sequence" if "sequence" in statement else "products"
    return f"{statement.split(None, 1)[0].lower()} {table}"


class BatchByBatch:
    """
    Wrong: each batch is a transaction of its own.
    """

    def __init__(self, storage):
        self.storage = storage
        self.last_applied = storage.last_applied

    def apply(self, changes):
        for kind in ("created", "updated", "removed"):
            for items in _catalog_storage._batches(getattr(changes, kind)):
                part = {kind: items, "location_id": changes.location_id}
                self.storage.apply(ListChanges(sequence=changes.sequence, **part))


class Proof:
    """
    Kills pulls, and says what it found wrong afterwards.
    """

    first, last = "host", "host applied"

    def __init__(self, site, shop):
        self.site, self.shop, self.storage = site, shop, shop.storage

    def pull(self, prices, step=lambda name: None):
        upstream = [{"sku": sku, "name": "x", "price": price} for sku, price in prices.items()]
        with self.shop.watched(step):
            return self.site.pull(upstream, storage=self.storage, failpoint=step)

    def steps(self):
        """
        Each step of the host's part of a pull, in order: name and number.
        """
        self.pull(OLD)
        counted, found = Killer(), []

        def step(name):
            counted(name)
            found.append((name, counted.seen[name]))

        self.pull(NEW, step)
        return found[found.index((self.first, 1)) : found.index((self.last, 1)) + 1]

    def killed_at(self, step):
        """
        Kill a pull of the new catalogue, on top of the old one.
        """

        def work():
            self.shop.forget_connections()
            self.pull(NEW, Killer(step))

        assert in_child(work) == signal.SIGKILL, step

    def problems(self, step):
        """
        What is wrong after a kill at *step*.
        """
        self.pull(OLD)
        before = self.storage.last_applied("loc-001")
        assert self.shop.table == OLD
        self.killed_at(step)
        table, sequence = self.shop.table, self.storage.last_applied("loc-001")

        if table not in (OLD, NEW):
            yield f"{step}: a mixed table"
        elif sequence != before + (table == NEW):
            yield f"{step}: the sequence is not that of the table"
        if (table == NEW) != (step[0] == self.last):
            yield f"{step}: the table is not that before the commit, or after it"
        if self.pull(NEW).status is not RunStatus.SUCCESS or self.shop.table != NEW:
            yield f"{step}: the next pull does not end at the new catalogue"


class ProofOfOne(Proof):
    """
    Of catalogue and mirror, which change together.
    """

    first, last = "merge", "committed"

    @property
    def mirror(self):
        return {sku: str(item.price) for sku, item in self.site.shelf.items()}

    def killed_at(self, step):
        super().killed_at(step)
        assert self.mirror == self.shop.table, step


@pytest.fixture(autouse=True)
def _several_batches(monkeypatch):
    monkeypatch.setattr(_catalog_storage, "_BATCH", BATCH)
    monkeypatch.setattr(_model_catalog, "_BATCH", BATCH)


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.long)])
def chosen(request):
    """
    Which of a list of steps are proven: all; the last of each name; the end.
    """
    is_long = request.param == "long"

    def choose(steps, database):
        if is_long and not IS_SMALL:
            return steps
        names = STEPS | ENDS if is_long or database == "sqlite" else ENDS
        return [(name, number) for name, number in dict(steps).items() if name in names]

    return choose


def check(proof, chosen):
    steps = proof.steps()
    mine = chosen(steps, proof.shop.database)

    assert {name for name, _ in steps} >= STEPS
    assert [it for step in mine for it in proof.problems(step)] == []


def test_killed_in_sql(new_site, engine, chosen):  # noqa: F811 - the fixture
    """
    `SqlCatalogStorage`: the old catalogue or the new one, with its sequence,
    and the next pull ends at the new one.
    """
    check(Proof(new_site(removals="deactivate"), SqlShop(engine)), chosen)


def test_killed_in_django(new_site, alias, chosen):  # noqa: F811 - the fixture
    """
    So does `ModelCatalogStorage`.
    """
    check(Proof(new_site(removals="deactivate"), DjangoShop(alias)), chosen)


@pytest.fixture
def site(request, new_site, tmp_path):
    """
    A store in the database of the shop: its file is made by the store.
    """
    chosen = request.node.callspec.params
    name = chosen.get("alias", chosen.get("engine"))
    is_file = name in ("default", "sqlite")
    file = "till.db" if "alias" in chosen else "shop.db"
    with nullcontext() if is_file else other_database():
        site = new_site(path=tmp_path / file, store=store_at, removals="deactivate")
    with site.store.write():
        pass
    yield site
    site.store.database.close()
    if not is_file:
        postgres().give_back()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
def test_killed_in_one_transaction_in_sql(site, engine, chosen):  # noqa: F811 - the fixture
    """
    Where the host's database is the store's, mirror and catalogue are the old
    ones or the new ones together.
    """
    check(ProofOfOne(site, SharingShop(engine)), chosen)


@pytest.mark.long
def test_killed_in_one_transaction_in_django(site, alias, chosen):  # noqa: F811 - the fixture
    """
    So are those of `ModelCatalogStorage`.
    """
    check(ProofOfOne(site, DjangoShop(alias)), chosen)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_wrong_design_is_caught(new_site, engine):  # noqa: F811 - the fixture
    """
    A storage that commits each batch leaves a mixed table.
    """
    proof = Proof(new_site(removals="deactivate"), SqlShop(engine))
    proof.storage = BatchByBatch(proof.storage)

    assert "('update products', 1): a mixed table" in [*proof.problems(("update products", 1))]
