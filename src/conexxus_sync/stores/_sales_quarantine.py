"""
Quarantined transactions and discrepancies.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import partial

import attrs

from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import (
    Discrepancy,
    DiscrepancyKind,
    FoundDiscrepancy,
    QuarantinedTransaction,
)

from ._database import Repository, Row, readable, text


# Several of one id and second are kept as one row, a line each.
_ADD = """
INSERT INTO quarantined_transactions
    (location, business_date, id, sold_second, raw, reason, quarantined_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (location, business_date, id, sold_second) DO UPDATE SET
    raw = CAST(quarantined_transactions.raw || CAST(? AS BLOB) || excluded.raw AS BLOB)
"""
_TRANSACTIONS = """
SELECT business_date, id, raw, reason, quarantined_at FROM quarantined_transactions
WHERE location = ? AND (? <> 0 OR dismissed_at IS NULL)
ORDER BY quarantined_at DESC, business_date DESC, id LIMIT ?
"""
_SIZE = """
SELECT count(*) FROM quarantined_transactions
WHERE location = ?1 AND dismissed_at IS NULL AND (business_date = ?2 OR ?2 IS NULL)
"""
_RELEASE = """
DELETE FROM quarantined_transactions WHERE location = ? AND business_date = ? AND id = ?
    AND (dismissed_at IS NULL OR ? <> 0)
"""
_KNOWN = """
SELECT id, sold_second, kind, digest FROM discrepancies WHERE location = ? AND business_date = ?
"""
_ACCEPTED = """
SELECT id, sold_second, kind, digest FROM discrepancies
WHERE location = ? AND business_date = ? AND accepted_at IS NOT NULL
"""
_FORGET = """
DELETE FROM discrepancies
WHERE location = ? AND business_date = ? AND id = ? AND sold_second = ?
"""
_RECORD = """
INSERT INTO discrepancies (location, business_date, id, sold_second, kind, digest, found_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (location, business_date, id, sold_second) DO UPDATE SET kind = excluded.kind,
    digest = excluded.digest, found_at = excluded.found_at
"""
_DISCREPANCIES = """
SELECT business_date, id, kind, found_at FROM discrepancies
WHERE location = ? AND accepted_at IS NULL
ORDER BY found_at DESC, business_date DESC, id LIMIT ?
"""
_DISCREPANCY_COUNT = """
SELECT count(*) FROM discrepancies
WHERE location = ?1 AND accepted_at IS NULL AND (business_date = ?2 OR ?2 IS NULL)
"""


@attrs.frozen
class SalesQuarantine(Repository):
    """
    Rows of `quarantined_transactions` and `discrepancies`.
    """

    def add(
        self, business_date: date, transactions: Iterable[FrozenTransaction], now: datetime
    ) -> None:
        """
        Set *transactions* aside, each for its fault.
        """
        self.session.executemany(
            _ADD,
            (
                (
                    *(self.location, business_date.isoformat(), *t.delivered_as),
                    *(t.raw, t.fault or "", text(now), b"\n"),
                )
                for t in transactions
            ),
        )

    def transactions(
        self, limit: int = 100, *, dismissed: bool = False
    ) -> list[QuarantinedTransaction]:
        """
        What is in quarantine, latest first.

        Args:
            dismissed: Also what an operator has dismissed.
        """
        rows = self.session.execute(
            _TRANSACTIONS, (self.location, int(dismissed), limit)
        ).fetchall()

        return list(readable(rows, partial(_quarantined, self.location)))

    def size(self, business_date: date | None = None) -> int:
        """
        How many transactions are in quarantine, of one date or of all.
        """
        return int(self.value(_SIZE, (self.location, _day(business_date))))

    def release(self, business_date: date, name: str, *, dismissed: bool = False) -> bool:
        """
        Let a transaction out of quarantine; False if it was not there.

        Args:
            dismissed: Also what an operator has dismissed.
        """
        row = (self.location, business_date.isoformat(), name, int(dismissed))

        return self.session.execute(_RELEASE, row).rowcount > 0

    def record_discrepancies(
        self, business_date: date, found: Collection[FoundDiscrepancy], now: datetime
    ) -> list[FoundDiscrepancy]:
        """
        Remember what of the date the host contradicts at present.

        Returns:
            Those that were not known before.
        """
        day = (self.location, business_date.isoformat())
        known = set(readable(self.session.execute(_KNOWN, day).fetchall(), _found))
        self.session.executemany(_FORGET, ((*day, *gone.key) for gone in known.difference(found)))
        news = [one for one in found if one not in known]
        self.session.executemany(
            _RECORD, ((*day, *one.key, one.kind, one.digest, text(now)) for one in news)
        )

        return news

    def accepted(
        self, business_date: date, found: Iterable[FoundDiscrepancy]
    ) -> set[FoundDiscrepancy]:
        """
        What of *found* an operator accepted as it is.
        """
        day = (self.location, business_date.isoformat())
        rows = self.session.execute(_ACCEPTED, day).fetchall()

        return set(readable(rows, _found)).intersection(found)

    def discrepancies(self, limit: int = 100) -> list[Discrepancy]:
        """
        What the host contradicts, latest first.
        """
        rows = self.session.execute(_DISCREPANCIES, (self.location, limit)).fetchall()

        return list(readable(rows, partial(_discrepancy, self.location)))

    def discrepancy_count(self, business_date: date | None = None) -> int:
        """
        How many delivered transactions the host contradicts, of one date or of all.
        """
        return int(self.value(_DISCREPANCY_COUNT, (self.location, _day(business_date))))


def _found(row: Row) -> FoundDiscrepancy:
    name, second, kind, digest = row

    return FoundDiscrepancy(
        id=name,
        sold_second=second,
        kind=DiscrepancyKind(kind),
        digest=None if digest is None else bytes(digest),
    )


def _day(business_date: date | None) -> str | None:
    return None if business_date is None else business_date.isoformat()


def _quarantined(location_id: str, row: Row) -> QuarantinedTransaction:
    day, name, raw, reason, at = row

    return QuarantinedTransaction(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        raw=bytes(raw),
        reason=reason,
        quarantined_at=datetime.fromisoformat(at),
    )


def _discrepancy(location_id: str, row: Row) -> Discrepancy:
    day, name, kind, at = row

    return Discrepancy(
        location_id=location_id,
        business_date=date.fromisoformat(day),
        id=name,
        kind=DiscrepancyKind(kind),
        found_at=datetime.fromisoformat(at),
    )
