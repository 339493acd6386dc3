"""
The ledger of business dates in SQLite.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs

from conexxus_sync.outbox import Visit

from ._sqlite_moments import optional_moment, text


if TYPE_CHECKING:
    from .sqlite import SqliteStore


@attrs.define
class SqliteSalesDates:
    """
    Rows of `sales_floors` and `sales_dates`.
    """

    store: "SqliteStore"

    def floor(self, connection: sqlite3.Connection, location_id: str) -> date | None:
        """
        The first business date that is pushed; None on a fresh store.
        """
        row = connection.execute(
            "SELECT since FROM sales_floors WHERE location = ?", (location_id,)
        ).fetchone()

        return None if row is None else date.fromisoformat(row[0])

    def set_floor(
        self, connection: sqlite3.Connection, location_id: str, since: date, now: datetime
    ) -> None:
        """
        Begin with *since*.
        """
        connection.execute(
            "INSERT OR REPLACE INTO sales_floors VALUES (?, ?, ?)",
            (location_id, since.isoformat(), text(now)),
        )

    def visits(self, connection: sqlite3.Connection, location_id: str) -> dict[date, Visit]:
        """
        Every business date that was ever visited or closed.
        """
        rows = connection.execute(
            "SELECT business_date, visited_at, closed FROM sales_dates WHERE location = ?",
            (location_id,),
        )

        return {
            date.fromisoformat(day): Visit(at=optional_moment(at), closed=closed)
            for day, at, closed in rows
        }

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

    def forget(self, connection: sqlite3.Connection, location_id: str, business_date: date) -> None:
        """
        Make the date due again, as if it had never been visited.
        """
        connection.execute(
            "UPDATE sales_dates SET visited_at = NULL WHERE location = ? AND business_date = ?",
            (location_id, business_date.isoformat()),
        )

    def known(self, connection: sqlite3.Connection, location_id: str) -> set[date]:
        """
        Dates of which something was frozen or delivered: the host's silence
        about these has to be compared.
        """
        rows = connection.execute(
            "SELECT DISTINCT business_date FROM batches WHERE location = ?1"
            " UNION SELECT DISTINCT business_date FROM delivered WHERE location = ?1",
            (location_id,),
        )

        return {date.fromisoformat(day) for (day,) in rows}
