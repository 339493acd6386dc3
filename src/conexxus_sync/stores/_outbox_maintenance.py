"""
Manual settlement of batches, the history of a transaction, and purging of old data.
"""

from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial

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

from ._batch_rows import COLUMNS, origins, read_batch
from ._database import Repository, Row, readable, text
from ._operator_actions import OperatorActions
from ._sales_dates import SalesDates


_PURGED = "what was delivered on it is no longer remembered, so a sale could be sent twice"

# Once as the host calls it, once as it was sent.
_HANDINGS = f"""
SELECT t.id, {", ".join(f"b.{name.strip()}" for name in COLUMNS.split(","))}
FROM batch_transactions AS t JOIN batches AS b ON b.location = t.location AND b.key = t.key
WHERE t.location = ?1 AND t.origin = ?2 AND (t.origin = ?3 OR t.id = ?3)
ORDER BY b.business_date, b.freeze_number, b.first, b.frozen_at
"""  # noqa: S608  # constants
_FIND = f"""
SELECT {COLUMNS} FROM batches WHERE location = ?1 AND key >= ?2
    AND substr(key, 1, length(?2)) = ?2
ORDER BY key LIMIT 2
"""  # noqa: S608  # constants
_UNPARK = "UPDATE batches SET parked = NULL, forced = ? WHERE location = ? AND key = ?"
_GIVE_UP = """
UPDATE batches SET state = 'resolved', parked = NULL, answer = ?, settled_at = ?, released = 1
WHERE location = ? AND key = ?
"""
_UNDECIDED = f"""
SELECT {COLUMNS} FROM batches WHERE location = ?1 AND state IN ('sending', 'unknown')
    AND (business_date = ?2 OR ?2 IS NULL)
ORDER BY business_date, freeze_number, first
"""  # noqa: S608  # constants

_NEWEST = "SELECT max(business_date) FROM delivered WHERE location = ? AND business_date < ?"
_END_OF_TIME = "~"
_PURGE_BYTES = """
UPDATE batches SET body = NULL WHERE location = ? AND settled_at < ? AND body IS NOT NULL
"""
_OLD_DAYS = """
SELECT DISTINCT business_date FROM delivered
WHERE location = ? AND business_date <= ? AND delivered_at < ?
"""
_CLOSE = """
INSERT INTO sales_dates (location, business_date, visited_at, closed) VALUES (?, ?, NULL, ?)
ON CONFLICT (location, business_date) DO UPDATE SET
    closed = coalesce(sales_dates.closed, excluded.closed)
"""
_PURGE_DELIVERED = """
DELETE FROM delivered WHERE location = ? AND business_date = ? AND delivered_at < ?
"""
_PURGE_MEMBERS = """
DELETE FROM batch_transactions WHERE (location, key) IN (
    SELECT location, key FROM batches
    WHERE location = ? AND business_date = ? AND settled_at < ?
)
"""
_PURGE_BATCHES = """
DELETE FROM batches WHERE location = ? AND business_date = ? AND settled_at < ?
"""

_DELIVERED = """
SELECT business_date, key, delivered_at, revision, voided FROM delivered
WHERE location = ? AND id = ? ORDER BY business_date
"""
_QUARANTINED = """
SELECT business_date, raw, reason, quarantined_at FROM quarantined_transactions
WHERE location = ? AND id = ? ORDER BY business_date
"""
_DISCREPANCIES = """
SELECT business_date, kind, found_at FROM discrepancies
WHERE location = ? AND id = ? ORDER BY business_date
"""


@attrs.frozen
class OutboxMaintenance(Repository):
    """
    Finds batches, repeats or settles them by hand, and forgets what is old.
    """

    def find(self, beginning: str) -> list[Batch]:
        """
        The batches whose key begins like this; at most two, as one is what
        is looked for.
        """
        rows = self.session.execute(_FIND, (self.location, beginning)).fetchall()

        return [read_batch(row) for row in rows]

    def unpark(self, batch: Batch, *, forced: bool) -> None:
        """
        Let the next push send *batch* again.

        Args:
            forced: In spite of what speaks against it, this once.
        """
        self.session.execute(_UNPARK, (int(forced), self.location, batch.key))

    def give_up(self, batch: Batch, *, answer: str, now: datetime) -> None:
        """
        Settle *batch* as never delivered: its transactions are frozen anew.
        """
        self.session.execute(_GIVE_UP, (answer, text(now), self.location, batch.key))
        SalesDates(self.session, self.location).clear_moved_visits(
            batch.business_date, origins(self.session, batch)
        )

    def undecided(self, business_date: date | None = None) -> list[Batch]:
        """
        Batches of unknown fate, of one date or of all, oldest date first.
        """
        day = None if business_date is None else business_date.isoformat()

        return [
            read_batch(row)
            for row in self.session.execute(_UNDECIDED, (self.location, day)).fetchall()
        ]

    def purge(self, now: datetime) -> None:
        """
        Forget bytes and ids that are old enough.

        A date whose ids are forgotten takes no push any more.
        """
        newest = self._newest_date()

        if newest is None:
            return

        # A clock that is years ahead must not make us forget what was sold
        # today: sales have dates of their own.
        sold = datetime.combine(newest, now.timetz()) + timedelta(days=2)
        before = min(now, sold) - BYTES_KEPT
        self.session.execute(_PURGE_BYTES, (self.location, text(before)))
        self._purge_ids(min(now, sold) - IDS_KEPT)

    def history(self, name: str) -> TransactionHistory:
        """
        All that is known of the transaction that the host calls *name*, or
        that was sent under it.
        """
        origin = name.split(":void:")[0].split(":rev:")[0]
        memberships = self.session.execute(_HANDINGS, (self.location, origin, name)).fetchall()

        if not memberships and origin != name:
            # An id of the host may look like one of ours.
            origin = name
            memberships = self.session.execute(_HANDINGS, (self.location, name, name)).fetchall()

        subjects = [origin, *sorted({read_batch(row[1:]).key for row in memberships})]
        scope = (self.location, origin)

        return TransactionHistory(
            id=origin,
            actions=OperatorActions(self.session, self.location).about(subjects),
            memberships=tuple(
                readable(
                    memberships,
                    lambda row: BatchMembership(id=row[0], batch=read_batch(row[1:])),
                )
            ),
            delivered=tuple(
                readable(self.session.execute(_DELIVERED, scope).fetchall(), _delivered)
            ),
            quarantined=tuple(
                readable(
                    self.session.execute(_QUARANTINED, scope).fetchall(),
                    partial(_quarantined, *scope),
                )
            ),
            discrepancies=tuple(
                readable(
                    self.session.execute(_DISCREPANCIES, scope).fetchall(),
                    partial(_discrepancy, *scope),
                )
            ),
        )

    def _newest_date(self) -> date | None:
        """
        The last business date of which anything was delivered.
        """
        day = _END_OF_TIME

        while (day := self.value(_NEWEST, (self.location, day))) is not None:
            with suppress(ValueError):
                return date.fromisoformat(day)

        return None

    def _purge_ids(self, before: datetime) -> None:
        # Nothing is delivered before its day.
        last_day = (before + timedelta(days=1)).date().isoformat()
        moment = text(before)

        for (day,) in self.session.execute(_OLD_DAYS, (self.location, last_day, moment)).fetchall():
            self.session.execute(_CLOSE, (self.location, day, _PURGED))
            self.session.execute(_PURGE_DELIVERED, (self.location, day, moment))
            SalesDates(self.session, self.location).clear_refusal(date.fromisoformat(day))
            self.session.execute(_PURGE_MEMBERS, (self.location, day, moment))
            self.session.execute(_PURGE_BATCHES, (self.location, day, moment))


def _delivered(row: Row) -> DeliveredTransaction:
    day, key, at, revision, voided = row

    return DeliveredTransaction(
        business_date=date.fromisoformat(day),
        key=key or None,
        at=datetime.fromisoformat(at),
        revision=revision,
        voided=bool(voided),
    )


def _quarantined(location_id: str, name: str, row: Row) -> QuarantinedTransaction:
    day, raw, reason, at = row

    return QuarantinedTransaction(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        raw=bytes(raw),
        reason=reason,
        quarantined_at=datetime.fromisoformat(at),
    )


def _discrepancy(location_id: str, name: str, row: Row) -> Discrepancy:
    day, kind, at = row

    return Discrepancy(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        kind=DiscrepancyKind(kind),
        found_at=datetime.fromisoformat(at),
    )
