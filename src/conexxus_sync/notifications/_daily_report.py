"""
Decides which business dates get a daily report, and writes it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

import attrs

from conexxus_sync.model.calendar import DAY, StoreCalendar
from conexxus_sync.model.date_reconciliation import ComparedDate
from conexxus_sync.model.formatting import wall_time
from conexxus_sync.model.notices import Event, Notice, SentReport
from conexxus_sync.model.sales import DateTotals

from ._notice_text import accepted, daily_report, partly_accepted, unfinished


# So long after the end of its day a date that is not finished is reported as it is.
REPORT_ANYWAY_AFTER = timedelta(hours=1)

# What was not reported by then is history.
LOOK_BACK = 7 * DAY


@attrs.frozen(kw_only=True)
class DailyReports:
    """
    What is known of the last business dates at one moment.

    Attributes:
        first: The first date that gets a report.
        visits: When each date was last looked at with nothing left to deliver.
        sent: The reports that were queued already.
        missing: How many sales of a date were not accepted.
        sums: What a date comes to; asked only for dates to report: it takes
            a look at every sale.
        compared: What came of reconciling, by date.
        why: Why sales of a date were not accepted, in plain words.
    """

    location_id: str
    now: datetime
    zone: tzinfo
    calendar: StoreCalendar
    first: date
    visits: Mapping[date, datetime]
    sent: Mapping[date, SentReport]
    missing: Callable[[date], int]
    sums: Callable[[date], DateTotals | None]
    why: Callable[[date], str]
    compared: Mapping[date, ComparedDate] = attrs.field(factory=dict)

    def due(self) -> Iterator[tuple[SentReport, Notice]]:
        """
        What is to be reported now, and what to store of it; oldest first.
        """
        incomplete = {day for day, daily_report in self.sent.items() if not daily_report.complete}

        for day in sorted({*self._unreported(), *incomplete}):
            missing, finished = self.missing(day), self._is_finished(day)

            if finished and not missing:
                if day in self.compared or self._is_late(day):
                    beginning = "now complete, " if day in incomplete else ""
                    text = f"{beginning}{self._accepted(day)}{self._difference(day)}"
                    yield self._report(day, text, complete=True)
            elif day not in incomplete and (finished or self._is_late(day)):
                yield self._report(day, self._incomplete(day, missing), complete=False)

    def _unreported(self) -> Iterator[date]:
        day, today = self.first, self.calendar.business_date(self.now)

        while day <= today:
            if day not in self.sent:
                yield day
            day += DAY

    def _report(self, day: date, text: str, *, complete: bool) -> tuple[SentReport, Notice]:
        return (
            SentReport(business_date=day, complete=complete),
            Notice(
                event=Event.NIGHT,
                text=daily_report(self.location_id, day, text, self.compared.get(day)),
                location_id=self.location_id,
                at=self.now,
                business_date=day,
            ),
        )

    def _accepted(self, day: date) -> str:
        sums = self.sums(day)

        if sums is None or sums.last_at is None:
            return "no sales"

        return accepted(sums.delivered, sums.total, wall_time(sums.last_at, self.zone, day))

    def _difference(self, day: date) -> str:
        compared = self.compared.get(day)

        if compared is None or compared.difference is None:
            return ""

        return f". Till and back office differ: {compared.difference}"

    def _incomplete(self, day: date, missing: int) -> str:
        sums = self.sums(day)
        sales, total = (0, Decimal()) if sums is None else (sums.delivered, sums.total)

        if not missing:
            return unfinished(sales, total, self.why(day))

        return partly_accepted(sales, total, missing, self.why(day))

    def _is_late(self, day: date) -> bool:
        return self.now >= self._end(day) + REPORT_ANYWAY_AFTER

    def _is_finished(self, day: date) -> bool:
        """
        Was it looked at after its end, with nothing left to deliver?
        """
        visited = self.visits.get(day)

        return visited is not None and visited >= self._end(day)

    def _end(self, day: date) -> datetime:
        return end_of(self.calendar, day)


def end_of(calendar: StoreCalendar, day: date) -> datetime:
    """
    From when on a visit of *day* finds all that was sold on it.
    """
    return max(calendar.push_moment(day), calendar.tail_moment(day))


def first_report_date(
    calendar: StoreCalendar, *, since: datetime, now: datetime, start: date
) -> date:
    """
    The first date that is reported.

    Args:
        since: When notices were first sent: earlier dates are in no report.
        start: The first date that is pushed at all.
    """
    first = max(start, calendar.business_date(now) - LOOK_BACK)

    while end_of(calendar, first) <= since:
        first += DAY

    return first
