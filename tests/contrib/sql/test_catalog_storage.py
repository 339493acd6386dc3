"""
The catalogue in a table of the host, on three databases.
"""

from decimal import Decimal

import attrs
import pytest
import sqlalchemy as sa

from conexxus_client import ConfigurationError, Item
from conexxus_client.conformance import RuleOutcome
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.contrib.sql import SqlCatalogStorage
from conexxus_sync.errors import HostError
from conexxus_sync.testing import CatalogStorageContract, ListChanges, item
from conexxus_sync.testing._adapter_check import CatalogCheck


COLUMNS = {"sku": "code", "name": "title", "price": "price"}


def products(engine, *more):
    """
    The table of a host, with the names that nobody should have to quote.
    """
    table = sa.Table(
        "order",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("store_id", sa.Integer, nullable=False, default=7),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("title", sa.String(200)),
        sa.Column("price", sa.Numeric(12, 2)),
        sa.Column("is_active", sa.Boolean),
        *more,
        sa.UniqueConstraint("store_id", "code"),
    )
    table.create(engine)
    return table


def storage_of(engine, **changed):
    arguments = {
        "table": "order",
        "columns": COLUMNS,
        "constants": {"store_id": 7},
        "active": "is_active",
    }
    return SqlCatalogStorage(engine, **{**arguments, **changed})


def rows(engine, table="order", key="id"):
    name = _quoted(engine, table)
    with engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY {key}"))
        return [dict(row) for row in found.mappings()]


def _quoted(engine, name):
    return engine.dialect.identifier_preparer.quote(name)


def active_prices(engine):
    return {
        row["code"]: round(Decimal(str(row["price"])), 2)
        for row in rows(engine)
        if row["is_active"]
    }


class TestActiveColumn(CatalogStorageContract):
    """
    Removed items stay in the table, and are not active.
    """

    many = 3_000

    @pytest.fixture
    def storage(self, engine):
        products(engine)
        self.engine = engine
        return storage_of(engine)

    def prices(self, storage):
        return active_prices(self.engine)


class TestDeletedRows(CatalogStorageContract):
    """
    Removed items are deleted; the storage itself says what it shows.
    """

    many = 2_000

    @pytest.fixture
    def storage(self, engine):
        products(engine)
        return storage_of(engine, active=None, delete_removed=True)


class TestOneConnection(CatalogStorageContract):
    """
    A connection, in whose transaction everything happens.
    """

    many = 1_000

    @pytest.fixture
    def storage(self, tmp_path):
        engine = sa.create_engine(
            f"sqlite:///{tmp_path / 'one.db'}",
            poolclass=sa.StaticPool,
            connect_args={"check_same_thread": False},
        )
        products(engine)
        with engine.connect() as connection, connection.begin() as transaction:
            yield storage_of(connection)
            transaction.rollback()
        assert active_prices(engine) == {}
        engine.dispose()


def test_rolled_back(engine):
    """
    What is applied in a block of `rolled_back` is taken back at its end.
    """
    products(engine)
    storage = storage_of(engine)

    with storage.rolled_back() as one:
        one.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))
        assert one.prices() == {"A": Decimal("1.00")}

    assert (storage.prices(), storage.last_applied("default")) == ({}, None)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
def test_check(engine):
    """
    A check of the rules beside real rows changes nothing in any table.
    """
    products(engine)
    storage = storage_of(engine, active=None, delete_removed=True)
    storage.apply(ListChanges(sequence=7, created=[item("A", "1.00")]))
    before = rows(engine)

    results = [*CatalogCheck(make=lambda: storage).results()]

    assert [it.rule for it in results if it.outcome is not RuleOutcome.KEPT] == [
        "many items in little memory"
    ]
    assert rows(engine) == before
    assert [row["sequence"] for row in rows(engine, "conexxus_catalog_sequence", "1")] == [7]


def test_rows_of_another_store_are_untouched(engine):
    """
    `constants` say which rows are of this catalogue.
    """
    table = products(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(table),
            [{"store_id": 8, "code": code, "title": "other", "price": 1} for code in "AB"],
        )
    storage = storage_of(engine)

    storage.apply(ListChanges(sequence=1, created=[item("A", "2.00"), item("C", "3.00")]))
    storage.apply(ListChanges(sequence=2, updated=[item("A", "4.00")], removed=[item("C", "3.00")]))

    found = [(row["store_id"], row["code"], row["title"], row["is_active"]) for row in rows(engine)]
    assert sorted(found, key=str) == [
        *[(7, "A", item("A", "1").name, True), (7, "C", item("C", "1").name, False)],
        *[(8, "A", "other", None), (8, "B", "other", None)],
    ]


def test_keys_of_rows_stay(engine):
    """
    A row is updated, not replaced: what refers to it still does.
    """
    products(engine)
    storage = storage_of(engine)
    storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))
    before = rows(engine)[0]["id"]

    storage.apply(ListChanges(sequence=2, removed=[item("A", "1.00")]))
    storage.apply(ListChanges(sequence=3, updated=[item("A", "2.00")]))

    (row,) = rows(engine)
    assert (row["id"], row["is_active"]) == (before, True)


def test_fields_and_row_hook(engine):
    """
    Other fields have columns, and a function derives the rest.
    """
    products(
        engine,
        sa.Column("group_name", sa.String(50)),
        sa.Column("age", sa.Integer),
        sa.Column("tags", sa.Text),
        sa.Column("cents", sa.Integer),
    )
    storage = storage_of(
        engine,
        columns={
            "sku": "code",
            "category": "group_name",
            "extra.minimumAge": "age",
            "extra.tags": "tags",
        },
        on_row=lambda row, item: {**row, "cents": int(item.price * 100)},
    )

    wine = Item(
        sku="WINE001",
        name="Wine",
        price=Decimal("24.99"),
        category="Wine",
        extra={"minimumAge": 21, "tags": ["red", Decimal("1.5")]},
    )
    storage.apply(ListChanges(sequence=1, created=[wine, item("A", "1.00")]))

    found = [(row["group_name"], row["age"], row["tags"], row["cents"]) for row in rows(engine)]
    assert found[0] == ("Wine", 21, '["red", "1.5"]', 2499)
    assert found[1][1:] == (None, None, 100)


def test_more_digits_than_the_column(engine):
    """
    A price is not rounded in silence.
    """
    products(engine)
    storage = storage_of(engine)

    with pytest.raises(HostError, match=r"the price 1\.239 of 'FUEL' has more digits than"):
        storage.apply(ListChanges(sequence=1, created=[item("A", "1.00"), item("FUEL", "1.239")]))

    assert rows(engine) == []
    assert storage.last_applied("default") is None


def test_removal_without_a_way(engine):
    """
    Without `active` and `delete_removed`, a removal is an error, not silence.
    """
    products(engine)
    storage = storage_of(engine, active=None)
    storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))

    with pytest.raises(HostError, match="'A' was removed, and the storage does not know how"):
        storage.apply(ListChanges(sequence=2, removed=[item("A", "1.00")]))


@pytest.mark.parametrize("engine", ["mariadb"], indirect=True)
def test_collation_that_ignores_case(engine):
    """
    `ab` is not taken for `AB`.
    """
    products(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE `order` MODIFY code VARCHAR(60) COLLATE utf8mb4_general_ci"
        )
    storage = storage_of(engine)
    storage.apply(ListChanges(sequence=1, created=[item("AB", "1.00")]))

    with pytest.raises(HostError, match="'code' finds 'AB' for another SKU"):
        storage.apply(ListChanges(sequence=2, created=[item("ab", "2.00")]))


def test_padded_column(engine):
    """
    A CHAR column fills its values up with spaces.
    """
    sa.Table(
        "fixed",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.CHAR(13)),
        sa.Column("price", sa.String(20)),
    ).create(engine)
    storage = SqlCatalogStorage(engine, table="fixed", columns={"sku": "code", "price": "price"})

    for sequence, price in enumerate(("1.00", "2.50"), 1):
        storage.apply(ListChanges(sequence=sequence, created=[item("0012", price)]))

    (row,) = rows(engine, "fixed")
    assert (row["code"].rstrip(), row["price"]) == ("0012", "2.50")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"table": "ordr"}, "the database has no table 'ordr' (did you mean 'order'?)"),
        (
            {"columns": {**COLUMNS, "name": "tittle"}},
            "table 'order' has no column 'tittle' (did you mean 'title'?)",
        ),
        ({"constants": {"shop": 1}}, "table 'order' has no column 'shop'"),
        ({"columns": {**COLUMNS, "sku": "id"}}, "'id' is INTEGER: SKUs are texts"),
        ({"columns": {**COLUMNS, "price": "weight"}}, "a price is exact in NUMERIC or VARCHAR"),
        ({"columns": {**COLUMNS, "price": "store_id"}}, "a price is exact in NUMERIC or VARCHAR"),
    ],
)
def test_table_that_does_not_fit(engine, changed, said):
    """
    The first use says what does not fit, with the nearest name.
    """
    products(engine, sa.Column("weight", sa.Float))

    with pytest.raises(ConfigurationError) as caught:
        storage_of(engine, **changed).apply(ListChanges(sequence=1))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"columns": {"sku": "code", "price": "price", "nmae": "x"}}, "(did you mean 'name'?)"),
        ({"columns": {"sku": "code"}}, "which column holds the price?"),
        ({"columns": {"price": "price"}}, "which column holds the sku?"),
        ({"delete_removed": True}, "active and delete_removed: give one of them"),
    ],
)
def test_arguments(changed, said):
    """
    What needs no database is said when the storage is made.
    """
    with pytest.raises(ConfigurationError) as caught:
        storage_of(sa.create_engine("sqlite://"), **changed)

    assert said in str(caught.value)


def test_asynchronous_engine():
    """
    The SDK is synchronous.
    """

    class AsyncEngine:
        pass

    with pytest.raises(ConfigurationError, match="engine is a AsyncEngine: give an Engine"):
        storage_of(AsyncEngine())


def test_row_hook_with_a_wrong_column(engine):
    """
    The hook's columns are those of the table.
    """
    products(engine)
    storage = storage_of(engine, on_row=lambda row, item: {**row, "titel": "x"})

    with pytest.raises(HostError, match=r"no column 'titel' \(did you mean 'title'\?\)"):
        storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))


def test_catalogue_of_a_back_office(engine, tmp_path):
    """
    A pull fills the table; after a restored backup of it, everything comes again.
    """
    products(engine)
    storage = storage_of(engine)

    with SandboxServer() as back_office:
        settings = {**back_office.env, "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'state.db'}"}
        with ConexxusService.from_env(settings, catalog=storage) as service:
            run = service.sync_inventory()
            location = service.config.location_id
            assert run.created == len(rows(engine)) == len(back_office.office.catalog)
            before = active_prices(engine)

            with engine.begin() as connection:
                connection.execute(sa.text(f"DELETE FROM {_quoted(engine, 'order')}"))
                connection.execute(sa.text("DELETE FROM conexxus_catalog_sequence"))
            service.sync_inventory()

    assert active_prices(engine) == before
    assert storage.last_applied(location) == 2


def test_sqlalchemy_table(engine):
    """
    A `Table` of the host says the types of its columns itself.
    """
    table = products(engine)
    storage = storage_of(engine, table=table)

    storage.apply(ListChanges(sequence=1, created=[attrs.evolve(item("A", "1.00"), name="x")]))

    assert [row["title"] for row in rows(engine)] == ["x"]
