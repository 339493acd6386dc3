"""
Ledger of business dates: visits, the start date, closed dates, the last run.
"""

import sqlite3
from collections.abc import Collection, Iterable
from datetime import date, datetime

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.model.sales import DateVisit, DiscrepancyKind, RunsAround

from ._database import Database, optional_moment, readable, text


@attrs.define
class SqliteSalesDates:
    """
    Rows of `sales_floors` and `sales_dates`.
    """

    store: Database

    def start_date(self, connection: sqlite3.Connection, location_id: str) -> date | None:
        """
        The first business date that is pushed; None on a fresh store.
        """
        row = connection.execute(
            "SELECT since FROM sales_floors WHERE location = ?", (location_id,)
        ).fetchone()

        return None if row is None else _first_date(row[0])

    def started_at(self, connection: sqlite3.Connection, location_id: str) -> datetime | None:
        """
        When the first business date was decided.
        """
        row = connection.execute(
            "SELECT recorded_at FROM sales_floors WHERE location = ?", (location_id,)
        ).fetchone()

        return None if row is None else next(readable(row, datetime.fromisoformat), None)

    def days_with_sales(
        self, connection: sqlite3.Connection, location_id: str, limit: int
    ) -> list[date]:
        """
        The last business dates on which something was delivered, latest first.
        """
        rows = connection.execute(_DAYS_WITH_SALES, (location_id, limit))
        return list(readable(rows, lambda row: date.fromisoformat(row[0])))

    def set_start_date(
        self, connection: sqlite3.Connection, location_id: str, since: date, now: datetime
    ) -> None:
        """
        Begin with *since*.
        """
        connection.execute(
            "INSERT INTO sales_floors (location, since, recorded_at) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET since = excluded.since, recorded_at = excluded.recorded_at",
            (location_id, since.isoformat(), text(now)),
        )

    def open_from(self, connection: sqlite3.Connection, location_id: str) -> date | None:
        """
        Dates before it take no push; None if there are none.
        """
        row = connection.execute(
            "SELECT open_from FROM sales_floors WHERE location = ?", (location_id,)
        ).fetchone()

        return None if row is None or row[0] is None else _first_date(row[0])

    def close_before(
        self, connection: sqlite3.Connection, location_id: str, first: date, now: datetime
    ) -> None:
        """
        Begin with *first*, and let no earlier date be pushed any more.
        """
        connection.execute(
            "INSERT INTO sales_floors VALUES (?1, ?2, ?3, ?2) ON CONFLICT DO UPDATE SET"
            " since = ?2, open_from = max(coalesce(open_from, ''), ?2)",
            (location_id, first.isoformat(), text(now)),
        )

    def runs_around(
        self, connection: sqlite3.Connection, location_id: str, moment: datetime
    ) -> RunsAround:
        """
        The runs that still speak for the clock, on both sides of *moment*.
        """
        before, first, last = connection.execute(
            _RUNS_AROUND, (location_id, text(moment))
        ).fetchone()

        return RunsAround(
            before=optional_moment(before),
            first=optional_moment(first),
            last=optional_moment(last),
        )

    def trust_clock(self, connection: sqlite3.Connection, location_id: str) -> None:
        """
        Whatever the runs so far say of the clock, it is right now.
        """
        connection.execute(
            "INSERT OR REPLACE INTO sales_clocks"
            " SELECT ?1, coalesce(max(number), 0) FROM runs WHERE location = ?1",
            (location_id,),
        )

    def visits(self, connection: sqlite3.Connection, location_id: str) -> dict[date, DateVisit]:
        """
        Every business date that was ever visited or closed.
        """
        rows = connection.execute(
            "SELECT business_date, visited_at, closed FROM sales_dates WHERE location = ?",
            (location_id,),
        )

        return dict(readable(rows, _visit))

    def closed(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> str | None:
        """
        Why the date takes no push any more.
        """
        row = connection.execute(
            "SELECT closed FROM sales_dates WHERE location = ? AND business_date = ?",
            (location_id, business_date.isoformat()),
        ).fetchone()
        first = self.open_from(connection, location_id)

        if first is not None and business_date < first:
            return f"what was sold before {first} was delivered by something else"

        return None if row is None else row[0]

    def record(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        visits: Iterable[tuple[date, datetime]],
    ) -> None:
        """
        Record that dates were looked at, and that nothing is left of them.
        """
        connection.executemany(
            "INSERT INTO sales_dates (location, business_date, visited_at) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET visited_at = excluded.visited_at",
            ((location_id, day.isoformat(), text(at)) for day, at in visits),
        )

    def clear_visit(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> None:
        """
        Make the date due again, as if it had never been visited.
        """
        connection.execute(
            "UPDATE sales_dates SET visited_at = NULL WHERE location = ? AND business_date = ?",
            (location_id, business_date.isoformat()),
        )

    def refuse_changes(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        *,
        why: str,
        now: datetime,
    ) -> bool:
        """
        Remember that what changed of the date is not taken back, and *why*.

        Returns:
            Whether it is news.
        """
        return (
            connection.execute(
                "INSERT INTO refused_changes VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET why = excluded.why, refused_at = excluded.refused_at"
                " WHERE why <> excluded.why",
                (location_id, business_date.isoformat(), why, text(now)),
            ).rowcount
            > 0
        )

    def clear_refusal(
        self, connection: sqlite3.Connection, location_id: str, business_date: date
    ) -> None:
        """
        Forget that changes of the date were refused.
        """
        connection.execute(
            "DELETE FROM refused_changes WHERE location = ? AND business_date = ?",
            (location_id, business_date.isoformat()),
        )

    def refused_changes(self, location_id: str) -> dict[date, str]:
        """
        Why nothing was taken back, of each date where that is so, oldest first.
        """
        with self.store.reading() as connection:
            rows = connection.execute(
                "SELECT business_date, why FROM refused_changes WHERE location = ?"
                " ORDER BY business_date",
                (location_id,),
            ).fetchall()

        return {date.fromisoformat(day): why for day, why in rows}

    def clear_moved_visits(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        business_date: date,
        ids: Collection[str],
    ) -> None:
        """
        Make due again the other dates that left *ids*, by the host's names,
        to *business_date*: they are not, or no longer, there.
        """
        left = connection.execute(
            "SELECT business_date, id FROM discrepancies"
            " WHERE location = ? AND kind = ? AND business_date <> ?",
            (location_id, DiscrepancyKind.ELSEWHERE, business_date.isoformat()),
        ).fetchall()

        days = {day for day, name in left if name in ids}

        for day in readable(days, date.fromisoformat):
            self.clear_visit(connection, location_id, day)

    def first_known(self, connection: sqlite3.Connection, location_id: str) -> date | None:
        """
        The first business date of which anything was frozen, delivered or
        adopted; None if nothing was.
        """
        found = [
            connection.execute(statement, (location_id,)).fetchone() for statement in _FIRST_KNOWN
        ]
        known = [row[0] for row in found if row is not None and row[0] is not None]

        return min(map(date.fromisoformat, filter(_is_date, known)), default=None)

    def recorded(
        self, connection: sqlite3.Connection, location_id: str, dates: Iterable[date]
    ) -> set[date]:
        """
        Those of *dates* of which something was frozen or delivered: the
        host's silence about these has to be compared.
        """
        return {
            day
            for day in dates
            if connection.execute(_KNOWN, (location_id, day.isoformat())).fetchone()[0]
        }


def _visit(row: tuple[str, str | None, str | None]) -> tuple[date, DateVisit]:
    day, at, closed = row
    return date.fromisoformat(day), DateVisit(at=optional_moment(at), closed=closed)


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


# Each is the end of an index.
_FIRST_KNOWN = (
    "SELECT min(business_date) FROM batches WHERE location = ?",
    "SELECT min(business_date) FROM delivered WHERE location = ?",
    "SELECT open_from FROM sales_floors WHERE location = ?",
)


def _is_date(stored: str) -> bool:
    """
    A row that can't be read stops only itself.
    """
    try:
        date.fromisoformat(stored)
    except ValueError:
        return False

    return True


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

_RUNS_AROUND = """
SELECT max(started_at) FILTER (WHERE started_at <= ?2),
       min(started_at) FILTER (WHERE started_at > ?2),
       max(started_at) FILTER (WHERE started_at > ?2)
FROM runs WHERE location = ?1
  AND number > coalesce((SELECT run FROM sales_clocks WHERE location = ?1), 0)
"""

_KNOWN = """
SELECT EXISTS (SELECT 1 FROM batches WHERE location = ?1 AND business_date = ?2)
    OR EXISTS (SELECT 1 FROM delivered WHERE location = ?1 AND business_date = ?2)
"""
