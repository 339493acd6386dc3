"""
The rules of a storage beside real rows: each bad storage breaks its own, and these rows stay.
"""

from decimal import Decimal

import pytest

from conexxus_client.conformance import RuleOutcome
from conexxus_sync.testing import CatalogStorageContract, ListChanges, item
from conexxus_sync.testing._adapter_check import CatalogCheck, check_orders

from . import test_catalog_contract as storages
from . import test_order_contract as sources


class Stocked(storages.Shop):
    """
    One that has a catalogue.
    """

    def __init__(self):
        super().__init__()
        self.apply(ListChanges(sequence=7, created=[item("12", "5.00")], location_id="loc-001"))


def check(storage, **options):
    """
    A check of one storage, whatever is asked to make it anew.
    """
    one = storage()
    return CatalogCheck(make=lambda: one, **options)


def broken(results):
    found = [it for it in results if it.outcome is RuleOutcome.BROKEN]
    return {it.rule.replace(" ", "_"): it.message for it in found}


def test_good_storage():
    """
    A good storage keeps all rules, and afterwards it has what it had.
    """
    one = Stocked()
    check = CatalogCheck(make=lambda: one, with_many=True)

    results = [*check.results()]

    assert {it.outcome for it in results} == {RuleOutcome.KEPT}
    assert len(results) == sum(name.startswith("test_") for name in vars(CatalogStorageContract))
    assert one.prices() == {"12": Decimal("5.00")}
    assert one.last_applied("loc-001") == 7
    assert check.left == []


WRONG = {
    "Inserts": "To mend it, write created items by upsert: `INSERT",
    "CommitsBatches": "write all batches in one transaction",
    "NotesFirst": "To mend it, note the sequence in the transaction of the changes",
    "Numbers": "To mend it, keep the SKU in a text column",
    "Swallows": "it must raise the error",
}


@pytest.mark.parametrize("name", WRONG)
def test_broken_storage(name):
    """
    A storage breaks the rule that it is about, and hears how to mend it.
    """
    wrong = getattr(storages, name)
    (rule,) = storages.BROKEN[wrong].split()

    found = broken(CatalogCheck(make=wrong).results())

    assert [*found] == [rule]
    assert WRONG[name] in found[rule]


class ReplacesAll(Stocked):
    """It takes the changes for the whole catalogue."""

    def write(self, changes):
        self.database.execute("DELETE FROM product")
        storages.Shop.write(self, changes)


def test_real_rows_in_danger():
    """
    A storage that touches other items is examined no further.
    """
    results = [*check(ReplacesAll).results()]

    assert [it.rule for it in results] == ["is done when it returns", "other items"]
    assert "items that were not among its changes" in results[1].message


class OneSequence(Stocked):
    """It has one sequence for all locations."""

    def last_applied(self, location_id):
        return self.last_sequence()


def test_real_sequence_in_danger():
    """
    Nothing is written into a storage that would forget how far it has come.
    """
    one = OneSequence()

    (result,) = CatalogCheck(make=lambda: one).results()

    assert result.message.startswith("last_applied is 7 for a location that never had changes")
    assert one.prices() == {"12": Decimal("5.00")}


class KeepsRemoved(Stocked):
    """It removes nothing."""

    remove = storages.KeepsRemoved.remove


def test_items_that_stay():
    """
    What could not be removed again is known.
    """
    examined = check(KeepsRemoved)

    assert [*broken(examined.results())] == ["changes_are_visible"]
    assert examined.left
    assert all(it.startswith(examined.token) or examined.number in it for it in examined.left)


def test_rules_of_sources():
    """
    Sources are examined by the rules of their contract.
    """
    assert broken(check_orders(sources.Till(), sources.Rules())) == {}
    assert [*broken(check_orders(sources.Nothing(), sources.Rules()))] == ["empty_day"]
