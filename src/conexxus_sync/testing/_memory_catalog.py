"""
A catalogue storage in memory, and changes to call a storage with.
"""

from collections.abc import Iterable
from decimal import Decimal

import attrs

from conexxus_client import Item
from conexxus_sync.protocols import CatalogChanges


def _items(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(items)


@attrs.frozen(kw_only=True)
class ListChanges:
    """
    `CatalogChanges` with their items in memory.

    A test calls the `apply` of its own `CatalogStorage` with them, and
    `MemoryCatalog` records in them what it got.

    Attributes:
        sequence: 1, 2, 3 … per location; the same number is the same changes.
        created: Items to insert or update.
        updated: Items that changed or returned.
        removed: Items that are gone.
        location_id: The location whose catalogue changes.
    """

    sequence: int
    created: tuple[Item, ...] = attrs.field(default=(), converter=_items)
    updated: tuple[Item, ...] = attrs.field(default=(), converter=_items)
    removed: tuple[Item, ...] = attrs.field(default=(), converter=_items)
    location_id: str = "default"


@attrs.define(eq=False)
class MemoryCatalog:
    """
    A `CatalogStorage` that keeps the catalogue of one location in memory.

    All of the changes become visible, or none.  The same changes again make
    no difference.  It has `last_applied`, so that the SDK sees when it was
    put back to an earlier state: `copy.deepcopy` of it is a backup.

    Attributes:
        items: The items that are for sale, by SKU.
        received: The changes of each call of `apply`, repetitions included.
    """

    items: dict[str, Item] = attrs.field(factory=dict, init=False)
    received: list[ListChanges] = attrs.field(factory=list, init=False)

    def apply(self, changes: CatalogChanges) -> None:
        """
        Make *changes* visible.

        Raises:
            ValueError: They are those of another location than before.
        """
        copied = ListChanges(
            sequence=changes.sequence,
            created=tuple(changes.created),
            updated=tuple(changes.updated),
            removed=tuple(changes.removed),
            location_id=changes.location_id,
        )
        if self.received and copied.location_id != self.received[0].location_id:
            msg = (
                f"this catalogue is that of {self.received[0].location_id!r}: "
                f"use one MemoryCatalog for each location, another for {copied.location_id!r}"
            )
            raise ValueError(msg)

        gone = {item.sku for item in copied.removed}
        kept = {sku: item for sku, item in self.items.items() if sku not in gone}

        # In one step: another thread sees the old catalogue or the new one.
        self.items = kept | {item.sku: item for item in (*copied.created, *copied.updated)}
        self.received.append(copied)

    def prices(self) -> dict[str, Decimal]:
        """
        The price of each item that is for sale, by SKU.
        """
        return {sku: item.price for sku, item in self.items.items()}

    def last_applied(self, location_id: str) -> int | None:
        """
        The sequence of the last changes; None if there were none for *location_id*.
        """
        last = self.received[-1] if self.received else None

        return last.sequence if last is not None and last.location_id == location_id else None
