"""
Quarantined transactions and discrepancies.
"""

import sqlite3
from collections.abc import Collection, Iterable
from datetime import date, datetime

import attrs

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import (
    Discrepancy,
    DiscrepancyKind,
    FoundDiscrepancy,
    QuarantinedTransaction,
)

from ._database import Database, readable, text


@attrs.define
class SqliteSalesQuarantine:
    """
    Rows of `quarantined_transactions` and `discrepancies`.
    """

    store: Database

    def add(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        transactions: Iterable[FrozenTransaction],
        now: datetime,
    ) -> None:
        """
        Set *transactions* aside, each for its fault.

        Several of one id and second are kept as one row, a line each.
        """
        connection.executemany(
            "INSERT INTO quarantined_transactions"
            " (location, business_date, id, sold_second, raw, reason, quarantined_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET raw = CAST(raw || x'0a' || excluded.raw AS BLOB)",
            (
                (
                    *(location_id, business_date.isoformat(), *t.delivered_as),
                    *(t.raw, t.fault or "", text(now)),
                )
                for t in transactions
            ),
        )

    def transactions(
        self, location_id: str, limit: int = 100, *, dismissed: bool = False
    ) -> list[QuarantinedTransaction]:
        """
        What is in quarantine, latest first.

        Args:
            dismissed: Also what an operator has dismissed.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                "SELECT business_date, id, raw, reason, quarantined_at"
                " FROM quarantined_transactions WHERE location = ? AND (? OR dismissed_at IS NULL)"
                " ORDER BY quarantined_at DESC, business_date DESC, id LIMIT ?",
                (location_id, dismissed, limit),
            ).fetchall()

        return list(readable(rows, lambda row: _quarantined(location_id, row)))

    def size(self, location_id: str, business_date: date | None = None) -> int:
        """
        How many transactions are in quarantine, of one date or of all.
        """
        return self._count("quarantined_transactions", "dismissed_at", location_id, business_date)

    def release(
        self, connection: sqlite3.Connection, location_id: str, business_date: date, name: str
    ) -> bool:
        """
        Let a transaction out of quarantine; False if it was not there.
        """
        gone = connection.execute(
            "DELETE FROM quarantined_transactions"
            " WHERE location = ? AND business_date = ? AND id = ?",
            (location_id, business_date.isoformat(), name),
        )

        return gone.rowcount > 0

    def record_discrepancies(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        found: Collection[FoundDiscrepancy],
        now: datetime,
    ) -> list[FoundDiscrepancy]:
        """
        Remember what of the date the host contradicts at present.

        Returns:
            Those that were not known before.
        """
        day = (location_id, business_date.isoformat())
        rows = connection.execute(
            "SELECT id, sold_second, kind, digest FROM discrepancies"
            " WHERE location = ? AND business_date = ?",
            day,
        )
        known = {
            FoundDiscrepancy(id=name, sold_second=second, kind=DiscrepancyKind(kind), digest=digest)
            for name, second, kind, digest in rows
        }
        connection.executemany(
            "DELETE FROM discrepancies"
            " WHERE location = ? AND business_date = ? AND id = ? AND sold_second = ?",
            ((*day, *gone.key) for gone in known.difference(found)),
        )
        news = [one for one in found if one not in known]
        connection.executemany(
            "INSERT INTO discrepancies"
            " (location, business_date, id, sold_second, kind, digest, found_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*day, *one.key, one.kind, one.digest, text(now)) for one in news),
        )

        return news

    def discrepancies(self, location_id: str, limit: int = 100) -> list[Discrepancy]:
        """
        What the host contradicts, latest first.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                "SELECT business_date, id, kind, found_at FROM discrepancies"
                " WHERE location = ? AND accepted_at IS NULL"
                " ORDER BY found_at DESC, business_date DESC, id LIMIT ?",
                (location_id, limit),
            ).fetchall()

        return list(readable(rows, lambda row: _discrepancy(location_id, row)))

    def discrepancy_count(self, location_id: str, business_date: date | None = None) -> int:
        """
        How many delivered transactions the host contradicts, of one date or of all.
        """
        return self._count("discrepancies", "accepted_at", location_id, business_date)

    def _count(self, table: str, settled: str, location_id: str, business_date: date | None) -> int:
        day = None if business_date is None else business_date.isoformat()

        with self.store.reading() as connection:
            (count,) = connection.execute(
                f"SELECT count(*) FROM {table} WHERE location = ?1"  # noqa: S608  # our own words
                f" AND {settled} IS NULL AND (?2 IS NULL OR business_date = ?2)",
                (location_id, day),
            ).fetchone()

        return int(count)


def _quarantined(location_id: str, row: tuple[str, str, bytes, str, str]) -> QuarantinedTransaction:
    day, name, raw, reason, at = row

    return QuarantinedTransaction(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        raw=bytes(raw),
        reason=reason,
        quarantined_at=datetime.fromisoformat(at),
    )


def _discrepancy(location_id: str, row: tuple[str, str, str, str]) -> Discrepancy:
    day, name, kind, at = row

    return Discrepancy(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        kind=DiscrepancyKind(kind),
        found_at=datetime.fromisoformat(at),
    )
