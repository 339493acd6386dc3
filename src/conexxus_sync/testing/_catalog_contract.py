"""
The rules of a `CatalogStorage`, as tests that a host's own test class inherits.
"""

import inspect
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from conexxus_sync.protocols import CatalogChanges
from conexxus_sync.runtime.host_methods import synchronous_storage

from ._rules import broken, finished, in_a_thread, must_pass, peak_of
from ._samples import item
from ._streamed_changes import ChangesMaker, MadeItems, StreamedChanges


NO_PRICES = (
    "define prices(): the price of each item that the host offers, by SKU; "
    "in the storage, or as prices(self, storage) in the class of its tests"
)
# What a storage may keep besides its rows: caches, statements, a page of a driver.
_SPARE = 512 * 1024
# More than storages write at once.
_SEVERAL_BATCHES = 2_500


class CatalogStorageContract:
    """
    What the SDK relies on in a `CatalogStorage`; one test for each rule.

    A host's test class inherits it, gives a fixture `storage`, and says in
    `prices` what its shop shows, unless the storage does.  pytest does the rest.

    Attributes:
        location_id: The location whose catalogue changes.
        many: How many items the rule about memory applies at once.
        decimals: Digits behind the point that the host's prices have.
        keeps_all: The storage keeps its catalogue in memory, by design: the
            rule about memory does not concern it.

    Example:
        ```python
        class TestShopCatalog(CatalogStorageContract):
            @pytest.fixture
            def storage(self, shop_database):
                return ShopCatalog(shop_database)

            def prices(self, storage):
                return dict(storage.database.execute("SELECT sku, price FROM product WHERE active"))
        ```
    """

    location_id: str = "loc-001"
    many: int = 10_000
    decimals: int = 2
    keeps_all: bool = False
    # Of SKUs among those of a shop: no other begins with it, and none is this number.
    _prefix: str = ""
    _number: str = "12"

    @property
    def _make(self) -> ChangesMaker:
        return ChangesMaker(self.location_id, self._prefix)

    def prices(self, storage: Any) -> Mapping[str, Decimal]:
        """
        The price of each item that the host offers now, by SKU; what the
        storage's own method `prices()` says, unless this one is overridden.
        """
        if not hasattr(storage, "prices"):
            raise NotImplementedError(NO_PRICES)

        return storage.prices()  # type: ignore[no-any-return]  # as the host declares it

    def apply(self, storage: Any, changes: CatalogChanges) -> object:
        """
        Call the storage; one with `apply_in` is called here in a transaction.

        An `AsyncCatalogStorage` is awaited, as the service does.
        """
        return synchronous_storage(storage).apply(changes)

    def test_is_done_when_it_returns(self, storage: Any) -> None:
        """
        `apply` has done its work when it returns: nothing is left to await or iterate.
        """
        result = self.apply(storage, self._make.first())

        if inspect.isawaitable(result) or inspect.isgenerator(result):
            finished(result)
            broken(f"apply returned a {type(result).__name__}: it must do its work itself")

    def test_changes_are_visible(self, storage: Any) -> None:
        """
        Created, updated and removed items are in the host's catalogue at once.

        To mend it, write created and updated items, and remove removed ones, in the
        table that the shop reads, before `apply` returns.
        """
        self._apply(storage, self._make.first())
        self._apply(
            storage,
            self._make.changes(
                2,
                created=[self._make.item("C", "3.00")],
                updated=[self._make.item("A", "1.50")],
                removed=[self._make.item("B", "2.00")],
            ),
        )

        self._shows(storage, {"A": "1.50", "C": "3.00"}, "after an item of each kind")

    def test_no_items(self, storage: Any) -> None:
        """
        Changes without items are applied like others.

        To mend it, expect that each of the three streams may be empty.
        """
        self._apply(storage, self._make.first())
        self._apply(storage, self._make.changes(2))

        self._shows(storage, {"A": "1.00", "B": "2.00"}, "after changes without items")

    def test_twice_is_once(self, storage: Any) -> None:
        """
        The same changes again, as after a crash, make no difference.

        To mend it, write by upsert, and do not refuse a sequence that was applied.
        """
        self._apply(storage, self._make.first())

        with must_pass("apply with a sequence that was applied before"):
            self._apply(storage, self._make.first())

        self._shows(storage, {"A": "1.00", "B": "2.00"}, "after the same changes twice")

    def test_created_items_may_exist(self, storage: Any) -> None:
        """
        After a restored backup, all items come as created ones: they are upserted.

        To mend it, write created items by upsert: `INSERT … ON CONFLICT DO UPDATE`.
        """
        self._apply(storage, self._make.first())

        with must_pass("apply with created items that exist"):
            self._apply(
                storage,
                self._make.changes(
                    2, created=[self._make.item("A", "1.10"), self._make.item("B", "2.20")]
                ),
            )

        self._shows(storage, {"A": "1.10", "B": "2.20"}, "after created items that existed")

    def test_updated_items_may_be_missing(self, storage: Any) -> None:
        """
        An item that returns comes as an updated one, and may not be there.

        To mend it, write updated items by the same upsert as created ones.
        """
        self._apply(storage, self._make.first())

        with must_pass("apply with an updated item that does not exist"):
            self._apply(storage, self._make.changes(2, updated=[self._make.item("N", "9.00")]))

        self._shows(
            storage, {"A": "1.00", "B": "2.00", "N": "9.00"}, "after an updated item that was new"
        )

    def test_removed_items_may_be_missing(self, storage: Any) -> None:
        """
        An item that is removed may never have been there.

        To mend it, remove by SKU, and do not count what was removed.
        """
        self._apply(storage, self._make.first())

        with must_pass("apply with a removed item that does not exist"):
            self._apply(storage, self._make.changes(2, removed=[self._make.item("N", "9.00")]))

        self._shows(storage, {"A": "1.00", "B": "2.00"}, "after the removal of an unknown item")

    def test_last_sequence_counts(self, storage: Any) -> None:
        """
        Changes come in the order of their sequence, and the last one counts.

        To mend it, write the price of each item that comes, whatever is there.
        """
        self._apply(storage, self._make.first())
        for sequence in range(2, 12):
            self._apply(
                storage,
                self._make.changes(sequence, updated=[self._make.item("A", f"{sequence}.00")]),
            )

        self._shows(storage, {"A": "11.00", "B": "2.00"}, "after ten prices of one item")

    def test_all_or_nothing(self, storage: Any) -> None:
        """
        Changes that break off in the middle leave the catalogue as it was.

        To mend it, write all of the changes in one transaction, and roll it back
        where one of them raises.
        """
        self._apply(storage, self._make.first())
        self._apply_broken(storage)

        self._shows(storage, {"A": "1.00", "B": "2.00"}, "after changes that broke off")

    def test_all_or_nothing_of_many(self, storage: Any) -> None:
        """
        Changes of many items do so as well: their batches are one transaction.
        """
        self._apply(storage, self._make.first())
        self._tried(storage, self._make.broken(MadeItems(f"{self._prefix}m", _SEVERAL_BATCHES)))

        if visible := sum(sku.startswith("m") for sku in self._shown(storage)):
            broken(
                f"of {_SEVERAL_BATCHES} items that came before the changes broke off {visible} are "
                "visible: write all batches in one transaction"
            )

    def test_errors_are_raised(self, storage: Any) -> None:
        """
        What went wrong leaves `apply`: else the SDK takes the changes for applied.
        """
        self._apply(storage, self._make.first())

        if self._apply_broken(storage) is None:
            broken("apply returned although its changes broke off: it must raise the error")

    def test_works_after_an_error(self, storage: Any) -> None:
        """
        The next attempt after an error is like any other.

        To mend it, roll back and give back the connection where an error is raised.
        """
        self._apply(storage, self._make.first())
        self._apply_broken(storage)

        with must_pass("apply, after an error"):
            self._apply(storage, self._make.changes(2, created=[self._make.item("C", "3.00")]))

        if self._prices(storage).get("C") != Decimal("3.00"):
            broken("the changes after an error are not visible")

    def test_codes_are_texts(self, storage: Any) -> None:
        """
        SKUs are texts: zeros, case, quotes and other alphabets count.

        To mend it, keep the SKU in a text column that compares byte by byte.
        """
        alike = ["ab", "AB", "O'Brien", 'say "x"', "50%_", "ÄÖ-漢"]
        numbers = [item(code, "1.00") for code in (self._number, f"00{self._number}")]
        created = [*numbers, *(self._make.item(code, "1.00") for code in alike)]
        codes = [*(it.sku for it in numbers), *alike]
        self._apply(storage, self._make.changes(1, created=created))

        self._shows(storage, dict.fromkeys(codes, "1.00"), "after SKUs that are alike")

    def test_prices_are_exact(self, storage: Any) -> None:
        """
        A price is a decimal number, and none of its digits is lost.

        To mend it, keep prices in a NUMERIC column, or as texts; never as floats.
        """
        unit = Decimal(1).scaleb(-self.decimals)
        amounts = {"unit": unit, "large": Decimal(9_007_199) + unit, "zero": Decimal(0)}
        created = [self._make.item(sku, amount) for sku, amount in amounts.items()]
        self._apply(storage, self._make.changes(1, created=created))

        shown = self._shown(storage)
        for sku, amount in amounts.items():
            found = shown.get(sku)
            if not isinstance(found, Decimal | int) or found != amount:
                broken(f"the price {amount} is {found!r} in the host's catalogue")

    def test_thread(self, storage: Any) -> None:
        """
        The scheduler calls the storage in a thread of its own.

        To mend it, open a connection for each call, or take one of a pool.
        """
        if error := in_a_thread(lambda: self._apply(storage, self._make.first())):
            broken(f"apply in another thread raised {type(error).__name__}: {error}", error)

    def test_last_applied(self, storage: Any) -> None:
        """
        `last_applied`, where there is one, follows what is visible.

        To mend it, note the sequence of each location in the transaction of its
        changes, also where there are no items.
        """
        last_applied = getattr(synchronous_storage(storage), "last_applied", None)

        if last_applied is None:
            return

        self._last(last_applied(self.location_id), None, "before the first changes")
        self._apply(storage, self._make.first())
        self._last(last_applied(self.location_id), 1, "after the first changes")
        self._last(last_applied("another-location"), None, "for another location")
        self._apply(storage, self._make.changes(2))
        self._last(last_applied(self.location_id), 2, "after changes without items")

    def test_last_applied_after_an_error(self, storage: Any) -> None:
        """
        Changes that broke off were not applied.

        To mend it, note the sequence in the transaction of the changes.
        """
        if hasattr(storage, "last_applied"):
            self._apply(storage, self._make.first())
            self._apply_broken(storage)
            last = synchronous_storage(storage).last_applied(self.location_id)
            self._last(last, 1, "after changes that broke off")

    def test_many_items_in_little_memory(self, storage: Any) -> None:
        """
        Ten times as many items need no more memory: they are streamed.
        """
        few, many = self.many // 10, self.many
        self._apply(storage, self._make.first())
        before = self._peak(storage, 2, "p", few)
        after = self._peak(storage, 3, "q", many)

        if not self.keeps_all and after > 2 * before + _SPARE:
            broken(
                f"{few} items needed {before // 1024} KiB and {many} items {after // 1024} KiB: "
                "iterate the changes and write them in batches, without a list of all"
            )

    def _peak(self, storage: Any, sequence: int, letter: str, count: int) -> int:
        """
        Bytes that the storage needs at once for *count* items.
        """
        changes = StreamedChanges(
            self.location_id, sequence, created=MadeItems(f"{self._prefix}{letter}", count)
        )
        peak = peak_of(lambda: self._apply(storage, changes))
        shown = sum(sku.startswith(letter) for sku in self._shown(storage))
        if missing := count - shown:
            broken(f"of {count} items {missing} are not visible")

        return peak

    def _apply_broken(self, storage: Any) -> Exception | None:
        return self._tried(storage, self._make.broken())

    def _tried(self, storage: Any, changes: CatalogChanges) -> Exception | None:
        """
        The error that the storage raises.
        """
        try:
            self._apply(storage, changes)
        except Exception as exc:  # noqa: BLE001 - a host raises what it likes
            return exc

        return None

    def _apply(self, storage: Any, changes: CatalogChanges) -> None:
        result = finished(self.apply(storage, changes))

        if inspect.isgenerator(result):
            list(result)

    def _shown(self, storage: Any) -> dict[str, object]:
        """
        What the host offers of our items, without their prefix.
        """
        return {
            sku.removeprefix(self._prefix): price
            for sku, price in self.prices(storage).items()
            if sku.startswith(self._prefix) or sku.lstrip("0") == self._number
        }

    def _prices(self, storage: Any) -> dict[str, Decimal]:
        """
        To the cent: whether all digits are kept is a rule of its own.
        """
        return {
            sku: round(Decimal(str(price)), self.decimals)
            for sku, price in self._shown(storage).items()
        }

    def _shows(self, storage: Any, expected: Mapping[str, str], when: str) -> None:
        found = self._prices(storage)
        wanted = {sku: Decimal(price) for sku, price in expected.items()}

        if found != wanted:
            broken(f"{when} the catalogue is {_text(found)} and must be {_text(wanted)}")

    def _last(self, found: object, expected: int | None, when: str) -> None:
        if found != expected:
            broken(f"last_applied is {found!r} {when}, and must be {expected!r}")


def _text(prices: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{sku} {price}" for sku, price in sorted(prices.items())) or "empty"
