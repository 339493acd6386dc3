"""
The mirror: the local copy of the catalogue, its checkpoint and its quarantine.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from conexxus_sync.model.catalogue import Checkpoint, MirrorCounts, MirrorItem, QuarantinedItem
from conexxus_sync.model.run_json import dump_run, load_run

from ._catalogue_staging import SqliteCatalogStaging
from ._database import Database, optional_moment
from ._host_queue import SqliteHostQueue
from ._plans import SqlitePlans
from ._queued_items import item_of


@attrs.define
class SqliteCatalog:
    """
    Rows of `items`, `checkpoints` and `quarantine`.

    Attributes:
        hosts: The queue of changes for a host.
        plans: What was looked at and not applied.
    """

    store: Database
    hosts: SqliteHostQueue = attrs.field(
        init=False, default=attrs.Factory(lambda self: SqliteHostQueue(self.store), takes_self=True)
    )
    plans: SqlitePlans = attrs.field(
        init=False, default=attrs.Factory(lambda self: SqlitePlans(self.store), takes_self=True)
    )

    @contextmanager
    def staging(self, location_id: str) -> Iterator[SqliteCatalogStaging]:
        """
        Room for one read.
        """
        with self.store.reading() as connection:
            yield SqliteCatalogStaging(connection, location_id)

    def checkpoint(self, location_id: str) -> Checkpoint | None:
        """
        The last applied read.
        """
        with self.store.reading() as connection:
            row = connection.execute(
                "SELECT scope, etag, digest, run FROM checkpoints WHERE location = ?",
                (location_id,),
            ).fetchone()

        if row is None:
            return None

        scope, etag, digest, run = row

        return Checkpoint(scope=scope, etag=etag, digest=digest, run=load_run(run))

    def save_checkpoint(
        self, connection: sqlite3.Connection, location_id: str, checkpoint: Checkpoint
    ) -> None:
        """
        Remember the last applied read, in the transaction that applies it.
        """
        connection.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?)",
            (
                *(location_id, checkpoint.scope, checkpoint.etag, checkpoint.digest),
                dump_run(checkpoint.run),
            ),
        )

    def counts(self, location_id: str) -> MirrorCounts:
        """
        How much there is of everything; costs the same however many items
        there are.
        """
        with self.store.reading() as connection:
            present, missing = connection.execute(
                "SELECT present, missing FROM item_counts WHERE location = ?", (location_id,)
            ).fetchone() or (0, 0)
            (quarantined,) = connection.execute(
                "SELECT count(*) FROM quarantine WHERE location = ? AND kind = 'item'",
                (location_id,),
            ).fetchone()
            pending = len(self.hosts.pending(location_id, connection))

        return MirrorCounts(
            present=present, missing=missing, quarantined=quarantined, pending=pending
        )

    def is_empty(self, location_id: str) -> bool:
        """
        Does the mirror hold no item, not even a missing one?
        """
        with self.store.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM items WHERE location = ? LIMIT 1", (location_id,)
            ).fetchone()

        return row is None

    def items(
        self, location_id: str, *, missing: bool = False, changed_since: str | None = None
    ) -> Iterator[MirrorItem]:
        """
        The items by SKU, streamed.

        Args:
            missing: Whether those that are gone count, too.
            changed_since: Only what was changed by runs recorded after this one.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                f"SELECT {_ITEM} FROM items"  # noqa: S608  # constants
                " WHERE location = ?1 AND (missing_since IS NULL OR ?2)"
                # The order of the records, not that of the clock.
                " AND (?3 IS NULL OR updated_run IN (SELECT id FROM runs WHERE location = ?1"
                " AND number > (SELECT number FROM runs WHERE location = ?1 AND id = ?3)))"
                " ORDER BY sku",
                (location_id, missing, changed_since),
            )
            yield from map(_mirror_item, rows)

    def item(self, location_id: str, sku: str) -> MirrorItem | None:
        """
        One item, present or gone; None if there never was one.
        """
        with self.store.reading() as connection:
            row = connection.execute(
                f"SELECT {_ITEM} FROM items WHERE location = ? AND sku = ?",  # noqa: S608  # constants
                (location_id, sku),
            ).fetchone()

        return None if row is None else _mirror_item(row)

    def quarantined(
        self, location_id: str, key: str | None = None, *, limit: int = -1
    ) -> Iterator[QuarantinedItem]:
        """
        The elements of the last applied read that were set aside, by key.

        Args:
            key: Only those under this one.
            limit: At most so many; negative: all.
        """
        with self.store.reading() as connection:
            for row in connection.execute(
                "SELECT key, part, raw, reason, path, first_seen, last_seen, times_seen, run_id,"
                " page FROM quarantine WHERE location = ?1 AND kind = 'item'"
                " AND (?2 IS NULL OR key = ?2) ORDER BY key, part LIMIT ?3",
                (location_id, key, limit),
            ):
                name, part, raw, reason, path, first_seen, last_seen, times_seen, run_id, page = row
                yield QuarantinedItem(
                    key=name,
                    part=part,
                    raw=raw,
                    reason=reason,
                    path=path,
                    first_seen=datetime.fromisoformat(first_seen),
                    last_seen=datetime.fromisoformat(last_seen),
                    times_seen=times_seen,
                    run_id=run_id,
                    page=page,
                )


_ITEM = (
    "sku, name, price, category, description, extra, missing_since, created_run, updated_run,"
    " decision, page, old_price"
)


def _mirror_item(row: tuple[Any, ...]) -> MirrorItem:
    missing_since, created_run, updated_run, decision, page, old_price = row[6:]

    return MirrorItem(
        item=item_of(row[:6]),
        missing_since=optional_moment(missing_since),
        created_run=created_run,
        updated_run=updated_run,
        decision=decision,
        page=page,
        old_price=None if old_price is None else Decimal(old_price),
    )
