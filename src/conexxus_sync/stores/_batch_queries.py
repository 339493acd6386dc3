"""
Reads batches: the next to send, open dates, members, totals.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

import attrs

from conexxus_client import exact_sum
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import Batch, BatchState, DateTotals, SaleKey

from ._batch_rows import BODY, COLUMNS, MEMBERS, read_batch, split_body
from ._database import NO_LIMIT, Repository, Session, first_readable, readable, text
from ._operator_actions import keys


OPEN = "state IN ('pending', 'sending', 'unknown')"

_READY = f"""
SELECT {COLUMNS} FROM batches WHERE location = ? AND business_date = ? AND {OPEN}
    AND parked IS NULL AND (freeze_number, first) > (?, ?)
    AND key NOT IN (SELECT key FROM json_each(?))
"""  # noqa: S608  # constants
_NEXT = f"{_READY} ORDER BY freeze_number, first LIMIT ?"
_NEXT_RESTED = f"{_READY} ORDER BY coalesce(sent_at, ''), freeze_number, first LIMIT ?"
_OPEN_DATES = f"""
SELECT DISTINCT business_date FROM batches WHERE location = ? AND {OPEN} AND parked IS NULL
ORDER BY business_date
"""  # noqa: S608  # constants
_ATTEMPTED = f"""
SELECT business_date, max(sent_at) FROM batches WHERE location = ? AND {OPEN}
    AND parked IS NULL AND sent_at IS NOT NULL GROUP BY business_date
"""  # noqa: S608  # constants
_PARKED = f"""
SELECT {COLUMNS} FROM batches WHERE location = ? AND {OPEN} AND parked IS NOT NULL
ORDER BY business_date, freeze_number, first
"""  # noqa: S608  # constants
_MISMATCHED = """
SELECT coalesce(sum(mismatched), 0) FROM batches WHERE location = ?
    AND state NOT IN ('resolved', 'rejected')
"""
_LATEST_BODIES = """
SELECT body FROM batches WHERE location = ? AND body IS NOT NULL
ORDER BY business_date DESC, freeze_number DESC, first DESC LIMIT ?
"""
_IDS = "SELECT id FROM batch_transactions WHERE location = ? AND key = ? ORDER BY position"
_EFFECTIVE = """
SELECT id, sold_second, key, revision FROM delivered
WHERE location = ? AND business_date = ? AND voided = 0
"""
_WITH_BODY = f"""
SELECT {COLUMNS} FROM batches WHERE location = ? AND key = ? AND body IS NOT NULL
"""  # noqa: S608  # constants
_DELIVERED = """
SELECT id, sold_second FROM delivered WHERE location = ? AND business_date = ? AND voided = 0
"""
_OPEN_COUNT = f"""
SELECT count(*) FROM batches WHERE location = ? AND business_date = ? AND {OPEN}
"""  # noqa: S608  # constants
_DELIVERED_SINCE = """
SELECT 1 FROM batches WHERE location = ? AND settled_at >= ? AND body IS NOT NULL
    AND state = 'delivered' LIMIT 1
"""
_RELEASED = """
SELECT t.origin, b.key FROM batches AS b CROSS JOIN batch_transactions AS t
WHERE t.location = b.location AND t.key = b.key AND b.location = ? AND b.business_date = ?
    AND b.state = 'resolved' AND b.released <> 0
ORDER BY b.settled_at
"""
_ANY_UNKNOWN = """
SELECT 1 FROM batches WHERE location = ? AND business_date = ? AND state = 'unknown' LIMIT 1
"""
_OPEN_TRANSACTIONS = f"""
SELECT coalesce(sum(transactions), 0) FROM batches WHERE location = ? AND business_date = ?
    AND {OPEN} AND (parked IS NULL OR ? <> 0)
"""  # noqa: S608  # constants
_GET = f"SELECT {COLUMNS} FROM batches WHERE location = ? AND key = ?"  # noqa: S608  # constants
_LIST = f"""
SELECT {COLUMNS} FROM batches WHERE location = ? AND state IN (SELECT key FROM json_each(?))
ORDER BY business_date DESC, freeze_number DESC, first DESC, key LIMIT ?
"""  # noqa: S608  # constants
_COUNTS = "SELECT state, count(*) FROM batches WHERE location = ? GROUP BY state"

_DELIVERED_TOTALS = """
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


@attrs.frozen
class BatchReader(Repository):
    """
    Reads `batches`.
    """

    def next_batch(
        self,
        business_date: date,
        *,
        after: tuple[int, int],
        rested: bool = False,
        tried: Collection[str] = (),
    ) -> Batch | None:
        """
        The next one of the date to deliver; parked ones are passed over.

        Args:
            after: Freeze and first of the one before.
            rested: Whether the one that was sent the longest time ago goes
                first, instead of the one that was frozen first.
            tried: Keys of those that are passed over.
        """
        statement = _NEXT_RESTED if rested else _NEXT
        scope = (self.location, business_date.isoformat(), *after, keys(tried))

        # All of them are read only where the first can't be.
        for limit in (1, NO_LIMIT):
            rows = self.session.execute(statement, (*scope, limit)).fetchall()
            if not rows:
                return None
            if (found := first_readable(rows, read_batch)) is not None:
                return found

        return None

    def open_dates(self) -> list[date]:
        """
        Business dates with something to deliver, oldest first.
        """
        rows = self.session.execute(_OPEN_DATES, (self.location,)).fetchall()

        return list(readable(rows, lambda row: date.fromisoformat(row[0])))

    def attempted(self) -> dict[date, datetime]:
        """
        When something that is still to be delivered was last sent, by date.
        """
        rows = self.session.execute(_ATTEMPTED, (self.location,)).fetchall()

        return dict(
            readable(rows, lambda row: (date.fromisoformat(row[0]), datetime.fromisoformat(row[1])))
        )

    def parked(self) -> list[Batch]:
        """
        Batches that wait for an operator, oldest date first.
        """
        return list(
            readable(self.session.execute(_PARKED, (self.location,)).fetchall(), read_batch)
        )

    def date_totals(self, since: date) -> list[DateTotals]:
        """
        What each business date from *since* comes to, in order.
        """
        return list(date_totals(self.session, self.location, since))

    def mismatched(self) -> int:
        """
        How many transactions have lines that do not add up to their total.
        """
        return int(self.value(_MISMATCHED, (self.location,)))

    def body(self, batch: Batch) -> bytes:
        """
        The bytes to send.
        """
        return bytes(self.value(BODY, (self.location, batch.key)))

    def latest_bodies(self, limit: int) -> list[bytes]:
        """
        The bytes of the batches of the latest dates; at most *limit*.
        """
        rows = self.session.execute(_LATEST_BODIES, (self.location, limit)).fetchall()

        return [bytes(row[0]) for row in rows]

    def ids(self, batch: Batch) -> list[str]:
        """
        Ids of the transactions of *batch*, in order.
        """
        return [row[0] for row in self.session.execute(_IDS, (self.location, batch.key)).fetchall()]

    def members(self, batch: Batch) -> list[FrozenTransaction]:
        """
        The transactions of *batch*, cut out of its bytes as they are.
        """
        return list(
            split_body(
                self.body(batch),
                self.session.execute(MEMBERS, (self.location, batch.key)).fetchall(),
            )
        )

    def effective(self, business_date: date, sales: Collection[SaleKey]) -> list[FrozenTransaction]:
        """
        What the back office has of these *sales*, as it was sent; without
        those whose bytes are gone.
        """
        wanted = set(sales)
        rows = self.session.execute(
            _EFFECTIVE, (self.location, business_date.isoformat())
        ).fetchall()
        versions = {
            SaleKey(name, second): (key, revision)
            for name, second, key, revision in rows
            if (name, second) in wanted
        }
        batches = [
            read_batch(row)
            for key in dict.fromkeys(key for key, _ in versions.values())
            for row in self.session.execute(_WITH_BODY, (self.location, key)).fetchall()
        ]

        return [
            member
            for batch in batches
            for member in self.members(batch)
            if versions.get(member.delivered_as) == (batch.key, member.revision)
        ]

    def undelivered(
        self, batch: Batch, members: Iterable[FrozenTransaction]
    ) -> list[FrozenTransaction]:
        """
        Those of *members* that the back office does not have from before.
        """
        day = (batch.location_id, batch.business_date.isoformat())
        delivered = {SaleKey(*row) for row in self.session.execute(_DELIVERED, day).fetchall()}

        return [member for member in members if member.delivered_as not in delivered]

    def open_batches(self, business_date: date) -> int:
        """
        How many batches of the date are not settled.
        """
        return int(self.value(_OPEN_COUNT, (self.location, business_date.isoformat())))

    def delivered_since(self, moment: datetime) -> bool:
        """
        Did the back office take a batch since then?
        """
        return (
            self.session.execute(_DELIVERED_SINCE, (self.location, text(moment))).fetchone()
            is not None
        )

    def released(self, business_date: date) -> dict[str, str]:
        """
        Transactions of the date that an operator said were not delivered, by
        the host's names, and the keys of their batches.
        """
        rows = self.session.execute(
            _RELEASED, (self.location, business_date.isoformat())
        ).fetchall()

        return {origin: key for origin, key in rows}  # noqa: C416  # a row is of any length

    def has_unknown(self, business_date: date) -> bool:
        """
        Is the fate of a batch of the date unknown?
        """
        day = (self.location, business_date.isoformat())

        return self.session.execute(_ANY_UNKNOWN, day).fetchone() is not None

    def open_transactions(self, business_date: date, *, parked: bool = False) -> int:
        """
        How many transactions of the date wait to be delivered.

        Args:
            parked: Whether those that wait for an operator count, too.
        """
        scope = (self.location, business_date.isoformat(), int(parked))

        return int(self.value(_OPEN_TRANSACTIONS, scope))

    def get(self, key: str) -> Batch | None:
        """
        The batch with this key.
        """
        rows = self.session.execute(_GET, (self.location, key)).fetchall()

        return first_readable(rows, read_batch)

    def batches(
        self, states: Collection[BatchState] = tuple(BatchState), limit: int = 100
    ) -> list[Batch]:
        """
        Batches in these *states*, latest date first.

        Args:
            limit: At most so many; negative: all.
        """
        most = NO_LIMIT if limit < 0 else limit
        rows = self.session.execute(_LIST, (self.location, keys(states), most)).fetchall()

        return list(readable(rows, read_batch))

    def counts(self) -> dict[BatchState, int]:
        """
        How many batches are in each state; of those without any, nothing.
        """
        rows = self.session.execute(_COUNTS, (self.location,)).fetchall()

        return {BatchState(state): count for state, count in rows}


def date_totals(session: Session, location: str, since: date) -> Iterator[DateTotals]:
    """
    Every business date from *since* of which something is known, in order.
    """
    scope = (location, since.isoformat())
    # Amounts are texts, and sums in SQL would be doubles.
    delivered = {
        day: [(Decimal(total), at) for _, total, at in rows]
        for day, rows in groupby(session.stream(_DELIVERED_TOTALS, scope), key=lambda row: row[0])
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
