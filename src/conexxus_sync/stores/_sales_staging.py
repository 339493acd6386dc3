"""
Staging of a date's transactions: comparison with what was delivered, in SQL.

They wait in a temporary table, on disk if there are many, so that a day of
any size costs the memory of one batch.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy

from ._database import text


_TABLE = """
CREATE TEMP TABLE staged (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, digest BLOB NOT NULL, exact BLOB NOT NULL,
    total TEXT NOT NULL, raw BLOB NOT NULL, sold_at TEXT NOT NULL, fault TEXT,
    mismatched INTEGER NOT NULL, shows_card INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 0
)
"""

_COLUMNS = "position, id, digest, total, raw, sold_at, fault, mismatched, shows_card, revision"

# By what is told, or by the bytes as they were once compared.
_DIFFERS = "d.digest NOT IN (s.digest, s.exact)"

# What waits in a batch or in quarantine, by the host's ids.
_WAITING = """
SELECT id FROM quarantined_transactions WHERE location = ?1 AND business_date = ?2
UNION ALL
SELECT t.origin FROM batches AS b JOIN batch_transactions AS t USING (location, key)
WHERE b.location = ?1 AND b.business_date = ?2
  AND b.state IN ('pending', 'sending', 'unknown')
"""

# Delivered, but the host no longer tells it; unless a correction of it waits.
_MISSING = f"""
SELECT id, NULL FROM delivered
WHERE location = ?1 AND business_date = ?2 AND NOT voided
  AND id NOT IN (SELECT id FROM staged) AND id NOT IN ({_WAITING})
"""  # noqa: S608  # constants

# Of equal ones the first that may be sent stays: it is one sale that the host
# told twice.
_DROP_EQUAL = """
DELETE FROM staged WHERE position IN (
    SELECT position FROM (
        SELECT position, row_number() OVER (
            PARTITION BY id, digest ORDER BY fault IS NOT NULL, position
        ) AS place
        FROM staged
    ) WHERE place > 1
)
"""

# It waits there, even if it changed.
_DROP_WAITING = f"DELETE FROM staged WHERE id IN ({_WAITING})"  # noqa: S608  # constants

_CHANGED = f"""
SELECT s.id, max(s.digest) FROM staged AS s
JOIN delivered AS d ON d.location = ?1 AND d.business_date = ?2 AND d.id = s.id
WHERE NOT d.voided AND (s.fault IS NOT NULL OR {_DIFFERS}) GROUP BY s.id
"""  # noqa: S608  # constants

# Of several tellings of a delivered one, the delivered one stays, if told.
_DROP_CHANGED = f"""
DELETE FROM staged WHERE position IN (
    SELECT position FROM (
        SELECT s.position, s.fault, row_number() OVER (
            PARTITION BY s.id ORDER BY s.fault IS NOT NULL, {_DIFFERS}, s.position
        ) AS place
        FROM staged AS s
        JOIN delivered AS d ON d.location = ?1 AND d.business_date = ?2 AND d.id = s.id
        WHERE NOT d.voided
    ) WHERE place > 1 OR fault IS NOT NULL
)
"""  # noqa: S608  # constants

_FAULT_DIFFERENT = """
UPDATE staged SET fault = 'Duplicate transaction id with different data'
WHERE fault IS NULL AND id IN (SELECT id FROM staged GROUP BY id HAVING count(*) > 1)
"""

# Its place is on another date, where it is, or is about to be, delivered.  Left
# alone, SQLite would read all that was ever delivered, for each of them.
_ELSEWHERE = """
s.fault IS NULL AND NOT EXISTS (
    SELECT 1 FROM delivered AS d
    WHERE d.location = ?1 AND d.business_date = ?2 AND d.id = s.id AND NOT d.voided
) AND (
    EXISTS (
        SELECT 1 FROM delivered AS d INDEXED BY delivered_by_id
        WHERE d.location = ?1 AND d.id = s.id AND d.business_date <> ?2 {delivered}
    ) OR EXISTS (
        SELECT 1 FROM batch_transactions AS d JOIN batches AS b USING (location, key)
        WHERE d.location = ?1 AND d.origin = s.id AND b.business_date <> ?2
          AND b.state IN ('pending', 'sending', 'unknown') {waiting}
    )
)
"""
_SAME_ID = _ELSEWHERE.format(delivered="", waiting="")
_SAME_SALE = _ELSEWHERE.format(
    delivered="AND d.sold_at = s.sold_at AND NOT d.voided", waiting="AND d.sold_at = s.sold_at"
)

# A server that knows transactions by their id alone would pass it over.
_FAULT_ELSEWHERE = f"""
UPDATE staged AS s SET fault = 'Transaction id was used on another business date' WHERE {_SAME_ID}
"""  # noqa: S608  # constants

_TOLD_TWICE = f"SELECT id, digest FROM staged AS s WHERE {_SAME_SALE}"  # noqa: S608  # constants
_DROP_TOLD_TWICE = f"DELETE FROM staged AS s WHERE {_SAME_SALE}"  # noqa: S608  # constants

# What was voided is sent as a correction, under a name of its own.
_REVISE = """
UPDATE staged AS s SET revision = d.revision FROM delivered AS d
WHERE d.location = ?1 AND d.business_date = ?2 AND d.id = s.id AND d.voided
"""

_FRESH = f"""
SELECT {_COLUMNS} FROM staged
WHERE fault IS NULL AND id NOT IN (
    SELECT id FROM delivered WHERE location = ?1 AND business_date = ?2 AND NOT voided
)
ORDER BY position
"""  # noqa: S608  # constants

# Delivered, and told otherwise now in a way that can be sent.
_CORRECTED = f"""
SELECT s.id FROM staged AS s
JOIN delivered AS d ON d.location = ?1 AND d.business_date = ?2 AND d.id = s.id
WHERE NOT d.voided AND {_DIFFERS}
"""  # noqa: S608  # constants

# To whom it is news: something else delivered it.
_ADOPT = """
INSERT OR IGNORE INTO delivered
SELECT ?1, ?2, id, digest, total, '', ?3, sold_at, 0, 0 FROM staged WHERE id NOT IN (
    SELECT t.origin FROM batches AS b JOIN batch_transactions AS t USING (location, key)
    WHERE b.location = ?1 AND b.business_date = ?2
      AND b.state IN ('pending', 'sending', 'unknown')
) ORDER BY position
"""


class SqliteStaging:
    """
    A temporary table on the connection of one unit of work.
    """

    def fill(
        self, connection: sqlite3.Connection, transactions: Iterable[FrozenTransaction]
    ) -> None:
        """
        Stage what the host tells of one date.
        """
        connection.execute(_TABLE)
        # Touches the temporary database only: nobody waits for a slow host.
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                (
                    *(t.position, t.id, t.digest, t.exact, str(t.total), t.raw, t.sold_at),
                    *(t.fault, t.mismatched, t.has_card_number),
                )
                for t in transactions
            ),
        )
        connection.execute("COMMIT")

    def compare(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        *,
        ids_are_global: bool,
    ) -> list[FoundDiscrepancy]:
        """
        Compare what is staged with what is known, and drop what waits.

        Args:
            ids_are_global: Whether the same id on another date is the same
                transaction to the back office.

        Returns:
            How the host contradicts what was delivered.
        """
        day = (location_id, business_date.isoformat())
        connection.execute("CREATE INDEX temp.staged_by_id ON staged (id, digest)")
        missing = connection.execute(_MISSING, day).fetchall()
        connection.execute(_DROP_EQUAL)
        connection.execute(_DROP_WAITING, day)
        changed = connection.execute(_CHANGED, day).fetchall()
        connection.execute(_DROP_CHANGED, day)
        connection.execute(_FAULT_DIFFERENT)

        connection.execute(_REVISE, day)
        twice: list[tuple[str, bytes]] = []

        if ids_are_global:
            connection.execute(_FAULT_ELSEWHERE, day)
        else:
            twice = connection.execute(_TOLD_TWICE, day).fetchall()
            connection.execute(_DROP_TOLD_TWICE, day)

        return [
            *(
                FoundDiscrepancy(id=name, kind=DiscrepancyKind.ELSEWHERE, digest=now)
                for name, now in twice
            ),
            *(
                FoundDiscrepancy(id=name, kind=DiscrepancyKind.CHANGED, digest=now)
                for name, now in changed
            ),
            *(
                FoundDiscrepancy(id=name, kind=DiscrepancyKind.MISSING, digest=now)
                for name, now in missing
            ),
        ]

    def fresh(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> Iterator[FrozenTransaction]:
        """
        What was never delivered and may be sent, in the host's order.
        """
        return _read(connection.execute(_FRESH, (location_id, business_date.isoformat())))

    def corrected(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> set[str]:
        """
        Ids of what was delivered, and may be sent as the host tells it now.
        """
        rows = connection.execute(_CORRECTED, (location_id, business_date.isoformat()))
        return {row[0] for row in rows}

    def whole(self, connection: sqlite3.Connection) -> Iterator[FrozenTransaction]:
        """
        All that may be sent, delivered or not, in the host's order.
        """
        return _read(
            connection.execute(
                f"SELECT {_COLUMNS} FROM staged WHERE fault IS NULL ORDER BY position"  # noqa: S608  # constants
            )
        )

    def faulty(self, connection: sqlite3.Connection) -> Iterator[FrozenTransaction]:
        """
        What must not be sent, each with its fault; there may be any number.
        """
        return _read(
            connection.execute(
                f"SELECT {_COLUMNS} FROM staged WHERE fault IS NOT NULL ORDER BY position"  # noqa: S608  # constants
            )
        )

    def adopt(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        now: datetime,
    ) -> int:
        """
        Take what is staged for delivered by something else; returns how many
        were not known before.
        """
        return connection.execute(
            _ADOPT, (location_id, business_date.isoformat(), text(now))
        ).rowcount


def _read(cursor: sqlite3.Cursor) -> Iterator[FrozenTransaction]:
    for position, name, digest, total, raw, sold_at, fault, mismatched, card, revision in cursor:
        yield FrozenTransaction(
            position=position,
            id=name,
            digest=digest,
            total=Decimal(total),
            raw=raw,
            sold_at=sold_at,
            fault=fault,
            mismatched=bool(mismatched),
            has_card_number=bool(card),
            revision=revision,
        )
