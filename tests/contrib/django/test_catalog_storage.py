"""
The catalogue in a model of the host, on two databases.
"""

from decimal import Decimal

import pytest
from django.db import connections, transaction

from conexxus_client import ConfigurationError, Item
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.contrib.django import ModelCatalogStorage
from conexxus_sync.errors import HostError
from conexxus_sync.testing import CatalogStorageContract, ListChanges, item
from django_till.models import Product


FIELDS = {"sku": "code", "name": "title", "price": "price"}


def storage_of(alias="default", **changed):
    arguments = {
        "model": Product,
        "fields": FIELDS,
        "constants": {"store_id": 7},
        "active": "is_active",
        "using": alias,
    }
    return ModelCatalogStorage(**{**arguments, **changed})


def rows(alias, *names):
    return [*Product.objects.using(alias).order_by("pk").values_list(*names)]


def memory_on(first, later):
    """
    In which database the rule about memory is tried, and in which later.
    """

    @pytest.mark.parametrize(
        "alias", [first, pytest.param(later, marks=pytest.mark.long)], indirect=True
    )
    def test(self, storage):
        CatalogStorageContract.test_many_items_in_little_memory(self, storage)

    return test


class TestActiveField(CatalogStorageContract):
    """
    Removed items stay in the table, and are not active.
    """

    many = 3_000

    @pytest.fixture
    def storage(self, alias):
        return storage_of(alias)

    def prices(self, storage):
        found = Product.objects.using(storage._using).filter(is_active=True)
        return dict(found.values_list("code", "price"))


class TestDeletedRows(CatalogStorageContract):
    """
    Removed items are deleted; the storage itself says what it shows.
    """

    many = 4_000

    @pytest.fixture
    def storage(self, alias):
        return storage_of(alias, active=None, delete_removed=True)

    test_many_items_in_little_memory = memory_on("default", "postgres")


class TestSkuAsKey(CatalogStorageContract):
    """
    The SKU is the key of the model, and prices are texts.
    """

    many = 4_000

    @pytest.fixture
    def storage(self, alias):
        return ModelCatalogStorage(
            "django_till.Article",
            fields={"sku": "sku", "price": "price"},
            delete_removed=True,
            using=alias,
        )

    test_many_items_in_little_memory = memory_on("postgres", "default")


class TestInATransaction(TestActiveField):
    """
    Part of a transaction of the host, as in its own tests.
    """

    many = 4_000

    @pytest.fixture
    def storage(self, alias):
        with transaction.atomic(using=alias):
            yield storage_of(alias)
            transaction.set_rollback(True, using=alias)

    # Another thread does not see the transaction: the rule is none of it.
    test_thread = None
    test_many_items_in_little_memory = memory_on("default", "postgres")


def test_rolled_back(alias):
    """
    What is applied in a block of `rolled_back` is taken back at its end.
    """
    storage = storage_of(alias)

    with storage.rolled_back() as one:
        one.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))
        assert one.prices() == {"A": Decimal("1.00")}

    assert (storage.prices(), storage.last_applied("default")) == ({}, None)


def test_rows_of_another_store_are_untouched(alias):
    """
    `constants` say which rows are of this catalogue.
    """
    for code in "AB":
        Product.objects.using(alias).create(store_id=8, code=code, title="other", price=1)
    storage = storage_of(alias)

    storage.apply(ListChanges(sequence=1, created=[item("A", "2.00"), item("C", "3.00")]))
    storage.apply(ListChanges(sequence=2, updated=[item("A", "4.00")], removed=[item("C", "3.00")]))

    assert sorted(rows(alias, "store_id", "code", "title", "is_active"), key=str) == [
        *[(7, "A", item("A", "1").name, True), (7, "C", item("C", "1").name, False)],
        *[(8, "A", "other", None), (8, "B", "other", None)],
    ]


def test_error_after_the_first_rows(alias, monkeypatch):
    """
    What was written before a later row failed is taken back.
    """
    monkeypatch.setattr("conexxus_sync.contrib.django._model_catalog._BATCH", 1)

    with pytest.raises(HostError, match="more digits"):
        storage_of(alias).apply(
            ListChanges(sequence=1, created=[item("A", "1.00"), item("FUEL", "1.239")])
        )

    assert rows(alias, "code") == []


def test_keys_of_rows_stay(alias):
    """
    A row is updated, not replaced: what refers to it still does.
    """
    storage = storage_of(alias)
    storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))
    before = rows(alias, "pk")

    storage.apply(ListChanges(sequence=2, removed=[item("A", "1.00")]))
    storage.apply(ListChanges(sequence=3, updated=[item("A", "2.00")]))

    assert rows(alias, "pk", "is_active") == [(*before[0], True)]


def test_fields_and_row_hook(alias):
    """
    Other fields have columns, a function derives the rest, and what an item
    does not have is what the field begins with.
    """
    storage = storage_of(
        alias,
        fields={"sku": "code", "category": "group", "extra.note": "note", "extra.tags": "tags"},
        on_row=lambda row, item: {**row, "cents": int(item.price * 100)},
    )
    wine = Item(
        sku="WINE001",
        name="Wine",
        price=Decimal("24.99"),
        category="Wine",
        extra={"note": {"a": 1}, "tags": ["red", Decimal("1.5")]},
    )

    storage.apply(ListChanges(sequence=1, created=[wine, item("A", "1.00")]))

    assert rows(alias, "group", "note", "tags", "cents") == [
        ("Wine", '{"a": 1}', ["red", "1.5"], 2499),
        ("", None, None, 100),
    ]


def test_more_digits_than_the_field(alias):
    """
    A price is not rounded in silence.
    """
    storage = storage_of(alias)

    with pytest.raises(HostError, match=r"the price 1\.239 of 'FUEL' has more digits than"):
        storage.apply(ListChanges(sequence=1, created=[item("A", "1.00"), item("FUEL", "1.239")]))

    assert rows(alias, "code") == []
    assert storage.last_applied("default") is None


def test_removal_without_a_way(alias):
    """
    Without `active` and `delete_removed`, a removal is an error, not silence.
    """
    storage = storage_of(alias, active=None)
    storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))

    with pytest.raises(HostError, match="'A' was removed, and the storage does not know how"):
        storage.apply(ListChanges(sequence=2, removed=[item("A", "1.00")]))


def test_row_hook_with_a_wrong_field(alias):
    """
    The hook's fields are those of the model.
    """
    storage = storage_of(alias, on_row=lambda row, item: {**row, "titel": "x"})

    with pytest.raises(HostError, match=r"no field 'titel' \(did you mean 'title'\?\)"):
        storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fields": {**FIELDS, "name": "tittle"}}, "no field 'tittle' (did you mean 'title'?)"),
        ({"fields": {**FIELDS, "nmae": "title"}}, "(did you mean 'name'?)"),
        ({"fields": {"sku": "code"}}, "which column holds the price?"),
        ({"fields": {"price": "price"}}, "which column holds the sku?"),
        (
            {"constants": {"shop": 1}},
            "constants: the model django_till.Product has no field 'shop'",
        ),
        ({"active": "activ"}, "active: the model django_till.Product has no field 'activ'"),
        ({"fields": {**FIELDS, "sku": "id"}}, "'id' is a BigAutoField: SKUs are texts"),
        ({"fields": {**FIELDS, "price": "weight"}}, "'weight' is a FloatField: a price is exact"),
        ({"fields": {**FIELDS, "price": "cents"}}, "'cents' is a IntegerField: a price is exact"),
        ({"delete_removed": True}, "active and delete_removed: give one of them"),
    ],
)
def test_arguments(changed, said):
    """
    What does not fit the model is said when the storage is made, without a
    look at the database.
    """
    with pytest.raises(ConfigurationError) as caught:
        storage_of(**changed)

    assert said in str(caught.value)


def test_connections_are_closed(alias):
    """
    A thread of a scheduler keeps no connection; one that was open stays so.
    """
    storage = storage_of(alias)
    connections[alias].close()

    storage.apply(ListChanges(sequence=1, created=[item("A", "1.00")]))
    assert connections[alias].connection is None

    connections[alias].ensure_connection()
    storage.last_applied("loc-001")
    assert connections[alias].connection is not None


def test_catalogue_of_a_back_office(alias, tmp_path):
    """
    A pull fills the table; after a restored backup of it, everything comes again.
    """
    storage = storage_of(alias)

    with SandboxServer() as back_office:
        settings = {**back_office.env, "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'state.db'}"}
        with ConexxusService.from_env(settings, catalog=storage) as service:
            run = service.sync_inventory()
            location = service.config.location_id
            before = rows(alias, "code", "price")
            assert run.created == len(before) == len(back_office.office.catalog)

            Product.objects.using(alias).all().delete()
            storage._sequences().all().delete()
            service.sync_inventory()

    assert rows(alias, "code", "price") == before
    assert storage.last_applied(location) == 2
