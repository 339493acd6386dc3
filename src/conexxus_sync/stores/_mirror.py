"""
The mirror: the local copy of the catalogue, its checkpoint and quarantine, and the merge of a read.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from conexxus_sync.model.catalogue import (
    CatalogueDiff,
    Checkpoint,
    MirrorCounts,
    MirrorItem,
    QuarantinedItem,
    UnnamedElements,
)
from conexxus_sync.model.run_json import dump_run, load_run

from ._catalogue_staging import A_PAGE, ANY_ITEM, COLUMNS
from ._catalogue_windows import CatalogueWindows
from ._database import NO_LIMIT, Repository, Row, optional_moment, text, texts
from ._host_queue import HostQueue, item_of
from ._quarantine_staging import QuarantineStaging


_CHECKPOINT = "SELECT scope, etag, digest, run, read_at FROM checkpoints WHERE location = ?"
_SAVE_CHECKPOINT = """
INSERT INTO checkpoints (location, scope, etag, digest, run, read_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (location) DO UPDATE SET scope = excluded.scope, etag = excluded.etag,
    digest = excluded.digest, run = excluded.run, read_at = excluded.read_at
"""
_UNNAMED = "SELECT elements, digest, since, waiting FROM unnamed_elements WHERE location = ?"
_SAVE_UNNAMED = """
INSERT INTO unnamed_elements (location, elements, digest, since, waiting) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (location) DO UPDATE SET elements = excluded.elements, digest = excluded.digest,
    since = excluded.since, waiting = excluded.waiting
"""
_FORGET_UNNAMED = "DELETE FROM unnamed_elements WHERE location = ?"
_COUNTS = "SELECT present, missing FROM item_counts WHERE location = ?"
_QUARANTINED_COUNT = "SELECT count(*) FROM quarantine WHERE location = ? AND kind = 'item'"

_ITEM = """
SELECT i.sku, i.name, i.price, i.category, i.description, i.extra, i.missing_since,
    (SELECT r.run_id FROM item_runs AS r WHERE r.number = i.created_in),
    (SELECT r.run_id FROM item_runs AS r WHERE r.number = i.updated_in),
    i.decision, i.page, i.old_price
FROM items AS i WHERE i.location = ?1
"""
_PRESENT_ITEMS = f"{_ITEM} AND i.missing_since IS NULL ORDER BY i.sku"
_ALL_ITEMS = f"{_ITEM} ORDER BY i.sku"
# In the order of the records, not that of the clock.
_CHANGED_ITEMS = f"""
{_ITEM} AND i.updated_in IN (
    SELECT c.number FROM item_runs AS c JOIN runs AS r ON r.location = ?1 AND r.id = c.run_id
    WHERE c.location = ?1
        AND r.number > (SELECT number FROM runs WHERE location = ?1 AND id = ?2)
) AND (i.missing_since IS NULL OR ?3 <> 0) ORDER BY i.sku
"""  # noqa: S608  # constants
_ONE_ITEM = f"{_ITEM} AND i.sku = ?2"
_QUARANTINED = """
SELECT key, part, raw, reason, path, first_seen, last_seen, times_seen, run_id, page,
    detail
FROM quarantine WHERE location = ?1 AND kind = 'item' AND (key = ?2 OR ?2 IS NULL)
ORDER BY key, part LIMIT ?3
"""

_ADD_RUN = """
INSERT INTO item_runs (location, run_id) VALUES (?, ?) ON CONFLICT (location, run_id) DO NOTHING
"""
_RUN_NUMBER = "SELECT number FROM item_runs WHERE location = ? AND run_id = ?"
# In the order of the table, which is that of the SKUs.
_FILL = f"""
INSERT INTO items (location, {COLUMNS}, created_in, updated_in, decision, page)
SELECT ?1, {COLUMNS}, ?2, ?2, 'created', position / {A_PAGE} FROM stage
"""  # noqa: S608  # constants
_UPSERT = f"""
INSERT INTO items (location, {COLUMNS}, created_in, updated_in, decision, page)
SELECT ?1, s.sku, s.name, s.price, s.category, s.description, s.extra, ?2, ?2,
    coalesce(?3, d.kind), s.position / {A_PAGE}
FROM delta AS d JOIN stage AS s ON s.sku = d.sku
WHERE d.kind IN ('created', 'updated') ORDER BY d.sku
ON CONFLICT (location, sku) DO UPDATE SET
    name = excluded.name, price = excluded.price, category = excluded.category,
    description = excluded.description, extra = excluded.extra, missing_since = NULL,
    updated_in = excluded.updated_in, page = excluded.page,
    old_price = CASE WHEN items.price = excluded.price THEN NULL ELSE items.price END,
    decision = CASE
        WHEN items.missing_since IS NULL OR ?3 IS NOT NULL THEN excluded.decision
        ELSE 'returned'
    END
"""  # noqa: S608  # constants
_REMOVE = """
UPDATE items SET missing_since = ?1, updated_in = ?2, decision = ?4, page = NULL,
    old_price = NULL
WHERE location = ?3 AND sku IN (SELECT sku FROM delta WHERE kind = ?4)
"""
_MERGE_COUNTS = """
INSERT INTO item_counts (location, present, missing) VALUES (?1, ?2, 0)
ON CONFLICT (location) DO UPDATE SET present = item_counts.present + ?2 + ?3 - ?4,
    missing = item_counts.missing - ?3 + ?4
"""


@attrs.frozen
class Mirror(Repository):
    """
    Rows of `items`, `checkpoints` and `quarantine`.
    """

    def checkpoint(self) -> Checkpoint | None:
        """
        The last applied read.
        """
        row = self.session.execute(_CHECKPOINT, (self.location,)).fetchone()

        if row is None:
            return None

        scope, etag, digest, run, read_at = row

        return Checkpoint(
            scope=scope,
            etag=etag,
            digest=bytes(digest),
            run=load_run(run),
            read_at=optional_moment(read_at),
        )

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """
        Remember the last applied read, in the transaction that applies it.
        """
        self.session.execute(
            _SAVE_CHECKPOINT,
            (
                *(self.location, checkpoint.scope, checkpoint.etag, checkpoint.digest),
                *(dump_run(checkpoint.run), *texts(checkpoint.read_at)),
            ),
        )

    def unnamed(self) -> UnnamedElements | None:
        """
        The elements without a readable SKU, as of the last complete reads.
        """
        row = self.session.execute(_UNNAMED, (self.location,)).fetchone()

        if row is None:
            return None

        count, digest, since, waiting = row

        return UnnamedElements(
            count=count,
            digest=bytes(digest),
            since=datetime.fromisoformat(since),
            waiting=waiting,
        )

    def save_unnamed(self, unnamed: UnnamedElements | None) -> None:
        """
        Remember what `unnamed` returns from now on.
        """
        if unnamed is None:
            self.session.execute(_FORGET_UNNAMED, (self.location,))
            return

        values = (unnamed.count, unnamed.digest, text(unnamed.since), unnamed.waiting)
        self.session.execute(_SAVE_UNNAMED, (self.location, *values))

    def counts(self) -> MirrorCounts:
        """
        How much there is of everything; costs the same however many items
        there are.
        """
        present, missing = self.session.execute(_COUNTS, (self.location,)).fetchone() or (0, 0)

        return MirrorCounts(
            present=present,
            missing=missing,
            quarantined=self.value(_QUARANTINED_COUNT, (self.location,)),
            pending=len(HostQueue(self.session, self.location).pending()),
        )

    def is_empty(self) -> bool:
        """
        Does the mirror hold no item, not even a missing one?
        """
        return self.session.execute(ANY_ITEM, (self.location,)).fetchone() is None

    def items(
        self, *, missing: bool = False, changed_since: str | None = None
    ) -> Iterator[MirrorItem]:
        """
        The items by SKU, streamed.

        Args:
            missing: Whether those that are gone count, too.
            changed_since: Only what was changed by runs recorded after this one.
        """
        if changed_since is not None:
            parameters = (self.location, changed_since, int(missing))
            return map(_mirror_item, self.session.stream(_CHANGED_ITEMS, parameters))

        statement = _ALL_ITEMS if missing else _PRESENT_ITEMS

        return map(_mirror_item, self.session.stream(statement, (self.location,)))

    def item(self, sku: str) -> MirrorItem | None:
        """
        One item, present or gone; None if there never was one.
        """
        row = self.session.execute(_ONE_ITEM, (self.location, sku)).fetchone()

        return None if row is None else _mirror_item(row)

    def quarantined(
        self, key: str | None = None, *, limit: int = NO_LIMIT
    ) -> Iterator[QuarantinedItem]:
        """
        The elements of the last applied read that were set aside, by key,
        streamed.

        Args:
            key: Only those under this one.
            limit: At most so many.
        """
        rows = self.session.stream(_QUARANTINED, (self.location, key, limit))

        for name, part, raw, reason, path, first_seen, last_seen, times_seen, *where in rows:
            run_id, page, detail = where
            yield QuarantinedItem(
                key=name,
                part=part,
                raw=bytes(raw),
                reason=reason,
                path=path,
                first_seen=datetime.fromisoformat(first_seen),
                last_seen=datetime.fromisoformat(last_seen),
                times_seen=times_seen,
                run_id=run_id,
                page=page,
                detail=detail,
            )


def _mirror_item(row: Row) -> MirrorItem:
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


@attrs.frozen
class MirrorMerge(Repository):
    """
    Rows of `items`, `item_runs` and `item_counts`, in the transaction that
    applies a read.
    """

    def apply(
        self, diff: CatalogueDiff, run_id: str, now: datetime, *, windows: bool = True
    ) -> None:
        """
        Make the mirror and the quarantine what the read says.

        Args:
            windows: Whether those of the read are kept; else all are forgotten.
        """
        moment = now.isoformat()

        if diff.created or diff.updated or diff.gone:
            number = self._number(run_id)
            if self.session.execute(ANY_ITEM, (self.location,)).fetchone() is None:
                self.session.execute(_FILL, (self.location, number))
            else:
                self.session.execute(_UPSERT, (self.location, number, None))
                for kind in ("removed", "deleted"):
                    self.session.execute(_REMOVE, (moment, number, self.location, kind))

        self._merge_counts(diff)
        kept = CatalogueWindows(self.session, self.location)
        (kept.save if windows else kept.forget)()
        aside = QuarantineStaging(self.session, self.location)
        aside.merge(run_id, moment, complete=diff.is_complete)

    def apply_replayed(self, diff: CatalogueDiff, run_id: str, key: str) -> None:
        """
        Take what was staged into the mirror, and nothing else; what was set
        aside under *key* is settled.
        """
        self.session.execute(_UPSERT, (self.location, self._number(run_id), "replayed"))
        self._merge_counts(diff)
        CatalogueWindows(self.session, self.location).forget()
        QuarantineStaging(self.session, self.location).release(key)

    def _number(self, run_id: str) -> int:
        self.session.execute(_ADD_RUN, (self.location, run_id))

        return int(self.value(_RUN_NUMBER, (self.location, run_id)))

    def _merge_counts(self, diff: CatalogueDiff) -> None:
        returned = diff.updated - (diff.compared - diff.unchanged)
        counts = (diff.created, returned, diff.gone)
        self.session.execute(_MERGE_COUNTS, (self.location, *counts))
