"""
Manual settlement of batches, the history of a transaction, and purging of old data.
"""

import sqlite3
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import attrs

from conexxus_sync.model.sales import (
    BYTES_KEPT,
    IDS_KEPT,
    Batch,
    BatchMembership,
    DeliveredTransaction,
    Discrepancy,
    DiscrepancyKind,
    QuarantinedTransaction,
    TransactionHistory,
)

from ._batch_rows import COLUMNS, origins, read_batch, row_key
from ._database import Database, readable, text
from ._operator_actions import SqliteOperatorActions
from ._sales_dates import SqliteSalesDates


_PURGED = "what was delivered on it is no longer remembered, so a sale could be sent twice"

# Once as the host calls it, once as it was sent.
_HANDINGS = f"""
SELECT t.id, {", ".join(f"b.{name.strip()}" for name in COLUMNS.split(","))}
FROM batch_transactions AS t JOIN batches AS b USING (location, key)
WHERE t.location = ?1 AND t.origin = ?2 AND (t.origin = ?3 OR t.id = ?3)
ORDER BY b.business_date, b.freeze, b.first, b.frozen_at
"""  # noqa: S608  # constants


@attrs.define
class SqliteOutboxMaintenance:
    """
    Finds batches, repeats or settles them by hand, and forgets what is old.

    What writes takes the connection of a transaction that is open already.
    """

    store: Database
    dates: SqliteSalesDates
    actions: SqliteOperatorActions

    def find(self, location_id: str, beginning: str) -> list[Batch]:
        """
        The batches whose key begins like this; at most two, as one is what
        is looked for.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM batches WHERE location = ?1"  # noqa: S608  # constants
                " AND key >= ?2 AND substr(key, 1, length(?2)) = ?2 ORDER BY key LIMIT 2",
                (location_id, beginning),
            ).fetchall()

        return [read_batch(row) for row in rows]

    def unpark(self, connection: sqlite3.Connection, batch: Batch, *, forced: bool) -> None:
        """
        Let the next push send *batch* again.

        Args:
            forced: In spite of what speaks against it, this once.
        """
        connection.execute(
            "UPDATE batches SET parked = NULL, forced = ? WHERE location = ? AND key = ?",
            (forced, *row_key(batch)),
        )

    def give_up(
        self, connection: sqlite3.Connection, batch: Batch, *, answer: str, now: datetime
    ) -> None:
        """
        Settle *batch* as never delivered: its transactions are frozen anew.
        """
        connection.execute(
            "UPDATE batches SET state = 'resolved', parked = NULL, answer = ?, settled_at = ?,"
            " released = 1"
            " WHERE location = ? AND key = ?",
            (answer, text(now), *row_key(batch)),
        )
        self.dates.clear_moved_visits(
            connection, batch.location_id, batch.business_date, origins(connection, batch)
        )

    def undecided(self, location_id: str, business_date: date | None = None) -> list[Batch]:
        """
        Batches of unknown fate, of one date or of all, oldest date first.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM batches WHERE location = ?1"  # noqa: S608  # constants
                " AND state IN ('sending', 'unknown')"
                " AND (?2 IS NULL OR business_date = ?2) ORDER BY business_date, freeze, first",
                (location_id, None if business_date is None else business_date.isoformat()),
            ).fetchall()

        return [read_batch(row) for row in rows]

    def purge(self, connection: sqlite3.Connection, location_id: str, now: datetime) -> None:
        """
        Forget bytes and ids that are old enough.

        A date whose ids are forgotten takes no push any more.
        """
        (newest,) = connection.execute(
            "SELECT max(business_date) FROM delivered"
            " WHERE location = ? AND date(business_date) = business_date",
            (location_id,),
        ).fetchone()

        if newest is None:
            return

        # A clock that is years ahead must not make us forget what was sold
        # today: sales have dates of their own.
        sold = datetime.combine(date.fromisoformat(newest), now.timetz()) + timedelta(days=2)
        self._purge_bytes(connection, location_id, text(min(now, sold) - BYTES_KEPT))
        self._purge_ids(connection, location_id, min(now, sold) - IDS_KEPT)

    def history(self, location_id: str, name: str) -> TransactionHistory:
        """
        All that is known of the transaction that the host calls *name*, or
        that was sent under it.
        """
        origin = name.split(":void:")[0].split(":rev:")[0]

        with self.store.reading() as connection:
            memberships = connection.execute(_HANDINGS, (location_id, origin, name)).fetchall()
            if not memberships and origin != name:
                # An id of the host may look like one of ours.
                origin = name
                memberships = connection.execute(_HANDINGS, (location_id, name, name)).fetchall()
            found = {
                table: connection.execute(query, (location_id, origin)).fetchall()
                for table, query in _ABOUT.items()
            }

            keys = {read_batch(row[1:]).key for row in memberships}
            actions = self.actions.about(connection, location_id, [origin, *sorted(keys)])

        return TransactionHistory(
            id=origin,
            actions=actions,
            memberships=tuple(
                readable(
                    memberships,
                    lambda row: BatchMembership(id=row[0], batch=read_batch(row[1:])),
                )
            ),
            delivered=tuple(readable(found["delivered"], _delivered)),
            quarantined=tuple(
                readable(found["quarantined"], partial(_quarantined, location_id, origin))
            ),
            discrepancies=tuple(
                readable(found["discrepancies"], partial(_discrepancy, location_id, origin))
            ),
        )

    def _purge_bytes(self, connection: sqlite3.Connection, location_id: str, before: str) -> None:
        connection.execute(
            "UPDATE batches SET body = NULL"
            " WHERE location = ? AND settled_at < ? AND body IS NOT NULL",
            (location_id, before),
        )

    def _purge_ids(
        self, connection: sqlite3.Connection, location_id: str, before: datetime
    ) -> None:
        # Nothing is delivered before its day.
        last_day = (before + timedelta(days=1)).date().isoformat()
        days = connection.execute(
            "SELECT DISTINCT business_date FROM delivered"
            " WHERE location = ? AND business_date <= ? AND delivered_at < ?",
            (location_id, last_day, text(before)),
        ).fetchall()

        for (day,) in days:
            connection.execute(
                "INSERT INTO sales_dates VALUES (?, ?, NULL, ?)"
                " ON CONFLICT DO UPDATE SET closed = coalesce(closed, excluded.closed)",
                (location_id, day, _PURGED),
            )
            connection.execute(
                "DELETE FROM delivered"
                " WHERE location = ? AND business_date = ? AND delivered_at < ?",
                (location_id, day, text(before)),
            )
            self.dates.clear_refusal(connection, location_id, date.fromisoformat(day))
            old = (
                " WHERE location = ? AND business_date = ? AND settled_at < ?",
                (location_id, day, text(before)),
            )
            connection.execute(
                "DELETE FROM batch_transactions WHERE (location, key) IN"  # noqa: S608  # constants
                f" (SELECT location, key FROM batches{old[0]})",
                old[1],
            )
            connection.execute(f"DELETE FROM batches{old[0]}", old[1])  # noqa: S608  # constants


_ABOUT = {
    "delivered": (
        "SELECT business_date, key, delivered_at, revision, voided FROM delivered"
        " WHERE location = ? AND id = ? ORDER BY business_date"
    ),
    "quarantined": (
        "SELECT business_date, raw, reason, quarantined_at FROM quarantined_transactions"
        " WHERE location = ? AND id = ? ORDER BY business_date"
    ),
    "discrepancies": (
        "SELECT business_date, kind, found_at FROM discrepancies"
        " WHERE location = ? AND id = ? ORDER BY business_date"
    ),
}


def _delivered(row: tuple[Any, ...]) -> DeliveredTransaction:
    day, key, at, revision, voided = row

    return DeliveredTransaction(
        business_date=date.fromisoformat(day),
        key=key or None,
        at=datetime.fromisoformat(at),
        revision=revision,
        voided=bool(voided),
    )


def _quarantined(location_id: str, name: str, row: tuple[Any, ...]) -> QuarantinedTransaction:
    day, raw, reason, at = row

    return QuarantinedTransaction(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        raw=bytes(raw),
        reason=reason,
        quarantined_at=datetime.fromisoformat(at),
    )


def _discrepancy(location_id: str, name: str, row: tuple[Any, ...]) -> Discrepancy:
    day, kind, at = row

    return Discrepancy(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        kind=DiscrepancyKind(kind),
        found_at=datetime.fromisoformat(at),
    )
