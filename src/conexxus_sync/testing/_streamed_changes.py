"""
Changes of a catalogue whose items are not in memory, and may break off.
"""

from collections.abc import Iterator

import attrs

from conexxus_client import Item

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
        return (item(f"{self.prefix}{number:07}", "1.00") for number in range(self.count))


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
