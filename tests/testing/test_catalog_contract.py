"""
Facts about the rules of a `CatalogStorage`: good ones keep all, and each bad one breaks its own.
"""

import gc
import sqlite3
import struct
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from threading import get_ident

import pytest

from conexxus_sync.testing import CatalogStorageContract, MemoryCatalog

from .broken_rules import broken_rules


class Shop:
    """
    A storage as a host would write it, in SQLite.
    """

    sku = "TEXT COLLATE BINARY"
    upsert = (
        "INSERT INTO product VALUES (?, ?) ON CONFLICT (sku) DO UPDATE SET price = excluded.price"
    )
    update = upsert

    def __init__(self):
        self.database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.database.execute(f"CREATE TABLE product (sku {self.sku} PRIMARY KEY, price TEXT)")
        self.database.execute("CREATE TABLE applied (location TEXT PRIMARY KEY, sequence INT)")

    def __del__(self):
        self.database.close()

    def apply(self, changes):
        self.database.execute("BEGIN")
        try:
            self.write(changes)
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def write(self, changes):
        self.upsert_all(self.upsert, changes.created)
        self.upsert_all(self.update, changes.updated)
        self.remove(changes.removed)
        self.note(changes)

    def upsert_all(self, statement, items):
        self.database.executemany(statement, ((item.sku, self.price(item)) for item in items))

    def price(self, item):
        return str(item.price)

    def remove(self, items):
        self.database.executemany("DELETE FROM product WHERE sku = ?", ((i.sku,) for i in items))

    def note(self, changes):
        self.database.execute(
            "REPLACE INTO applied VALUES (?, ?)", (changes.location_id, changes.sequence)
        )

    def last_applied(self, location_id):
        rows = self.database.execute(
            "SELECT sequence FROM applied WHERE location = ?", (location_id,)
        ).fetchall()
        return rows[0][0] if rows else None

    def last_sequence(self):
        return self.database.execute("SELECT max(sequence) FROM applied").fetchone()[0]

    def prices(self):
        rows = self.database.execute("SELECT sku, price FROM product")
        return {str(sku): Decimal(str(price)) for sku, price in rows}


@pytest.fixture(scope="module", autouse=True)
def earlier_tests_are_not_looked_at():
    """
    What a rule about memory collects is of this module.
    """
    gc.freeze()


class ShopRules(CatalogStorageContract):
    """
    A list of this many is found, too.
    """

    many = 2_000


class TestShop(CatalogStorageContract):
    """
    A storage in SQLite keeps every rule.
    """

    @pytest.fixture
    def storage(self):
        return Shop()


class TestMemoryCatalog(CatalogStorageContract):
    """
    The storage for tests keeps every rule.
    """

    keeps_all = True

    @pytest.fixture
    def storage(self):
        return MemoryCatalog()


class Coroutine(Shop):
    """Its work has to be awaited, and it does not say so."""

    def apply(self, changes):
        return self.work(changes)

    async def work(self, changes):
        Shop.apply(self, changes)


class Generator(Shop):
    """Its work has to be iterated."""

    def apply(self, changes):
        yield Shop.apply(self, changes)


class Later(Shop):
    """It makes changes visible with the next ones."""

    waiting = None

    def write(self, changes):
        if self.waiting is not None and self.waiting.sequence != changes.sequence:
            Shop.write(self, self.waiting)
        self.waiting = changes


class KeepsRemoved(Shop):
    """It removes nothing."""

    def remove(self, items):
        list(items)


class NeedsItems(Shop):
    """It fails on changes without items."""

    def write(self, changes):
        max((*map(len, (changes.created, changes.updated, changes.removed)),)) or 1 / 0
        Shop.write(self, changes)


class Strict(Shop):
    """It refuses a sequence that it has seen."""

    def write(self, changes):
        if self.last_applied(changes.location_id) == changes.sequence:
            msg = "already applied"
            raise ValueError(msg)
        Shop.write(self, changes)


class Inserts(Shop):
    """It inserts, and only a repeated sequence is no news."""

    upsert = "INSERT INTO product VALUES (?, ?)"

    def write(self, changes):
        if self.last_applied(changes.location_id) != changes.sequence:
            Shop.write(self, changes)


class Updates(Shop):
    """It updates what is there, and nothing else."""

    update = "UPDATE product SET price = ?2 WHERE sku = ?1"


class ChecksRemoved(Shop):
    """It fails where an item to remove is not there."""

    def remove(self, items):
        for item in items:
            done = self.database.execute("DELETE FROM product WHERE sku = ?", (item.sku,))
            if not done.rowcount and self.last_sequence() != 2:
                raise LookupError(item.sku)


class FirstPriceWins(Shop):
    """It changes a price that was changed before no more."""

    def upsert_all(self, statement, items):
        if (self.last_sequence() or 0) < 5:
            Shop.upsert_all(self, statement, items)
        else:
            list(items)


class CommitsEach(Shop):
    """It commits each item by itself."""

    def apply(self, changes):
        self.write(changes)


class CommitsBatches(Shop):
    """It commits after each batch of a hundred items."""

    def upsert_all(self, statement, items):
        remaining = iter(items)
        while batch := list(islice(remaining, 100)):
            Shop.upsert_all(self, statement, batch)
            if len(batch) == 100:
                self.database.execute("COMMIT")
                self.database.execute("BEGIN")


class Swallows(Shop):
    """It logs an error, and returns."""

    def apply(self, changes):
        with suppress(OSError):
            Shop.apply(self, changes)


class StaysBroken(Shop):
    """After an error, it works no more."""

    failed = False

    def apply(self, changes):
        if self.failed:
            msg = "a transaction is aborted"
            raise RuntimeError(msg)
        try:
            Shop.apply(self, changes)
        except OSError:
            self.failed = True
            raise


class Numbers(Shop):
    """Its codes are numbers, where they look like some."""

    sku = "NUMERIC"


class AnyCase(Shop):
    """Its codes are compared without case."""

    sku = "TEXT COLLATE NOCASE"


class Floats(Shop):
    """Its prices are binary numbers of 32 bits."""

    def price(self, item):
        return str(Decimal(struct.unpack("f", struct.pack("f", item.price))[0]))


class OwnThread(Shop):
    """It works in the thread that made it."""

    def __init__(self):
        super().__init__()
        self.thread = get_ident()

    def write(self, changes):
        if get_ident() != self.thread:
            msg = "SQLite objects created in a thread can only be used in that same thread"
            raise sqlite3.ProgrammingError(msg)
        Shop.write(self, changes)


class OneLocation(Shop):
    """It has one sequence for all locations."""

    def last_applied(self, location_id):
        return self.last_sequence()


class NeverApplied(Shop):
    """It has no sequence."""

    def last_applied(self, location_id):
        return None


class NotesFirst(Shop):
    """It notes the sequence in a transaction of its own, before the changes."""

    def apply(self, changes):
        self.note(changes)
        Shop.apply(self, changes)


class Lists(Shop):
    """It makes a list of all items."""

    def upsert_all(self, statement, items):
        Shop.upsert_all(self, statement, list(items))


BROKEN = {
    Coroutine: "is_done_when_it_returns",
    Generator: "is_done_when_it_returns",
    KeepsRemoved: "changes_are_visible",
    NeedsItems: "no_items last_applied",
    Strict: "twice_is_once",
    Inserts: "created_items_may_exist",
    ChecksRemoved: "removed_items_may_be_missing",
    FirstPriceWins: "last_sequence_counts",
    CommitsEach: "all_or_nothing all_or_nothing_of_many",
    CommitsBatches: "all_or_nothing_of_many",
    Swallows: "errors_are_raised",
    StaysBroken: "works_after_an_error",
    Numbers: "codes_are_texts",
    AnyCase: "codes_are_texts",
    Floats: "prices_are_exact",
    OwnThread: "thread",
    OneLocation: "last_applied",
    NeverApplied: "last_applied last_applied_after_an_error",
    NotesFirst: "last_applied_after_an_error",
    Lists: "many_items_in_little_memory",
    Updates: "updated_items_may_be_missing",
}


@pytest.mark.parametrize("storage", BROKEN, ids=lambda each: each.__name__)
def test_broken_storage(storage):
    """
    It breaks the rules that it is about, and no other.
    """
    assert broken_rules(ShopRules(), storage) == BROKEN[storage].split()


def test_storage_that_is_late():
    """
    Changes that wait for the next ones are not visible.
    """
    assert "changes_are_visible" in broken_rules(ShopRules(), Later)


def test_each_rule_can_be_broken():
    """
    No rule is one that every storage keeps.
    """
    rules = {
        name.removeprefix("test_")
        for name in dir(CatalogStorageContract)
        if name.startswith("test_")
    }

    assert {rule for broken in BROKEN.values() for rule in broken.split()} == rules


def test_prices_that_are_missing():
    """
    A host that does not say what it shows is told what to define.
    """

    class Unshown(Shop):
        prices = property()

    with pytest.raises(NotImplementedError, match=r"define prices\(\): the price of each item"):
        CatalogStorageContract().test_no_items(Unshown())


def test_sentence():
    """
    A broken rule says what was found, and what must be.
    """
    with pytest.raises(AssertionError) as caught:
        CatalogStorageContract().test_changes_are_visible(KeepsRemoved())

    assert str(caught.value) == (
        "after an item of each kind the catalogue is A 1.50, B 2.00, C 3.00 "
        "and must be A 1.50, C 3.00"
    )
