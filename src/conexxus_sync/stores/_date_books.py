"""
What became of each transaction of a business date, batch by batch.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import repeat

import attrs

from conexxus_sync.model.frozen_sales import SECOND
from conexxus_sync.model.sales import SaleKey

from ._batch_rows import BODY, MEMBERS, split_body
from ._database import Repository


_DELIVERED = """
SELECT id, sold_second, key, revision, voided, total FROM delivered
WHERE location = ? AND business_date = ?
"""
_BATCHES = """
SELECT key, state, parked, attempts FROM batches WHERE location = ? AND business_date = ?
    AND state IN ('pending', 'sending', 'unknown', 'delivered')
ORDER BY freeze_number, first, key
"""
_SET_ASIDE = """
SELECT raw FROM quarantined_transactions
WHERE location = ? AND business_date = ? AND dismissed_at IS NULL
"""
_DATE_OF = """
SELECT b.business_date, t.total FROM batch_transactions AS t
JOIN batches AS b ON b.location = t.location AND b.key = t.key
WHERE t.location = ?1 AND t.origin = ?2 AND t.id = ?3 AND b.business_date <> ?4
    AND b.state = 'delivered' ORDER BY b.business_date DESC
"""


@attrs.frozen(kw_only=True)
class BookedSale:
    """
    One transaction as it was sent.

    Attributes:
        raw: Its bytes; None if they are purged.
    """

    id: str
    total: Decimal
    voids: bool
    raw: bytes | None


@attrs.frozen(kw_only=True)
class BookedBatch:
    """
    What a batch holds of what is accepted, or waits.

    Attributes:
        is_accepted: Whether the back office has the sales.
        is_sent: Whether it may have them.
        is_parked: Whether they wait for an operator.
    """

    is_accepted: bool
    is_sent: bool
    is_parked: bool
    sales: tuple[BookedSale, ...]


@attrs.frozen(kw_only=True)
class _Delivered:
    """
    The latest version of a sale that the back office has.

    A void comes after what it takes back, and before the version that follows.
    """

    key: str
    rank: int
    is_voided: bool
    total: Decimal


@attrs.frozen
class DateBooks(Repository):
    """
    Reads `batches`, `delivered` and the quarantine of one business date.
    """

    def batches(self, business_date: date) -> Iterator[BookedBatch]:
        """
        Each batch of the date that is accepted or waits, one in memory at a time.
        """
        delivered = self._delivered(business_date)
        scope = (self.location, business_date.isoformat())

        for key, state, parked, attempts in self.session.execute(_BATCHES, scope).fetchall():
            is_accepted = state == "delivered"
            yield BookedBatch(
                is_accepted=is_accepted,
                is_sent=is_accepted or attempts > 0,
                is_parked=parked is not None,
                sales=tuple(self._sales(key, delivered if is_accepted else None)),
            )

    def adopted(self, business_date: date) -> list[tuple[str, Decimal]]:
        """
        The sales that something else delivered: the host's id, and the total.
        """
        found = self._delivered(business_date).items()

        return [(key.id, it.total) for key, it in found if not it.key and not it.is_voided]

    def accepted_ids(self, business_date: date) -> list[str]:
        """
        Ids of all that the back office took of the date, as they were sent.
        """
        accepted = (it for it in self.batches(business_date) if it.is_accepted)

        return [sale.id for batch in accepted for sale in batch.sales]

    def set_aside(self, business_date: date) -> Iterator[bytes]:
        """
        The sales of the date that are in quarantine.
        """
        scope = (self.location, business_date.isoformat())

        return (bytes(row[0]) for row in self.session.stream(_SET_ASIDE, scope))

    def other_date(self, name: str, total: Decimal, business_date: date) -> date | None:
        """
        On which other date a transaction with this *name*, as it was sent, and
        this *total* was accepted; the latest one.
        """
        origin = name.partition(":void:")[0].partition(":rev:")[0]
        scope = (self.location, origin, name, business_date.isoformat())
        rows = self.session.execute(_DATE_OF, scope).fetchall()
        # Amounts are texts: 1.1 is 1.10.
        days = (day for day, booked in rows if Decimal(booked) == total)

        return next((date.fromisoformat(day) for day in days), None)

    def _delivered(self, business_date: date) -> dict[SaleKey, _Delivered]:
        scope = (self.location, business_date.isoformat())

        return {
            SaleKey(name, second): _Delivered(
                key=key, rank=_rank(revision, voided), is_voided=bool(voided), total=Decimal(total)
            )
            for name, second, key, revision, voided, total in self.session.execute(
                _DELIVERED, scope
            ).fetchall()
        }

    def _sales(
        self, key: str, delivered: Mapping[SaleKey, _Delivered] | None
    ) -> Iterator[BookedSale]:
        """
        Those of a batch; with *delivered*, without those that were refused.
        """
        scope = (self.location, key)
        body = self.value(BODY, scope)
        rows = self.session.execute(MEMBERS, scope).fetchall()
        raws = repeat(None) if body is None else (it.raw for it in split_body(bytes(body), rows))

        for row, raw in zip(rows, raws, strict=False):
            _, name, _, _, total, _, sold_at, origin, revision, voids, register = row
            if delivered is not None:
                latest = delivered.get(SaleKey(origin, sold_at[:SECOND] + register))
                if latest is None or not _holds(latest, key, _rank(revision, voids)):
                    continue
            yield BookedSale(id=name, total=Decimal(total), voids=bool(voids), raw=raw)


def _rank(revision: int, voided: int) -> int:
    return 2 * revision - bool(voided)


def _holds(latest: _Delivered, key: str, rank: int) -> bool:
    """
    Did the back office take a version, as the *latest* one shows?  What is sent
    again after a refusal is in another batch.
    """
    return latest.rank > rank or (latest.rank == rank and latest.key == key)
