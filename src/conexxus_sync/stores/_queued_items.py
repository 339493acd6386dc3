"""
Streams of items from queued changes, read from the store on each iteration.
"""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from conexxus_client import Item, decode_extra

from ._database import Database


def item_of(row: tuple[Any, ...]) -> Item:
    """
    The item in *row*: SKU, name, price, category, description, extra.
    """
    sku, name, price, category, description, extra = row

    return Item(
        sku=sku,
        name=name,
        price=Decimal(price),
        category=category,
        description=description,
        extra={} if extra is None else decode_extra(extra),
    )


@attrs.frozen
class QueuedItems:
    """
    Items of one sequence and kind, read anew each time they are iterated.

    Attributes:
        connection: Of the transaction in which they are still invisible to
            others; None once they are committed.
    """

    store: Database
    location_id: str
    sequence: int
    kind: str
    connection: sqlite3.Connection | None = None

    def __iter__(self) -> Iterator[Item]:
        if self.connection is not None:
            yield from self._read(self.connection)
            return

        with self.store.reading() as connection:
            yield from self._read(connection)

    def __len__(self) -> int:
        query = "SELECT count(*) FROM changes WHERE location = ? AND sequence = ? AND kind = ?"
        key = (self.location_id, self.sequence, self.kind)

        if self.connection is not None:
            return int(self.connection.execute(query, key).fetchone()[0])

        with self.store.reading() as connection:
            return int(connection.execute(query, key).fetchone()[0])

    def _read(self, connection: sqlite3.Connection) -> Iterator[Item]:
        rows = connection.execute(
            "SELECT sku, name, price, category, description, extra FROM changes"
            " WHERE location = ? AND sequence = ? AND kind = ? ORDER BY sku",
            (self.location_id, self.sequence, self.kind),
        )
        return map(item_of, rows)


@attrs.frozen
class QueuedChanges:
    """
    The changes of one sequence, as the host gets them.
    """

    store: Database
    location_id: str
    sequence: int
    connection: sqlite3.Connection | None = None

    @property
    def created(self) -> QueuedItems:
        return self._items("created")

    @property
    def updated(self) -> QueuedItems:
        return self._items("updated")

    @property
    def removed(self) -> QueuedItems:
        return self._items("removed")

    def _items(self, kind: str) -> QueuedItems:
        return QueuedItems(self.store, self.location_id, self.sequence, kind, self.connection)
