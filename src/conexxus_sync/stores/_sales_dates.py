"""
Ledger of business dates: visits, the start date, closed dates, the last run.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.model.calendar import Watermark
from conexxus_sync.model.sales import DateVisit, DiscrepancyKind, RunsAround

from ._database import Repository, Row, first_readable, moments, optional_moment, readable, text


_START = "SELECT since, recorded_at, open_from FROM sales_floors WHERE location = ?"
_SET_START_DATE = """
INSERT INTO sales_floors (location, since, recorded_at) VALUES (?, ?, ?)
ON CONFLICT (location) DO UPDATE SET since = excluded.since, recorded_at = excluded.recorded_at
"""
_CLOSE_BEFORE = """
INSERT INTO sales_floors (location, since, recorded_at, open_from) VALUES (?1, ?2, ?3, ?2)
ON CONFLICT (location) DO UPDATE SET since = excluded.since, open_from = CASE
    WHEN sales_floors.open_from > excluded.open_from THEN sales_floors.open_from
    ELSE excluded.open_from
END
"""
# Straight down the key: a day has any number of rows.
_DAYS_WITH_SALES = """
WITH RECURSIVE days (day, number) AS (
    SELECT max(business_date), 1 FROM delivered WHERE location = ?1
    UNION ALL
    SELECT (SELECT max(business_date) FROM delivered WHERE location = ?1 AND business_date < day),
           number + 1
    FROM days WHERE day IS NOT NULL AND number < ?2
)
SELECT day FROM days WHERE day IS NOT NULL
"""

# Each is the end of an index.
_RUN = """
SELECT started_at FROM runs WHERE location = ?1 AND started_at LIKE '____-__-__T%'
    AND number > coalesce((SELECT run FROM sales_clocks WHERE location = ?1), 0)
    AND started_at {order} LIMIT 1
"""
_RUNS_AROUND = "SELECT ({}), ({}), ({})".format(
    *(
        _RUN.format(order=order)
        for order in (
            "<= ?2 ORDER BY started_at DESC",
            "> ?2 ORDER BY started_at",
            "> ?2 ORDER BY started_at DESC",
        )
    )
)
_TRUST_CLOCK = """
INSERT INTO sales_clocks (location, run)
SELECT ?1, (SELECT coalesce(max(number), 0) FROM runs WHERE location = ?1) WHERE true
ON CONFLICT (location) DO UPDATE SET run = excluded.run
"""
_VISITS = """
SELECT business_date, visited_at, closed FROM sales_dates WHERE location = ? AND business_date >= ?
"""
_VISIT = """
SELECT business_date, visited_at, closed FROM sales_dates WHERE location = ? AND business_date = ?
"""
_WATERMARK = """
SELECT first, before, as_of, rules, lookback FROM sales_watermarks WHERE location = ?
"""
_SET_WATERMARK = """
INSERT INTO sales_watermarks (location, first, before, as_of, rules, lookback)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (location) DO UPDATE SET first = excluded.first, before = excluded.before,
    as_of = excluded.as_of, rules = excluded.rules, lookback = excluded.lookback
"""
_LOWER_WATERMARK = """
UPDATE sales_watermarks SET before = ?2 WHERE location = ?1 AND before > ?2
"""
_CLOSED = "SELECT closed FROM sales_dates WHERE location = ? AND business_date = ?"
_RECORD = """
INSERT INTO sales_dates (location, business_date, visited_at, fingerprint) VALUES (?, ?, ?, ?)
ON CONFLICT (location, business_date) DO UPDATE SET
    visited_at = excluded.visited_at, fingerprint = excluded.fingerprint
"""
_CLEAR_VISIT = """
UPDATE sales_dates SET visited_at = NULL, fingerprint = NULL
WHERE location = ? AND business_date = ?
"""
_CLEAR_FINGERPRINT = """
UPDATE sales_dates SET fingerprint = NULL WHERE location = ? AND business_date = ?
"""
_FINGERPRINT = "SELECT fingerprint FROM sales_dates WHERE location = ? AND business_date = ?"
_FIGURES = """
SELECT
    (SELECT count(*) FROM delivered WHERE location = ?1 AND business_date = ?2 AND voided = 0),
    (SELECT count(*) FROM quarantined_transactions WHERE location = ?1 AND business_date = ?2),
    (SELECT count(*) FROM discrepancies WHERE location = ?1 AND business_date = ?2),
    (SELECT count(*) FROM batches WHERE location = ?1 AND business_date = ?2)
"""
_REFUSE_CHANGES = """
INSERT INTO refused_changes (location, business_date, why, refused_at) VALUES (?, ?, ?, ?)
ON CONFLICT (location, business_date) DO UPDATE SET
    why = excluded.why, refused_at = excluded.refused_at
WHERE refused_changes.why <> excluded.why
"""
_CLEAR_REFUSAL = "DELETE FROM refused_changes WHERE location = ? AND business_date = ?"
_REFUSED = """
SELECT business_date, why FROM refused_changes WHERE location = ? ORDER BY business_date
"""
_ELSEWHERE = """
SELECT business_date, id FROM discrepancies
WHERE location = ? AND kind = ? AND business_date <> ?
"""
# Each is the end of an index.
_FIRST_KNOWN = """
SELECT (SELECT min(business_date) FROM batches WHERE location = ?1),
    (SELECT min(business_date) FROM delivered WHERE location = ?1),
    (SELECT open_from FROM sales_floors WHERE location = ?1)
"""
_KNOWN = """
SELECT EXISTS (SELECT 1 FROM batches WHERE location = ?1 AND business_date = ?2)
    OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND business_date = ?2)
"""


@attrs.frozen(kw_only=True)
class SalesStart:
    """
    Where the pushes of a location began.

    Attributes:
        since: The first business date that is pushed.
        recorded_at: When that was decided; None where it can't be read, too.
        open_from: Dates before it take no push.
    """

    since: date | None = None
    recorded_at: datetime | None = None
    open_from: date | None = None


@attrs.frozen
class SalesDates(Repository):
    """
    Rows of `sales_floors` and `sales_dates`.
    """

    def start(self) -> SalesStart:
        """
        Where pushes began; all None on a fresh store.
        """
        row = self.session.execute(_START, (self.location,)).fetchone()

        if row is None:
            return SalesStart()

        since, recorded_at, open_from = row

        return SalesStart(
            since=_first_date(since),
            recorded_at=first_readable([recorded_at], datetime.fromisoformat),
            open_from=None if open_from is None else _first_date(open_from),
        )

    def days_with_sales(self, limit: int) -> list[date]:
        """
        The last business dates on which something was delivered, latest first.
        """
        rows = self.session.execute(_DAYS_WITH_SALES, (self.location, limit)).fetchall()

        return list(readable(rows, lambda row: date.fromisoformat(row[0])))

    def set_start_date(self, since: date, now: datetime) -> None:
        """
        Begin with *since*.
        """
        self.session.execute(_SET_START_DATE, (self.location, since.isoformat(), text(now)))

    def close_before(self, first: date, now: datetime) -> None:
        """
        Begin with *first*, and let no earlier date be pushed any more.
        """
        self.session.execute(_CLOSE_BEFORE, (self.location, first.isoformat(), text(now)))

    def runs_around(self, moment: datetime) -> RunsAround:
        """
        The runs that still speak for the clock, on both sides of *moment*.
        """
        row = self.session.execute(_RUNS_AROUND, (self.location, text(moment))).fetchone()
        before, first, last = moments(*row)

        return RunsAround(before=before, first=first, last=last)

    def trust_clock(self) -> None:
        """
        Whatever the runs so far say of the clock, it is right now.
        """
        self.session.execute(_TRUST_CLOCK, (self.location,))

    def visits(self, since: date = date.min) -> dict[date, DateVisit]:
        """
        Every business date from *since* on that was visited or closed.
        """
        scope = (self.location, since.isoformat())

        return dict(readable(self.session.execute(_VISITS, scope).fetchall(), _visit))

    def visit(self, business_date: date) -> DateVisit:
        """
        When this one was visited, or closed, if it was.
        """
        rows = self.session.execute(_VISIT, (self.location, business_date.isoformat())).fetchall()

        return dict(readable(rows, _visit)).get(business_date, DateVisit())

    def watermark(self) -> Watermark | None:
        """
        Up to where dates need not be looked into; None if nothing is known.
        """
        rows = self.session.execute(_WATERMARK, (self.location,)).fetchall()

        return first_readable(rows, _watermark)

    def set_watermark(self, mark: Watermark) -> None:
        """
        Dates below *mark* are past their last look.
        """
        bounds = (mark.first.isoformat(), mark.before.isoformat(), text(mark.as_of))
        self.session.execute(_SET_WATERMARK, (self.location, *bounds, mark.rules, mark.lookback))

    def closed(self, business_date: date) -> str | None:
        """
        Why the date takes no push any more.
        """
        first = self.start().open_from

        if first is not None and business_date < first:
            return f"what was sold before {first} was delivered by something else"

        why: str | None = self.value(_CLOSED, (self.location, business_date.isoformat()))

        return why

    def record(self, visits: Iterable[tuple[date, datetime, bytes | None]]) -> None:
        """
        Record that dates were looked at, and that nothing is left of them; with
        their fingerprints, of those that needed nothing.
        """
        rows = [(self.location, day.isoformat(), text(at), found) for day, at, found in visits]
        self.session.executemany(_RECORD, rows)
        self.session.executemany(_LOWER_WATERMARK, (row[:2] for row in rows))

    def fingerprint(self, business_date: date) -> bytes | None:
        """
        What the date was like when it last needed nothing.
        """
        found = self.value(_FINGERPRINT, (self.location, business_date.isoformat()))

        return None if found is None else bytes(found)

    def clear_fingerprint(self, business_date: date) -> None:
        """
        Compare the date sale by sale when it is looked at next.
        """
        self.session.execute(_CLEAR_FINGERPRINT, (self.location, business_date.isoformat()))

    def figures(self, business_date: date) -> list[int]:
        """
        How many delivered sales, sales set aside, discrepancies and batches it has.
        """
        return list(
            self.session.execute(_FIGURES, (self.location, business_date.isoformat())).fetchone()
        )

    def clear_visit(self, business_date: date) -> None:
        """
        Make the date due again, as if it had never been visited.
        """
        day = (self.location, business_date.isoformat())
        self.session.execute(_CLEAR_VISIT, day)
        self.session.execute(_LOWER_WATERMARK, day)

    def refuse_changes(self, business_date: date, *, why: str, now: datetime) -> bool:
        """
        Remember that what changed of the date is not taken back, and *why*.

        Returns:
            Whether it is news.
        """
        row = (self.location, business_date.isoformat(), why, text(now))

        return self.session.execute(_REFUSE_CHANGES, row).rowcount > 0

    def clear_refusal(self, business_date: date) -> None:
        """
        Forget that changes of the date were refused.
        """
        self.session.execute(_CLEAR_REFUSAL, (self.location, business_date.isoformat()))

    def refused_changes(self) -> dict[date, str]:
        """
        Why nothing was taken back, of each date where that is so, oldest first.
        """
        rows = self.session.execute(_REFUSED, (self.location,)).fetchall()

        return {date.fromisoformat(day): why for day, why in rows}

    def clear_moved_visits(self, business_date: date, ids: Collection[str]) -> None:
        """
        Make due again the other dates that left *ids*, by the host's names,
        to *business_date*: they are not, or no longer, there.
        """
        scope = (self.location, DiscrepancyKind.ELSEWHERE, business_date.isoformat())
        days = {
            day for day, name in self.session.execute(_ELSEWHERE, scope).fetchall() if name in ids
        }

        for day in readable(days, date.fromisoformat):
            self.clear_visit(day)

    def first_known(self) -> date | None:
        """
        The first business date of which anything was frozen, delivered or
        adopted; None if nothing was.
        """
        found = self.session.execute(_FIRST_KNOWN, (self.location,)).fetchone()

        return min(readable(filter(None, found), date.fromisoformat), default=None)

    def recorded(self, dates: Iterable[date]) -> set[date]:
        """
        Those of *dates* of which something was frozen or delivered: the
        host's silence about these has to be compared.
        """
        return {day for day in dates if self.value(_KNOWN, (self.location, day.isoformat()))}


def _visit(row: tuple[str, str | None, str | None]) -> tuple[date, DateVisit]:
    day, at, closed = row
    return date.fromisoformat(day), DateVisit(at=optional_moment(at), closed=closed)


def _watermark(row: Row) -> Watermark:
    first, before, as_of, rules, lookback = row

    return Watermark(
        first=date.fromisoformat(first),
        before=date.fromisoformat(before),
        as_of=datetime.fromisoformat(as_of),
        rules=rules,
        lookback=lookback,
    )


def _first_date(stored: str) -> date:
    """
    The date where a location begins; earlier versions took a moment, too.

    Raises:
        StoreError: Without it, sales that were pushed could be pushed again.
    """
    try:
        return date.fromisoformat(stored[: len("2026-01-02")])
    except ValueError as exc:
        msg = (
            f"the store's first business date can't be read, it says {stored!r}: restore the "
            "store from a backup"
        )
        raise StoreError(msg) from exc
