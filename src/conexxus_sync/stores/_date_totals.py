"""
Totals of each business date: delivered, waiting, quarantined.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from conexxus_client import exact_sum
from conexxus_sync.model.sales import DateTotals

from ._database import Session, readable


_DELIVERED = """
SELECT business_date, total, delivered_at FROM delivered
WHERE location = ? AND business_date >= ? AND voided = 0 ORDER BY business_date
"""
_WAITING = """
SELECT business_date, sum(transactions) FROM batches WHERE location = ? AND business_date >= ?
    AND state IN ('pending', 'sending', 'unknown') GROUP BY business_date
"""
_SET_ASIDE = """
SELECT business_date, count(*) FROM quarantined_transactions
WHERE location = ? AND business_date >= ? AND dismissed_at IS NULL GROUP BY business_date
"""
_CONTRADICTED = """
SELECT business_date, count(*) FROM discrepancies
WHERE location = ? AND business_date >= ? AND accepted_at IS NULL GROUP BY business_date
"""


def date_totals(session: Session, location: str, since: date) -> Iterator[DateTotals]:
    """
    Every business date from *since* of which something is known, in order.
    """
    scope = (location, since.isoformat())
    # Amounts are texts, and sums in SQL would be doubles.
    delivered = {
        day: [(Decimal(total), at) for _, total, at in rows]
        for day, rows in groupby(session.stream(_DELIVERED, scope), key=lambda row: row[0])
    }
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

    for number, rows in enumerate(
        (
            session.execute(_WAITING, scope).fetchall(),
            session.execute(_SET_ASIDE, scope).fetchall(),
            session.execute(_CONTRADICTED, scope).fetchall(),
        )
    ):
        for day, count in rows:
            counts[day][number] = int(count)

    # A date that can't be read is passed over.
    days = sorted(delivered.keys() | counts.keys())

    for business_date, day in readable(days, lambda day: (date.fromisoformat(day), day)):
        totals, moments = zip(*delivered[day], strict=True) if day in delivered else ((), ())
        waiting, quarantined, discrepancies = counts[day]
        yield DateTotals(
            business_date=business_date,
            delivered=len(totals),
            total=exact_sum(totals),
            waiting=waiting,
            quarantined=quarantined,
            discrepancies=discrepancies,
            half_at=_moment(sorted(moments)[(len(moments) - 1) // 2] if moments else None),
            last_at=_moment(max(moments, default=None)),
        )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
