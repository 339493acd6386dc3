"""
The mirror in SQLite.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from conexxus_sync._codec import dump_run, load_run
from conexxus_sync.mirror import Checkpoint, MirrorCounts, MirrorItem, Quarantined

from ._sqlite_catalog_staging import SqliteCatalogStaging
from ._sqlite_hosts import SqliteHosts
from ._sqlite_items import item_of
from ._sqlite_plans import SqlitePlans


if TYPE_CHECKING:
    from .sqlite import SqliteStore


@attrs.define
class SqliteCatalog:
    """
    Rows of `items`, `checkpoints` and `quarantine`.

    Attributes:
        hosts: The queue of changes for a host.
        plans: What was looked at and not applied.
    """

    store: "SqliteStore"
    hosts: SqliteHosts = attrs.field(
        init=False, default=attrs.Factory(lambda self: SqliteHosts(self.store), takes_self=True)
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

    def items(self, location_id: str, *, missing: bool = False) -> Iterator[MirrorItem]:
        """
        The items by SKU, streamed.

        Args:
            missing: Whether those that are gone count, too.
        """
        with self.store.reading() as connection:
            for row in connection.execute(
                "SELECT sku, name, price, category, description, extra, missing_since,"
                " created_run, updated_run FROM items"
                " WHERE location = ? AND (missing_since IS NULL OR ?) ORDER BY sku",
                (location_id, missing),
            ):
                yield MirrorItem(
                    item=item_of(row[:6]),
                    missing_since=None if row[6] is None else datetime.fromisoformat(row[6]),
                    created_run=row[7],
                    updated_run=row[8],
                )

    def quarantined(self, location_id: str) -> Iterator[Quarantined]:
        """
        The elements of the last applied read that were set aside, by key.
        """
        with self.store.reading() as connection:
            for row in connection.execute(
                "SELECT key, part, raw, reason, path, first_seen, last_seen, times_seen, run_id"
                " FROM quarantine WHERE location = ? AND kind = 'item' ORDER BY key, part",
                (location_id,),
            ):
                key, part, raw, reason, path, first_seen, last_seen, times_seen, run_id = row
                yield Quarantined(
                    key=key,
                    part=part,
                    raw=raw,
                    reason=reason,
                    path=path,
                    first_seen=datetime.fromisoformat(first_seen),
                    last_seen=datetime.fromisoformat(last_seen),
                    times_seen=times_seen,
                    run_id=run_id,
                )
