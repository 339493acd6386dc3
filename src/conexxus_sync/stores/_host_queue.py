"""
Queue of catalogue changes that the host has not applied yet; their items are streams.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from decimal import Decimal

import attrs

from conexxus_client import Item, decode_extra
from conexxus_sync.errors import HostError
from conexxus_sync.model.catalogue import HostState

from ._database import Repository, Row, Session


_STATE = "SELECT sequence, applied FROM hosts WHERE location = ?"
_SAVE = """
INSERT INTO hosts (location, sequence, applied) VALUES (?, ?, ?)
ON CONFLICT (location) DO UPDATE SET sequence = excluded.sequence, applied = excluded.applied
"""
_QUEUE_DELTA = """
INSERT INTO changes
    (location, sequence, kind, sku, name, price, category, description, extra)
SELECT ?1, ?2, CASE WHEN d.kind = 'deleted' THEN 'removed' ELSE d.kind END,
    i.sku, i.name, i.price, i.category, i.description, i.extra
FROM delta AS d CROSS JOIN items AS i
WHERE i.location = ?1 AND i.sku = d.sku
    AND (d.kind IN ('created', 'updated', 'deleted') OR d.kind = 'removed' AND ?3 <> 0)
"""
_CLEAR = "DELETE FROM changes WHERE location = ?"
_QUEUE_EVERYTHING = """
INSERT INTO changes
    (location, sequence, kind, sku, name, price, category, description, extra)
SELECT ?1, ?2, CASE WHEN missing_since IS NULL THEN 'created' ELSE 'removed' END,
    sku, name, price, category, description, extra
FROM items WHERE location = ?1
    AND (missing_since IS NULL OR ?3 <> 0 OR decision = 'deleted' AND ?4 <> 0)
"""
# From each to the next by the key, past all rows between them.
_PENDING = """
WITH RECURSIVE waiting (sequence) AS (
    SELECT min(sequence) FROM changes WHERE location = ?1
    UNION ALL
    SELECT (
        SELECT min(c.sequence) FROM changes AS c
        WHERE c.location = ?1 AND c.sequence > waiting.sequence
    ) FROM waiting WHERE waiting.sequence IS NOT NULL
) SELECT sequence FROM waiting WHERE sequence IS NOT NULL ORDER BY sequence
"""
_WAITS = """
SELECT 1 FROM changes WHERE location = ? AND sequence = ?
    AND kind IN ('created', 'updated', 'removed') AND sku = ?
"""
_APPLIED = "DELETE FROM changes WHERE location = ? AND sequence = ?"
_SAVE_APPLIED = "UPDATE hosts SET applied = ? WHERE location = ?"

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


@attrs.frozen
class HostQueue(Repository):
    """
    Rows of `hosts` and `changes`.
    """

    def state(self) -> HostState | None:
        """
        How far the host of this location has come; None if it never had one.
        """
        row = self.session.execute(_STATE, (self.location,)).fetchone()

        return None if row is None else HostState(sequence=row[0], applied=row[1])

    def queue_delta(self, *, removals: bool) -> None:
        """
        Queue what the staged read changes, under the next sequence.

        A location that never had a host queues nothing.
        """
        state = self.state()

        if state is None:
            return

        sequence = state.sequence + 1

        if self.session.execute(_QUEUE_DELTA, (self.location, sequence, int(removals))).rowcount:
            self.session.execute(_SAVE, (self.location, sequence, state.applied))

    def queue_everything(self, *, beyond: int, removals: bool) -> None:
        """
        Queue the whole mirror instead of whatever is pending.

        Args:
            beyond: The host has seen sequences up to this one.
        """
        state = self.state()
        last = beyond if state is None else max(state.sequence, beyond)
        # A new host never had what is gone.
        is_known = state is not None
        gone = int(removals and is_known), int(is_known)
        self.session.execute(_CLEAR, (self.location,))
        queued = self.session.execute(_QUEUE_EVERYTHING, (self.location, last + 1, *gone)).rowcount
        self.session.execute(_SAVE, (self.location, last + 1 if queued else last, last))

    def pending(self) -> list[int]:
        """
        Sequences that the host has not applied, oldest first.
        """
        return [
            sequence for (sequence,) in self.session.execute(_PENDING, (self.location,)).fetchall()
        ]

    def waiting(self, sku: str) -> list[int]:
        """
        Sequences with a change of this item that the host has not applied.
        """
        return [
            sequence
            for sequence in self.pending()
            if self.session.execute(_WAITS, (self.location, sequence, sku)).fetchone()
        ]

    def lent(self, sequence: int, method: str) -> AbstractContextManager[QueuedChanges]:
        """
        What is queued under *sequence*, for a *method* that works in this transaction.
        """
        return lent_changes(self.session, self.location, sequence, method)

    def applied(self, sequence: int) -> None:
        """
        Forget *sequence*: the host has it.
        """
        self.session.execute(_APPLIED, (self.location, sequence))
        self.session.execute(_SAVE_APPLIED, (sequence, self.location))
