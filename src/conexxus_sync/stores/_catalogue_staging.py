"""
Staging of a catalogue read: temporary tables, comparison and merge in SQL.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import chain

import attrs

from conexxus_client import encode_item
from conexxus_sync.model.catalogue import CatalogueDiff, ItemRow, RejectedElement

from ._queued_items import item_of


ROWS_A_STATEMENT = 500
DIFFERENT_COPIES = "Duplicate SKU with different data"

_TABLES = """
CREATE TEMP TABLE stage (
    number INTEGER PRIMARY KEY, sku TEXT, digest BLOB, name TEXT, price TEXT, category TEXT,
    description TEXT, extra TEXT
);
CREATE TEMP TABLE pages (first INTEGER PRIMARY KEY, page INTEGER);
CREATE TEMP TABLE aside (
    number INTEGER PRIMARY KEY, sku TEXT, key TEXT, raw BLOB, reason TEXT, path TEXT, page INTEGER
);
CREATE TEMP TABLE latest (
    sku TEXT PRIMARY KEY, digest BLOB, number INTEGER, copies INTEGER, differ INTEGER
) WITHOUT ROWID;
CREATE TEMP TABLE delta (
    sku TEXT PRIMARY KEY, kind TEXT, number INTEGER, present INTEGER
) WITHOUT ROWID;
"""
# Only two lengths: a long statement for each length of page, prepared and
# cached by sqlite3, once cost 30 MB.
_INSERT_ONE = (
    "INSERT INTO stage (sku, digest, name, price, category, description, extra)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_MANY = _INSERT_ONE + ", (?, ?, ?, ?, ?, ?, ?)" * (ROWS_A_STATEMENT - 1)
_PAGE = "(SELECT page FROM pages WHERE first <= s.number ORDER BY first DESC LIMIT 1)"
_UPSERT = f"""
INSERT INTO items (
    location, sku, digest, name, price, category, description, extra, created_run, updated_run,
    decision, page
)
SELECT
    :location, d.sku, s.digest, s.name, s.price, s.category, s.description, s.extra, :run, :run,
    ifnull(:decision, d.kind), {_PAGE}
FROM delta d JOIN stage s ON s.number = d.number
WHERE d.kind IN ('created', 'updated') ORDER BY d.sku
ON CONFLICT (location, sku) DO UPDATE SET
    digest = excluded.digest, name = excluded.name, price = excluded.price,
    category = excluded.category, description = excluded.description, extra = excluded.extra,
    missing_since = NULL, updated_run = excluded.updated_run, page = excluded.page,
    old_price = iif(price = excluded.price, NULL, price),
    decision = iif(missing_since IS NULL OR :decision IS NOT NULL, excluded.decision, 'returned')
"""  # noqa: S608  # constants
# Of at most 13 digits: a double tells any two of them apart.
_REPRICED = (
    "FROM delta d JOIN stage s ON s.number = d.number"
    " JOIN items i ON i.location = ?1 AND i.sku = d.sku"
    " WHERE d.kind = 'updated' AND d.present"
    " AND CAST(i.price AS REAL) <> CAST(s.price AS REAL)"
)


@attrs.define
class SqliteCatalogStaging:
    """
    Temporary tables on one connection; they go when it closes.

    While they fill and are compared, nobody else is kept from writing: the
    lease keeps the mirror as it is.

    Attributes:
        count: Rows staged so far, and the number of the last.
    """

    connection: sqlite3.Connection
    location_id: str
    count: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.connection.executescript(_TABLES)

    def add(self, rows: Sequence[ItemRow], page: int) -> None:
        """
        Stage valid items, which came on this page.
        """
        self.connection.execute("BEGIN")
        # Not in each row: a page has thousands.
        self.connection.execute(
            "INSERT OR REPLACE INTO pages SELECT ?1, ?2"
            " WHERE ?2 IS NOT (SELECT max(page) FROM pages)",
            (self.count + 1, page),
        )

        for start in range(0, len(rows), ROWS_A_STATEMENT):
            some = rows[start : start + ROWS_A_STATEMENT]
            if len(some) == ROWS_A_STATEMENT:
                self.connection.execute(_INSERT_MANY, tuple(chain.from_iterable(some)))
            else:
                self.connection.executemany(_INSERT_ONE, some)

        self.connection.execute("COMMIT")
        self.count += len(rows)

    def quarantine(self, rejects: Iterable[RejectedElement], page: int) -> None:
        """
        Stage what goes into quarantine.
        """
        self.connection.executemany(
            "INSERT INTO aside (sku, key, raw, reason, path, page) VALUES (?, ?, ?, ?, ?, ?)",
            ((it.sku, _key(it), it.raw, it.reason, it.path, page) for it in rejects),
        )

    def duplicates(self) -> Iterator[RejectedElement]:
        """
        Find the copies that differ and set them aside, all of them.
        """
        # One pass over the SKUs in order, however they came.
        self.connection.execute(
            "INSERT INTO latest SELECT sku, min(digest), max(number), count(*),"
            " min(digest) <> max(digest) FROM stage GROUP BY sku"
        )
        copies = self.connection.execute(
            f"SELECT sku, name, price, category, description, extra, {_PAGE} FROM stage s"  # noqa: S608  # constants
            " WHERE sku IN (SELECT sku FROM latest WHERE differ) ORDER BY number"
        )

        for *row, page in copies:
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
        self.connection.execute("CREATE INDEX temp.aside_by_sku ON aside (sku)")
        self.connection.execute(
            "INSERT INTO delta SELECT l.sku, iif(i.sku IS NULL, 'created', 'updated'), l.number,"
            " i.sku IS NOT NULL AND i.missing_since IS NULL"
            " FROM latest l LEFT JOIN items i ON i.location = ? AND i.sku = l.sku"
            " WHERE NOT l.differ"
            " AND (i.sku IS NULL OR i.digest <> l.digest OR i.missing_since IS NOT NULL)"
            " ORDER BY l.sku",
            (self.location_id,),
        )
        if complete:
            self._find_gone()

        return self._diff()

    def _find_gone(self) -> None:
        # Who can't be named might be anybody: then nobody is missing.
        if self._count("SELECT count(*) FROM aside WHERE sku IS NULL"):
            return

        self.connection.execute(
            "INSERT INTO delta SELECT sku, 'removed', NULL, 1 FROM items i"
            " WHERE location = ? AND missing_since IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM latest WHERE sku = i.sku)"
            " AND NOT EXISTS (SELECT 1 FROM aside WHERE sku = i.sku)",
            (self.location_id,),
        )

    def _diff(self) -> CatalogueDiff:
        kinds = dict(
            self.connection.execute("SELECT kind, count(*) FROM delta GROUP BY kind").fetchall()
        )
        created, updated = kinds.get("created", 0), kinds.get("updated", 0)
        valid = self._count("SELECT count(*) FROM latest WHERE NOT differ")
        copies = self._count("SELECT coalesce(sum(copies), 0) FROM latest WHERE NOT differ")
        changed = self._count("SELECT count(*) FROM delta WHERE kind = 'updated' AND present")
        failed = self._count("SELECT count(*) FROM aside")
        unchanged = valid - created - updated

        return CatalogueDiff(
            known=self._count(
                "SELECT count(*) FROM items WHERE location = ? AND missing_since IS NULL",
                self.location_id,
            ),
            received=copies + failed,
            failed=failed,
            created=created,
            updated=updated,
            unchanged=unchanged,
            gone=kinds.get("removed", 0),
            compared=unchanged + changed,
            repriced=self._count(f"SELECT count(*) {_REPRICED}", self.location_id),
        )

    def merge(self, connection: sqlite3.Connection, run_id: str, now: datetime) -> None:
        """
        Make the mirror and the quarantine what the read says.

        Args:
            connection: Our own, with a transaction open on it.
        """
        moment = now.isoformat()
        connection.execute(
            _UPSERT,
            {"location": self.location_id, "run": run_id, "decision": None},
        )
        connection.execute(
            "UPDATE items SET missing_since = ?, updated_run = ?, decision = 'removed',"
            " page = NULL, old_price = NULL WHERE location = ?"
            " AND sku IN (SELECT sku FROM delta WHERE kind = 'removed')",
            (moment, run_id, self.location_id),
        )
        self._merge_counts(connection)
        self._merge_quarantine(connection, run_id, moment)

    def merge_replayed(self, connection: sqlite3.Connection, run_id: str, key: str) -> None:
        """
        Take what was staged into the mirror, and nothing else; what was set
        aside under *key* is settled.

        Args:
            connection: Our own, with a transaction open on it.
        """
        connection.execute(
            _UPSERT, {"location": self.location_id, "run": run_id, "decision": "replayed"}
        )
        self._merge_counts(connection)
        connection.execute(
            "DELETE FROM quarantine WHERE location = ? AND kind = 'item' AND key = ?",
            (self.location_id, key),
        )

    def save_prices(self, connection: sqlite3.Connection, run_id: str) -> None:
        """
        Keep what would become of the prices, instead of doing it.
        """
        connection.execute(
            f"INSERT INTO planned_prices SELECT ?1, ?2, d.sku, s.name, i.price, s.price {_REPRICED}"
            " ORDER BY d.sku",
            (self.location_id, run_id),
        )

    def _merge_counts(self, connection: sqlite3.Connection) -> None:
        created, returned, gone = connection.execute(
            "SELECT count(*) FILTER (WHERE kind = 'created'),"
            " count(*) FILTER (WHERE kind = 'updated' AND NOT present),"
            " count(*) FILTER (WHERE kind = 'removed') FROM delta"
        ).fetchone()
        connection.execute(
            "INSERT INTO item_counts VALUES (?1, ?2, 0) ON CONFLICT (location) DO UPDATE"
            " SET present = present + ?2 + ?3 - ?4, missing = missing - ?3 + ?4",
            (self.location_id, created, returned, gone),
        )

    def _merge_quarantine(self, connection: sqlite3.Connection, run_id: str, moment: str) -> None:
        """
        What this read set aside is what the quarantine holds.
        """
        connection.execute(
            "INSERT INTO quarantine (location, kind, key, part, raw, reason, path, first_seen,"
            " last_seen, times_seen, run_id, page) SELECT ?1, 'item', key,"
            " row_number() OVER (PARTITION BY key ORDER BY number) - 1,"
            " raw, reason, path, ?2, ?2, 1, ?3, page"
            # With min(), the other columns are of the same row.
            " FROM (SELECT key, raw, reason, path, page, min(number) AS number FROM aside"
            " GROUP BY key, raw) WHERE true"
            " ON CONFLICT (location, kind, key, part) DO UPDATE SET raw = excluded.raw,"
            " reason = excluded.reason, path = excluded.path, last_seen = excluded.last_seen,"
            " times_seen = times_seen + 1, run_id = excluded.run_id, page = excluded.page",
            (self.location_id, moment, run_id),
        )
        connection.execute(
            "DELETE FROM quarantine WHERE location = ? AND kind = 'item' AND run_id <> ?",
            (self.location_id, run_id),
        )

    def _count(self, query: str, *parameters: str) -> int:
        return int(self.connection.execute(query, parameters).fetchone()[0])


def _key(reject: RejectedElement) -> str:
    if reject.sku is not None:
        return reject.sku

    return f"#{blake2b(reject.raw, digest_size=8).hexdigest()}"
