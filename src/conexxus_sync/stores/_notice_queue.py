"""
Queue of notices, active alerts and sent daily reports.
"""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

import attrs

from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.notices import ActiveAlert, Notice, QueuedNotice, SentReport

from ._database import Database, optional_moment, optional_text, text


# Longer than a webhook is waited for.
_IN_FLIGHT = timedelta(seconds=15)


@attrs.define
class SqliteNotices:
    """
    Rows of `notice_starts`, `standing_alerts`, `told_nights`, `notices` and
    `given_up_notices`.
    """

    store: Database

    def since(self, connection: sqlite3.Connection, location_id: str) -> datetime | None:
        """
        Since when somebody is told; None if nobody is yet.
        """
        row = connection.execute(
            "SELECT since FROM notice_starts WHERE location = ?", (location_id,)
        ).fetchone()

        return None if row is None else datetime.fromisoformat(row[0])

    def start(self, connection: sqlite3.Connection, location_id: str, now: datetime) -> None:
        """
        Somebody is told from *now* on.
        """
        connection.execute(
            "INSERT INTO notice_starts VALUES (?, ?) ON CONFLICT DO NOTHING",
            (location_id, text(now)),
        )

    def active_alerts(self, connection: sqlite3.Connection, location_id: str) -> list[ActiveAlert]:
        """
        The alerts that hold, or held a moment ago.
        """
        return [
            ActiveAlert(
                name=AlertName(name),
                since=datetime.fromisoformat(since),
                cleared_at=optional_moment(gone_at),
                notified=bool(told),
            )
            for name, since, gone_at, told in connection.execute(
                "SELECT name, since, gone_at, told FROM standing_alerts WHERE location = ?",
                (location_id,),
            )
            if name in set(AlertName)  # another version may know others
        ]

    def save_active_alerts(
        self, connection: sqlite3.Connection, location_id: str, alerts: Iterable[ActiveAlert]
    ) -> None:
        """
        These hold now, and no others.
        """
        connection.execute("DELETE FROM standing_alerts WHERE location = ?", (location_id,))
        connection.executemany(
            "INSERT INTO standing_alerts VALUES (?, ?, ?, ?, ?)",
            (
                (
                    location_id,
                    alert.name,
                    text(alert.since),
                    optional_text(alert.cleared_at),
                    alert.notified,
                )
                for alert in alerts
            ),
        )

    def sent_reports(
        self, connection: sqlite3.Connection, location_id: str
    ) -> dict[date, SentReport]:
        """
        The business dates that were told.
        """
        rows = connection.execute(
            "SELECT business_date, complete FROM told_nights WHERE location = ?",
            (location_id,),
        )
        reports = (
            SentReport(business_date=date.fromisoformat(day), complete=bool(complete))
            for day, complete in rows
        )

        return {report.business_date: report for report in reports}

    def missing(self, connection: sqlite3.Connection, location_id: str, day: date) -> int:
        """
        How many sales of *day* wait, or were set aside.
        """
        (number,) = connection.execute(_MISSING, (location_id, day.isoformat())).fetchone()

        return int(number)

    def record_report(
        self, connection: sqlite3.Connection, location_id: str, report: SentReport, *, keep: date
    ) -> None:
        """
        *report* was queued; those before *keep* are not needed any more.
        """
        connection.execute(
            "INSERT OR REPLACE INTO told_nights VALUES (?, ?, ?)",
            (location_id, report.business_date.isoformat(), report.complete),
        )
        connection.execute(
            "DELETE FROM told_nights WHERE location = ? AND business_date < ?",
            (location_id, keep.isoformat()),
        )

    def queue(self, connection: sqlite3.Connection, notice: Notice, now: datetime) -> None:
        """
        Have *notice* sent; the same a second time is nothing new.
        """
        connection.execute(
            "INSERT INTO notices (location, id, subject, body, queued_at, due_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT DO NOTHING",
            (notice.location_id, notice.id, notice.subject, notice.body(), text(now)),
        )

    def claim(
        self, location_id: str, now: datetime, wait_after: Callable[[int], timedelta]
    ) -> QueuedNotice | None:
        """
        The oldest notice that is due, for one attempt to send it.

        What was queued about the same subject waits for one that is put off:
        no end is told before its beginning.

        The next attempt is put off before this one is made: of two processes
        only one makes it, and one that dies over it has made it, too.

        Args:
            wait_after: How long to wait after so many attempts.
        """
        with self.store.reading() as connection:
            if not self._due(connection, location_id, now, wait_after):
                return None

            with self.store.writing(connection=connection):
                notice = self._due(connection, location_id, now, wait_after)
                if notice is not None:
                    connection.execute(
                        "UPDATE notices SET attempts = ?, due_at = ? WHERE number = ?",
                        (
                            notice.attempts,
                            text(now + wait_after(notice.attempts)),
                            notice.number,
                        ),
                    )

        return notice

    def _due(
        self,
        connection: sqlite3.Connection,
        location_id: str,
        now: datetime,
        wait_after: Callable[[int], timedelta],
    ) -> QueuedNotice | None:
        heads = connection.execute(
            "SELECT min(number), id, body, queued_at, due_at, attempts FROM notices"
            " WHERE location = ? GROUP BY subject ORDER BY number",
            (location_id,),
        )

        for number, name, body, queued_at, due_at, attempts in heads:
            # Put off further than we ever do, it was by a clock that was ahead.
            if not now < datetime.fromisoformat(due_at) <= now + wait_after(attempts):
                return QueuedNotice(
                    number=number,
                    id=name,
                    body=body,
                    queued_at=datetime.fromisoformat(queued_at),
                    attempts=attempts + 1,
                )

        return None

    def mark_sent(
        self,
        location_id: str,
        notice: QueuedNotice,
        now: datetime,
        wait_after: Callable[[int], timedelta],
    ) -> None:
        """
        *notice* was taken; who takes one may take the others: they are due.
        """
        with self.store.writing() as connection:
            connection.execute("DELETE FROM notices WHERE number = ?", (notice.number,))
            put_off = connection.execute(
                "SELECT number, due_at, attempts FROM notices WHERE location = ? AND due_at > ?",
                (location_id, text(now)),
            ).fetchall()
            connection.executemany(
                "UPDATE notices SET due_at = ? WHERE number = ?",
                [
                    (text(now), number)
                    for number, due_at, attempts in put_off
                    if not _is_in_flight(due_at, now, wait_after(attempts))
                ],
            )

    def give_up(
        self, location_id: str, notice: QueuedNotice, now: datetime, *, why: str, keep: timedelta
    ) -> int:
        """
        *notice* is not sent any more, which is remembered for as long as *keep*.

        Args:
            why: Without the webhook's address.

        Returns:
            How many were given up within *keep*, this one included; 0 if
            another process had done with it.
        """
        with self.store.writing() as connection:
            found = connection.execute("DELETE FROM notices WHERE number = ?", (notice.number,))
            if not found.rowcount:
                return 0

            connection.execute(
                "DELETE FROM given_up_notices WHERE location = ? AND at <= ?",
                (location_id, text(now - keep)),
            )
            connection.execute(
                "INSERT INTO given_up_notices VALUES (?, ?, ?, ?)",
                (location_id, notice.number, text(now), why),
            )

            return _given_up(connection, location_id, now - keep, now)[0]

    def given_up(self, location_id: str, since: datetime, now: datetime) -> tuple[int, str | None]:
        """
        How many notices were given up after *since*, and why the last one was.
        """
        with self.store.reading() as connection:
            return _given_up(connection, location_id, since, now)

    def waiting(self, location_id: str) -> tuple[int, datetime | None]:
        """
        How many notices are still to be sent, and since when the oldest is.
        """
        with self.store.reading() as connection:
            number, oldest = connection.execute(
                "SELECT count(*), min(queued_at) FROM notices WHERE location = ?", (location_id,)
            ).fetchone()

        return number, optional_moment(oldest)


def _is_in_flight(due_at: str, now: datetime, wait: timedelta) -> bool:
    """
    Was the attempt that put it off made just now?
    """
    return timedelta() <= now - (datetime.fromisoformat(due_at) - wait) < _IN_FLIGHT


def _given_up(
    connection: sqlite3.Connection, location_id: str, since: datetime, now: datetime
) -> tuple[int, str | None]:
    # Of what a clock that was ahead gave up, nobody knows when it was.
    rows = connection.execute(
        "SELECT why FROM given_up_notices WHERE location = ? AND at > ? AND at <= ?"
        " ORDER BY number",
        (location_id, text(since), text(now)),
    ).fetchall()

    return len(rows), rows[-1][0] if rows else None


_MISSING = """
SELECT coalesce((
    SELECT sum(transactions) FROM batches WHERE location = ?1 AND business_date = ?2
        AND state IN ('pending', 'sending', 'unknown')
), 0) + (
    SELECT count(*) FROM quarantined_transactions WHERE location = ?1 AND business_date = ?2
        AND dismissed_at IS NULL
)
"""
