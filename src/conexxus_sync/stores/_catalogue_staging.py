"""
Staging of a catalogue read: temporary tables, comparison and merge in SQL.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import chain

import attrs

from conexxus_client import encode_item
from conexxus_sync.model.catalogue import CatalogueDiff, ItemRow, RejectedElement

from ._database import Repository
from ._queued_items import item_of


ROWS_A_STATEMENT = 500
DIFFERENT_COPIES = "Duplicate SKU with different data"

_TABLES = (
    """
    CREATE TEMP TABLE stage (
        number INTEGER PRIMARY KEY, sku TEXT, digest BLOB, name TEXT, price TEXT, category TEXT,
        description TEXT, extra TEXT
    )
    """,
    "CREATE TEMP TABLE pages (first INTEGER PRIMARY KEY, page INTEGER)",
    """
    CREATE TEMP TABLE aside (
        number INTEGER PRIMARY KEY, sku TEXT, key TEXT, raw BLOB, reason TEXT, path TEXT,
        page INTEGER
    )
    """,
    """
    CREATE TEMP TABLE latest (
        sku TEXT PRIMARY KEY, digest BLOB, number INTEGER, copies INTEGER, differ INTEGER
    ) WITHOUT ROWID
    """,
    """
    CREATE TEMP TABLE delta (
        sku TEXT PRIMARY KEY, kind TEXT, number INTEGER, present INTEGER
    ) WITHOUT ROWID
    """,
)
# Only two lengths: a long statement for each length of page, prepared and
# cached by sqlite3, once cost 30 MB.
_INSERT_ONE = (
    "INSERT INTO stage (sku, digest, name, price, category, description, extra)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_MANY = _INSERT_ONE + ", (?, ?, ?, ?, ?, ?, ?)" * (ROWS_A_STATEMENT - 1)
# Not in each row: a page has thousands.
_ADD_PAGE = """
INSERT INTO pages (first, page) SELECT ?1, ?2
WHERE coalesce((SELECT max(page) FROM pages), -1) <> ?2
ON CONFLICT (first) DO UPDATE SET page = excluded.page
"""
_PAGE = "(SELECT page FROM pages WHERE first <= s.number ORDER BY first DESC LIMIT 1)"
_SET_ASIDE = "INSERT INTO aside (sku, key, raw, reason, path, page) VALUES (?, ?, ?, ?, ?, ?)"

# One pass over the SKUs in order, however they came.  Where copies differ, no
# digest is asked for.
_LATEST = """
INSERT INTO latest (sku, digest, number, copies, differ)
SELECT l.sku, s.digest, l.number, l.copies, l.digests - 1 FROM (
    SELECT sku, max(number) AS number, count(*) AS copies, count(DISTINCT digest) AS digests
    FROM stage GROUP BY sku
) AS l JOIN stage AS s ON s.number = l.number ORDER BY l.sku
"""
_COPIES = f"""
SELECT sku, name, price, category, description, extra, {_PAGE} FROM stage AS s
WHERE sku IN (SELECT sku FROM latest WHERE differ > 0) ORDER BY number
"""  # noqa: S608  # constants

_INDEX_ASIDE = "CREATE INDEX temp.aside_by_sku ON aside (sku)"
_COMPARE = """
INSERT INTO delta (sku, kind, number, present)
SELECT l.sku, CASE WHEN i.sku IS NULL THEN 'created' ELSE 'updated' END, l.number,
    CASE WHEN i.sku IS NOT NULL AND i.missing_since IS NULL THEN 1 ELSE 0 END
FROM latest AS l LEFT JOIN items AS i ON i.location = ? AND i.sku = l.sku
WHERE l.differ = 0 AND (i.sku IS NULL OR i.digest <> l.digest OR i.missing_since IS NOT NULL)
ORDER BY l.sku
"""
_NAMELESS = "SELECT 1 FROM aside WHERE sku IS NULL LIMIT 1"
_GONE = """
INSERT INTO delta (sku, kind, number, present)
SELECT sku, 'removed', NULL, 1 FROM items AS i WHERE location = ? AND missing_since IS NULL
    AND NOT EXISTS (SELECT 1 FROM latest AS l WHERE l.sku = i.sku)
    AND NOT EXISTS (SELECT 1 FROM aside AS a WHERE a.sku = i.sku)
"""

_DELTA_COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'created'), count(*) FILTER (WHERE kind = 'updated'),
    count(*) FILTER (WHERE kind = 'updated' AND present = 1),
    count(*) FILTER (WHERE kind = 'removed')
FROM delta
"""
_VALID_COUNTS = "SELECT count(*), coalesce(sum(copies), 0) FROM latest WHERE differ = 0"
_ASIDE_COUNT = "SELECT count(*) FROM aside"
_KNOWN_COUNT = "SELECT count(*) FROM items WHERE location = ? AND missing_since IS NULL"
# Of at most 13 digits: a double tells any two of them apart.
_REPRICED = """
FROM delta AS d JOIN stage AS s ON s.number = d.number
JOIN items AS i ON i.location = ?1 AND i.sku = d.sku
WHERE d.kind = 'updated' AND d.present = 1 AND CAST(i.price AS REAL) <> CAST(s.price AS REAL)
"""
_REPRICED_COUNT = f"SELECT count(*) {_REPRICED}"  # constants
_SAVE_PRICES = f"""
INSERT INTO planned_prices (location, run_id, sku, name, old_price, new_price)
SELECT ?1, ?2, d.sku, s.name, i.price, s.price {_REPRICED} ORDER BY d.sku
"""  # constants

_UPSERT = f"""
INSERT INTO items (
    location, sku, digest, name, price, category, description, extra, created_run, updated_run,
    decision, page
)
SELECT
    ?1, d.sku, s.digest, s.name, s.price, s.category, s.description, s.extra, ?2, ?2,
    coalesce(?3, d.kind), {_PAGE}
FROM delta AS d JOIN stage AS s ON s.number = d.number
WHERE d.kind IN ('created', 'updated') ORDER BY d.sku
ON CONFLICT (location, sku) DO UPDATE SET
    digest = excluded.digest, name = excluded.name, price = excluded.price,
    category = excluded.category, description = excluded.description, extra = excluded.extra,
    missing_since = NULL, updated_run = excluded.updated_run, page = excluded.page,
    old_price = CASE WHEN items.price = excluded.price THEN NULL ELSE items.price END,
    decision = CASE
        WHEN items.missing_since IS NULL OR ?3 IS NOT NULL THEN excluded.decision
        ELSE 'returned'
    END
"""  # noqa: S608  # constants
_REMOVE = """
UPDATE items SET missing_since = ?, updated_run = ?, decision = 'removed', page = NULL,
    old_price = NULL
WHERE location = ? AND sku IN (SELECT sku FROM delta WHERE kind = 'removed')
"""
_COUNT_CHANGES = """
SELECT count(*) FILTER (WHERE kind = 'created'),
    count(*) FILTER (WHERE kind = 'updated' AND present = 0),
    count(*) FILTER (WHERE kind = 'removed')
FROM delta
"""
_MERGE_COUNTS = """
INSERT INTO item_counts (location, present, missing) VALUES (?1, ?2, 0)
ON CONFLICT (location) DO UPDATE SET present = item_counts.present + ?2 + ?3 - ?4,
    missing = item_counts.missing - ?3 + ?4
"""
_MERGE_QUARANTINE = """
INSERT INTO quarantine (location, kind, key, part, raw, reason, path, first_seen, last_seen,
    times_seen, run_id, page)
SELECT ?1, 'item', key, row_number() OVER (PARTITION BY key ORDER BY number) - 1,
    raw, reason, path, ?2, ?2, 1, ?3, page
FROM (
    SELECT key, raw, reason, path, page, number,
        row_number() OVER (PARTITION BY key, raw ORDER BY number) AS copy
    FROM aside
) AS a WHERE copy = 1
ON CONFLICT (location, kind, key, part) DO UPDATE SET raw = excluded.raw,
    reason = excluded.reason, path = excluded.path, last_seen = excluded.last_seen,
    times_seen = quarantine.times_seen + 1, run_id = excluded.run_id, page = excluded.page
"""
_CLEAR_QUARANTINE = """
DELETE FROM quarantine WHERE location = ? AND kind = 'item' AND run_id <> ?
"""
_RELEASE = "DELETE FROM quarantine WHERE location = ? AND kind = 'item' AND key = ?"


@attrs.frozen
class CatalogueStaging(Repository):
    """
    Temporary tables on one connection; they go when it closes.

    While they fill and are compared, nobody else is kept from writing: the
    lease keeps the mirror as it is.
    """

    def open(self) -> None:
        """
        Make room for a read.
        """
        self.session.create_temporary(*_TABLES)

    def add(self, rows: Sequence[ItemRow], page: int, *, first: int) -> None:
        """
        Stage valid items, which came on this page.

        Args:
            first: How many were staged before, plus one.
        """
        with self.session.filling():
            self.session.execute(_ADD_PAGE, (first, page))

            for start in range(0, len(rows), ROWS_A_STATEMENT):
                some = rows[start : start + ROWS_A_STATEMENT]
                if len(some) == ROWS_A_STATEMENT:
                    self.session.execute(_INSERT_MANY, tuple(chain.from_iterable(some)))
                else:
                    self.session.execute_many(_INSERT_ONE, some)

    def quarantine(self, rejects: Iterable[RejectedElement], page: int) -> None:
        """
        Stage what goes into quarantine.
        """
        self.session.execute_many(
            _SET_ASIDE, ((it.sku, _key(it), it.raw, it.reason, it.path, page) for it in rejects)
        )

    def duplicates(self) -> Iterator[RejectedElement]:
        """
        Find the copies that differ and set them aside, all of them.
        """
        self.session.execute(_LATEST)

        for *row, page in self.session.stream(_COPIES):
            raw = encode_item(item_of(tuple(row)))
            reject = RejectedElement(sku=row[0], raw=raw, reason=DIFFERENT_COPIES, path="$.sku")
            self.quarantine([reject], page)
            yield reject

    def compare(self, *, complete: bool = True) -> CatalogueDiff:
        """
        Compare the read with the mirror; `duplicates` must have been sought.

        Args:
            complete: What is not in it is gone.
        """
        self.session.execute(_INDEX_ASIDE)
        self.session.execute(_COMPARE, (self.location,))

        # Who can't be named might be anybody: then nobody is missing.
        if complete and self.session.first(_NAMELESS) is None:
            self.session.execute(_GONE, (self.location,))

        return self._diff()

    def _diff(self) -> CatalogueDiff:
        created, updated, changed, gone = self.session.all(_DELTA_COUNTS)[0]
        valid, copies = self.session.all(_VALID_COUNTS)[0]
        failed = self.value(_ASIDE_COUNT)
        unchanged = valid - created - updated

        return CatalogueDiff(
            known=self.value(_KNOWN_COUNT, (self.location,)),
            received=int(copies) + failed,
            failed=failed,
            created=created,
            updated=updated,
            unchanged=unchanged,
            gone=gone,
            compared=unchanged + changed,
            repriced=self.value(_REPRICED_COUNT, (self.location,)),
        )

    def merge(self, run_id: str, now: datetime) -> None:
        """
        Make the mirror and the quarantine what the read says.
        """
        moment = now.isoformat()
        self.session.execute(_UPSERT, (self.location, run_id, None))
        self.session.execute(_REMOVE, (moment, run_id, self.location))
        self._merge_counts()
        # What this read set aside is what the quarantine holds.
        self.session.execute(_MERGE_QUARANTINE, (self.location, moment, run_id))
        self.session.execute(_CLEAR_QUARANTINE, (self.location, run_id))

    def merge_replayed(self, run_id: str, key: str) -> None:
        """
        Take what was staged into the mirror, and nothing else; what was set
        aside under *key* is settled.
        """
        self.session.execute(_UPSERT, (self.location, run_id, "replayed"))
        self._merge_counts()
        self.session.execute(_RELEASE, (self.location, key))

    def save_prices(self, run_id: str) -> None:
        """
        Keep what would become of the prices, instead of doing it.
        """
        self.session.execute(_SAVE_PRICES, (self.location, run_id))

    def _merge_counts(self) -> None:
        created, returned, gone = self.session.all(_COUNT_CHANGES)[0]
        self.session.execute(_MERGE_COUNTS, (self.location, created, returned, gone))


def _key(reject: RejectedElement) -> str:
    if reject.sku is not None:
        return reject.sku

    return f"#{blake2b(reject.raw, digest_size=8).hexdigest()}"
