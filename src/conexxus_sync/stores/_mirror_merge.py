"""
Merge of a staged catalogue read into the mirror and the quarantine.
"""

from datetime import datetime

import attrs

from conexxus_sync.model.catalogue import CatalogueDiff

from ._catalogue_staging import A_PAGE, ANY_ITEM, COLUMNS
from ._catalogue_windows import CatalogueWindows
from ._database import Repository
from ._quarantine_staging import QuarantineStaging


_ADD_RUN = """
INSERT INTO item_runs (location, run_id) VALUES (?, ?) ON CONFLICT (location, run_id) DO NOTHING
"""
_RUN_NUMBER = "SELECT number FROM item_runs WHERE location = ? AND run_id = ?"
_FILL = f"""
INSERT INTO items (location, {COLUMNS}, created_in, updated_in, decision, page)
SELECT ?1, {COLUMNS}, ?2, ?2, 'created', position / {A_PAGE} FROM stage ORDER BY sku
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
UPDATE items SET missing_since = ?, updated_in = ?, decision = 'removed', page = NULL,
    old_price = NULL
WHERE location = ? AND sku IN (SELECT sku FROM delta WHERE kind = 'removed')
"""
_MERGE_COUNTS = """
INSERT INTO item_counts (location, present, missing) VALUES (?1, ?2, 0)
ON CONFLICT (location) DO UPDATE SET present = item_counts.present + ?2 + ?3 - ?4,
    missing = item_counts.missing - ?3 + ?4
"""


@attrs.frozen
class MirrorMerge(Repository):
    """
    Rows of `items`, `item_runs` and `item_counts`, in the transaction that
    applies a read.
    """

    def apply(self, diff: CatalogueDiff, run_id: str, now: datetime) -> None:
        """
        Make the mirror and the quarantine what the read says.
        """
        moment = now.isoformat()

        if diff.created or diff.updated or diff.gone:
            number = self._number(run_id)
            if self.session.execute(ANY_ITEM, (self.location,)).fetchone() is None:
                self.session.execute(_FILL, (self.location, number))
            else:
                self.session.execute(_UPSERT, (self.location, number, None))
                self.session.execute(_REMOVE, (moment, number, self.location))

        self._merge_counts(diff)
        CatalogueWindows(self.session, self.location).save()
        QuarantineStaging(self.session, self.location).merge(run_id, moment)

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
