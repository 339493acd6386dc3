"""
Facts about the catalogue storage in memory.
"""

import copy

import pytest

from conexxus_sync import CatalogStorage, RestorableCatalogStorage
from conexxus_sync.testing import ListChanges, MemoryCatalog, item


def prices(catalog):
    return {sku: str(each.price) for sku, each in catalog.items.items()}


def test_changes_become_visible():
    """
    Items are inserted, updated and removed by SKU.
    """
    catalog = MemoryCatalog()

    catalog.apply(ListChanges(sequence=1, created=[item("A", "1"), item("B", "1")]))
    catalog.apply(
        ListChanges(
            sequence=2, created=[item("C", "1")], updated=[item("A", "2")], removed=[item("B", "1")]
        )
    )

    assert prices(catalog) == {"A": "2", "C": "1"}


def test_changes_are_recorded():
    """
    It keeps the changes of each call, with their sequence and location.
    """
    catalog = MemoryCatalog()
    first = ListChanges(sequence=1, created=[item("A")], location_id="loc-001")
    second = ListChanges(sequence=2, removed=[item("A")], location_id="loc-001")

    catalog.apply(first)
    catalog.apply(second)

    assert catalog.received == [first, second]


def test_last_applied():
    """
    It has the sequence of the last changes of its location, and of no other.
    """
    catalog = MemoryCatalog()
    assert catalog.last_applied("default") is None

    catalog.apply(ListChanges(sequence=7, created=[item("A")]))

    assert catalog.last_applied("default") == 7
    assert catalog.last_applied("loc-002") is None
    assert isinstance(catalog, RestorableCatalogStorage)


def test_the_same_changes_again():
    """
    The second time they make no difference, removals included.
    """
    catalog = MemoryCatalog()
    catalog.apply(ListChanges(sequence=1, created=[item("A"), item("B")]))
    changes = ListChanges(sequence=2, updated=[item("A", "2")], removed=[item("B")])

    catalog.apply(changes)
    once = catalog.items
    catalog.apply(changes)

    assert catalog.items == once
    assert catalog.last_applied("default") == 2


def test_all_or_nothing():
    """
    Changes that break off while they are read leave the catalogue as it was.
    """

    class Broken:
        sequence, location_id, updated, removed = 2, "default", (), ()

        @property
        def created(self):
            yield item("B")
            raise OSError("the store is gone")

    catalog = MemoryCatalog()
    catalog.apply(ListChanges(sequence=1, created=[item("A")]))

    with pytest.raises(OSError, match="gone"):
        catalog.apply(Broken())

    assert (set(catalog.items), catalog.last_applied("default")) == ({"A"}, 1)


def test_one_location():
    """
    The changes of a second location are refused.
    """
    catalog = MemoryCatalog()
    catalog.apply(ListChanges(sequence=1, created=[item("A")], location_id="loc-001"))

    with pytest.raises(ValueError, match=r"'loc-001'.*'loc-002'"):
        catalog.apply(ListChanges(sequence=1, created=[item("B")], location_id="loc-002"))

    assert set(catalog.items) == {"A"}


def test_engines_fill_it(new_service, office):
    """
    A pull hands over what changed; the catalogue is that of the back office.
    """
    catalog: CatalogStorage = MemoryCatalog()
    service = new_service(catalog=catalog)

    service.sync_inventory()
    office.catalog = [{"sku": "A", "name": "A", "price": 2}, *office.catalog[2:]]
    service.sync_inventory()

    assert prices(catalog) == {"A": "2", "C": "1"}
    assert [each.sequence for each in catalog.received] == [1, 2]
    assert [each.sku for each in catalog.received[1].removed] == ["B"]


def test_backup_is_restored(new_service, office):
    """
    A copy that is put back gets everything again.
    """
    catalog = MemoryCatalog()
    new_service(catalog=catalog).sync_inventory()
    backup = copy.deepcopy(catalog)
    office.catalog = [{"sku": "A", "name": "A", "price": 2}, *office.catalog[1:]]
    new_service(catalog=catalog).sync_inventory()

    new_service(catalog=backup).sync_inventory()

    assert prices(backup) == prices(catalog) == {"A": "2", "B": "1", "C": "1"}
