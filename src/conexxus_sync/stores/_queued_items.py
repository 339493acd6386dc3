"""
Streams of items from queued changes, read from the store on each iteration.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from decimal import Decimal

import attrs

from conexxus_client import Item, decode_extra
from conexxus_sync.errors import HostError

from ._database import Row, Session


_ITEMS = """
SELECT sku, name, price, category, description, extra FROM changes
WHERE location = ? AND sequence = ? AND kind = ? ORDER BY sku
"""
_COUNT = "SELECT count(*) FROM changes WHERE location = ? AND sequence = ? AND kind = ?"


def item_of(row: Row) -> Item:
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
        read: Gives a session to read them with.
    """

    read: Callable[[], AbstractContextManager[Session]]
    location: str
    sequence: int
    kind: str

    def __iter__(self) -> Iterator[Item]:
        with self.read() as session:
            yield from map(item_of, session.stream(_ITEMS, self._key))

    def __len__(self) -> int:
        with self.read() as session:
            row = session.execute(_COUNT, self._key).fetchone()

        return 0 if row is None else int(row[0])

    @property
    def _key(self) -> tuple[str, int, str]:
        return self.location, self.sequence, self.kind


@attrs.frozen
class QueuedChanges:
    """
    The changes of one sequence, as the host gets them.

    Attributes:
        read: Gives a session to read them with: that of the transaction in
            which they are still invisible to others, or a new one.
    """

    read: Callable[[], AbstractContextManager[Session]]
    location_id: str
    sequence: int

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
        return QueuedItems(self.read, self.location_id, self.sequence, kind)


@contextmanager
def lent_changes(
    session: Session,
    location: str,
    sequence: int,
    method: str,
    elsewhere: Callable[[], AbstractContextManager[Session]] | None = None,
) -> Iterator[QueuedChanges]:
    """
    The changes of *sequence*, which the host's *method* may read until the end of the block.

    Args:
        session: Reads them in this thread.
        elsewhere: Gives other threads a session; without it, they get none.
    """
    thread, is_over = threading.get_ident(), False

    def read() -> AbstractContextManager[Session]:
        if is_over:
            msg = f"changes were read after `{method}` had returned: read or copy them before"
            raise HostError(msg)
        if threading.get_ident() == thread:
            return nullcontext(session)
        if elsewhere is None:
            msg = f"changes were read in another thread than that of `{method}`, which lends them"
            raise HostError(msg)
        return elsewhere()

    try:
        yield QueuedChanges(read, location, sequence)
    finally:
        is_over = True
