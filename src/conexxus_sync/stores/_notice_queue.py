"""
Queue of notices, active alerts and sent daily reports.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

import attrs

from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.notices import ActiveAlert, Notice, QueuedNotice, SentReport

from ._database import Repository, optional_moment, text, texts


# Longer than a webhook is waited for.
_IN_FLIGHT = timedelta(seconds=15)

_SINCE = "SELECT since FROM notice_starts WHERE location = ?"
_START = """
INSERT INTO notice_starts (location, since) VALUES (?, ?) ON CONFLICT (location) DO NOTHING
"""
_ALERTS = "SELECT name, since, gone_at, told FROM standing_alerts WHERE location = ?"
_CLEAR_ALERTS = "DELETE FROM standing_alerts WHERE location = ?"
_SAVE_ALERT = """
INSERT INTO standing_alerts (location, name, since, gone_at, told) VALUES (?, ?, ?, ?, ?)
"""
_REPORTS = "SELECT business_date, complete FROM told_nights WHERE location = ?"
_SAVE_REPORT = """
INSERT INTO told_nights (location, business_date, complete) VALUES (?, ?, ?)
ON CONFLICT (location, business_date) DO UPDATE SET complete = excluded.complete
"""
_PURGE_REPORTS = "DELETE FROM told_nights WHERE location = ? AND business_date < ?"
_MISSING = """
SELECT coalesce((
    SELECT sum(transactions) FROM batches WHERE location = ?1 AND business_date = ?2
        AND state IN ('pending', 'sending', 'unknown')
), 0) + (
    SELECT count(*) FROM quarantined_transactions WHERE location = ?1 AND business_date = ?2
        AND dismissed_at IS NULL
)
"""
_QUEUE = """
INSERT INTO notices (location, id, subject, body, queued_at, due_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (location, id) DO NOTHING
"""
# The oldest of each subject.
_HEADS = """
SELECT number, id, body, queued_at, due_at, attempts FROM notices AS n
WHERE location = ? AND NOT EXISTS (
    SELECT 1 FROM notices AS o
    WHERE o.location = n.location AND o.subject = n.subject AND o.number < n.number
) ORDER BY number
"""
_PUT_OFF = "UPDATE notices SET attempts = ?, due_at = ? WHERE number = ?"
_DELETE = "DELETE FROM notices WHERE number = ?"
_LATER = "SELECT number, due_at, attempts FROM notices WHERE location = ? AND due_at > ?"
_SET_DUE = "UPDATE notices SET due_at = ? WHERE number = ?"
_PURGE_GIVEN_UP = "DELETE FROM given_up_notices WHERE location = ? AND at <= ?"
_GIVE_UP = "INSERT INTO given_up_notices (location, number, at, why) VALUES (?, ?, ?, ?)"
# When a clock was ahead, the moment at which a notice was given up is unknown.
_GIVEN_UP = """
SELECT why FROM given_up_notices WHERE location = ? AND at > ? AND at <= ? ORDER BY number
"""
_WAITING = "SELECT count(*), min(queued_at) FROM notices WHERE location = ?"


@attrs.frozen
class NoticeQueue(Repository):
    """
    Rows of `notice_starts`, `standing_alerts`, `told_nights`, `notices` and
    `given_up_notices`.
    """

    def since(self) -> datetime | None:
        """
        Since when notices are sent; None before the first.
        """
        return optional_moment(self.value(_SINCE, (self.location,)))

    def start(self, now: datetime) -> None:
        """
        Notices are sent from *now* on.
        """
        self.session.execute(_START, (self.location, text(now)))

    def active_alerts(self) -> list[ActiveAlert]:
        """
        The alerts that hold, or held a moment ago.
        """
        return [
            ActiveAlert(
                name=AlertName(name),
                about=about,
                since=datetime.fromisoformat(since),
                cleared_at=optional_moment(gone_at),
                notified=bool(told),
            )
            for subject, since, gone_at, told in self.session.execute(
                _ALERTS, (self.location,)
            ).fetchall()
            for name, _, about in (subject.partition(" "),)
            if name in set(AlertName)  # another version may have others
        ]

    def save_active_alerts(self, alerts: Iterable[ActiveAlert]) -> None:
        """
        These hold now, and no others.
        """
        self.session.execute(_CLEAR_ALERTS, (self.location,))
        self.session.executemany(
            _SAVE_ALERT,
            (
                (
                    *(
                        self.location,
                        f"{alert.name} {alert.about}".rstrip(),
                        *texts(alert.since, alert.cleared_at),
                    ),
                    int(alert.notified),
                )
                for alert in alerts
            ),
        )

    def sent_reports(self) -> dict[date, SentReport]:
        """
        The business dates that were reported.
        """
        reports = (
            SentReport(business_date=date.fromisoformat(day), complete=bool(complete))
            for day, complete in self.session.execute(_REPORTS, (self.location,)).fetchall()
        )

        return {report.business_date: report for report in reports}

    def missing(self, day: date) -> int:
        """
        How many sales of *day* wait, or were set aside.
        """
        return int(self.value(_MISSING, (self.location, day.isoformat())))

    def record_report(self, report: SentReport, *, keep: date) -> None:
        """
        *report* was queued; those before *keep* are not needed any more.
        """
        day = report.business_date.isoformat()
        self.session.execute(_SAVE_REPORT, (self.location, day, int(report.complete)))
        self.session.execute(_PURGE_REPORTS, (self.location, keep.isoformat()))

    def queue(self, notice: Notice, now: datetime) -> None:
        """
        Have *notice* sent; the same a second time is nothing new.
        """
        self.session.execute(
            _QUEUE, (notice.location_id, notice.id, notice.subject, notice.body(), text(now))
        )

    def due(self, now: datetime, wait_after: Callable[[int], timedelta]) -> QueuedNotice | None:
        """
        The oldest notice that is due.

        What was queued about the same subject waits for one that is put off:
        a "resolved" notice is never sent before its "firing" notice.

        Args:
            wait_after: How long to wait after so many attempts.
        """
        for number, name, body, queued_at, due_at, attempts in self.session.execute(
            _HEADS, (self.location,)
        ).fetchall():
            # Put off further than we ever do, it was by a clock that was ahead.
            if not now < datetime.fromisoformat(due_at) <= now + wait_after(attempts):
                return QueuedNotice(
                    number=number,
                    id=name,
                    body=bytes(body),
                    queued_at=datetime.fromisoformat(queued_at),
                    attempts=attempts + 1,
                )

        return None

    def claim(self, now: datetime, wait_after: Callable[[int], timedelta]) -> QueuedNotice | None:
        """
        The oldest notice that is due, for one attempt to send it.

        The next attempt is put off before this one is made: of two processes
        only one makes it, and one that dies over it has made it, too.

        Args:
            wait_after: How long to wait after so many attempts.
        """
        notice = self.due(now, wait_after)

        if notice is not None:
            due_at = text(now + wait_after(notice.attempts))
            self.session.execute(_PUT_OFF, (notice.attempts, due_at, notice.number))

        return notice

    def mark_sent(
        self, notice: QueuedNotice, now: datetime, wait_after: Callable[[int], timedelta]
    ) -> None:
        """
        *notice* was taken; who takes one may take the others: they are due.
        """
        self.session.execute(_DELETE, (notice.number,))
        put_off = self.session.execute(_LATER, (self.location, text(now))).fetchall()
        self.session.executemany(
            _SET_DUE,
            [
                (text(now), number)
                for number, due_at, attempts in put_off
                if not _is_in_flight(due_at, now, wait_after(attempts))
            ],
        )

    def give_up(self, notice: QueuedNotice, now: datetime, *, why: str, keep: timedelta) -> int:
        """
        *notice* is not sent any more, which is remembered for as long as *keep*.

        Args:
            why: Without the webhook's address.

        Returns:
            How many were given up within *keep*, this one included; 0 if
            another process had done with it.
        """
        if not self.session.execute(_DELETE, (notice.number,)).rowcount:
            return 0

        self.session.execute(_PURGE_GIVEN_UP, (self.location, text(now - keep)))
        self.session.execute(_GIVE_UP, (self.location, notice.number, text(now), why))

        return self.given_up(now - keep, now)[0]

    def given_up(self, since: datetime, now: datetime) -> tuple[int, str | None]:
        """
        How many notices were given up after *since*, and why the last one was.
        """
        rows = self.session.execute(_GIVEN_UP, (self.location, text(since), text(now))).fetchall()

        return len(rows), rows[-1][0] if rows else None

    def waiting(self) -> tuple[int, datetime | None]:
        """
        How many notices are still to be sent, and since when the oldest is.
        """
        number, oldest = self.session.execute(_WAITING, (self.location,)).fetchone()

        return number, optional_moment(oldest)


def _is_in_flight(due_at: str, now: datetime, wait: timedelta) -> bool:
    """
    Was the attempt that put it off made just now?
    """
    return timedelta() <= now - (datetime.fromisoformat(due_at) - wait) < _IN_FLIGHT
