"""
Changes of a catalogue whose items are not in memory, and may break off.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs

from conexxus_client import Item

from ._memory_catalog import ListChanges
from ._samples import item


@attrs.frozen
class ListedItems:
    """
    A stream of few items, which may break off at its end.
    """

    items: list[Item] = attrs.field(factory=list)
    fails: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        yield from self.items

        if self.fails:
            msg = "the changes broke off, as they do when the store's disk fails"
            raise OSError(msg)


@attrs.frozen
class MadeItems:
    """
    A stream of items that are made while it is iterated.
    """

    prefix: str
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Item]:
        return (item(f"{self.prefix}{number:06}", "1.00") for number in range(self.count))


@attrs.frozen
class StreamedChanges:
    """
    `CatalogChanges` whose items are not in memory.
    """

    location_id: str
    sequence: int
    created: ListedItems | MadeItems = attrs.field(factory=ListedItems)
    updated: ListedItems | MadeItems = attrs.field(factory=ListedItems)
    removed: ListedItems | MadeItems = attrs.field(factory=ListedItems)


@attrs.frozen
class ChangesMaker:
    """
    Makes the changes that rules are examined by.

    Attributes:
        prefix: Begins the SKU of each item.
    """

    location_id: str
    prefix: str

    def item(self, name: str, price: Decimal | str) -> Item:
        """
        An item of that name, which says nothing but its price.
        """
        return item(f"{self.prefix}{name}", price)

    def changes(
        self,
        sequence: int,
        *,
        created: Iterable[Item] = (),
        updated: Iterable[Item] = (),
        removed: Iterable[Item] = (),
    ) -> ListChanges:
        """
        Changes with few items.
        """
        return ListChanges(
            sequence=sequence,
            created=created,
            updated=updated,
            removed=removed,
            location_id=self.location_id,
        )

    def first(self) -> ListChanges:
        """
        The first ones: two items.
        """
        return self.changes(1, created=[self.item("A", "1.00"), self.item("B", "2.00")])

    def broken(self, created: MadeItems | None = None) -> StreamedChanges:
        """
        The second ones, which break off after *created* and an updated item.
        """
        return StreamedChanges(
            self.location_id,
            2,
            created=created or ListedItems([self.item("C", "3.00")]),
            updated=ListedItems([self.item("A", "8.00")], fails=True),
            removed=ListedItems([self.item("B", "2.00")]),
        )
