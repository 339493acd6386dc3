"""
Business dates: which one a moment belongs to, and when it is due.

A store speaks in wall time, and a wall clock skips and repeats.  Every rule
here turns wall time into instants once, so that nothing else has to think
of daylight saving.  Pure: a moment comes in, a moment or a date goes out.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs


NOON = time(12)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

# By how much a clock is put back at most, but for a date line that moved.
LONGEST_FOLD = timedelta(hours=3)
_NEVER = datetime.max.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class StoreCalendar:
    """
    The store's [business days](../../explanation/business-days.md).

    All moments that it returns are in UTC.

    Attributes:
        timezone: The store's.
        push_at: Wall time of the daily push; before noon means on the
            calendar day after the business date.
        day_closes_at: Wall time, on the next calendar day, at which the
            business day ends; before noon.
        lookback_days: For how many days late transactions are looked for.
        tail_after: How long after its close a day is visited for its tail.
    """

    timezone: ZoneInfo
    push_at: time = time(23, 30)
    day_closes_at: time = time(0)
    lookback_days: int = 7
    tail_after: timedelta = timedelta(minutes=15)

    def business_date(self, moment: datetime) -> date:
        """
        The date that *moment* belongs to, going by the clock on the wall.

        It is what a till prints on the receipt, less the hours after
        midnight that still count as yesterday.
        """
        wall = moment.astimezone(self.timezone).replace(tzinfo=None)
        return (wall - _since_midnight(self.day_closes_at)).date()

    def core_hours(self, business_date: date) -> tuple[datetime, datetime]:
        """
        Between which moments each belongs to *business_date*; those around
        them may, too.

        To compare moments takes a tenth of what their wall time takes.
        """
        try:
            first = self.close_moment(business_date - DAY)
            return first, self.close_moment(business_date) - LONGEST_FOLD
        except OverflowError:
            # At either end of the calendar.
            return _NEVER, _NEVER

    def push_moment(self, business_date: date) -> datetime:
        """
        When *business_date* is pushed for the first time.
        """
        day = business_date if self.push_at >= NOON else business_date + DAY
        return self._instant(day, self.push_at)

    def close_moment(self, business_date: date) -> datetime:
        """
        From when on no moment belongs to *business_date*.
        """
        return self._instant(business_date + DAY, self.day_closes_at)

    def tail_moment(self, business_date: date) -> datetime:
        """
        When *business_date* is visited for what was sold after its push.
        """
        return self.close_moment(business_date) + self.tail_after

    def due_moments(self, business_date: date) -> Iterator[datetime]:
        """
        All moments at which *business_date* becomes due, ascending.

        Its push, its tail, then once a day for late transactions.  A push
        that comes after the close finds the tail as well.
        """
        push, tail = self.push_moment(business_date), self.tail_moment(business_date)
        yield push

        if tail > push:
            yield tail

        for days in range(1, self.lookback_days + 1):
            late = self.push_moment(business_date + days * DAY)
            if late > max(push, tail):
                yield late

    def is_due(self, business_date: date, visited_at: datetime | None, now: datetime) -> bool:
        """
        Has a due moment passed since *business_date* was last visited?
        """
        upcoming = self.next_due(business_date, visited_at)
        return upcoming is not None and upcoming <= now

    def next_due(self, business_date: date, visited_at: datetime | None) -> datetime | None:
        """
        The first due moment after the last visit, which may have passed;
        None if there is none left.
        """
        if visited_at is None:
            return self.push_moment(business_date)

        later = (m for m in self.due_moments(business_date) if m > visited_at)
        return next(later, None)

    @property
    def rules(self) -> str:
        """
        What decides when a date is due, but for the days to look back.
        """
        return f"{self.timezone} {self.push_at} {self.day_closes_at} {self.tail_after}"

    def first_date(self, now: datetime) -> date:
        """
        The first date that a store that starts at *now* pushes by itself:
        today's, or the next if today's push time has passed.
        """
        today = self.business_date(now)
        return today + DAY if self.push_moment(today) <= now else today

    def _instant(self, day: date, wall: time) -> datetime:
        """
        The instant at which the wall clock shows *wall* on *day*, in UTC.

        Shown twice, it is the later one: from there on the clock never
        again shows an earlier time, so nothing is pushed while the wall
        says that it is too early, and a day closes only when no further
        sale can carry its date.  Skipped, it is the first instant after the
        gap.
        """
        shown = datetime.combine(day, wall)
        early, late = sorted(self._read(shown, fold) for fold in (0, 1))

        if self._wall(late) == shown:
            return late

        # PEP 495 reads a skipped time with the offset before and the offset
        # after the gap; the gap lies between the two instants.
        while late - early > SECOND:
            middle = early + (late - early) // 2
            early, late = (early, middle) if self._wall(middle) >= shown else (middle, late)

        return late.replace(microsecond=0)

    def _read(self, shown: datetime, fold: int) -> datetime:
        return shown.replace(fold=fold, tzinfo=self.timezone).astimezone(UTC)

    def _wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self.timezone).replace(tzinfo=None, fold=0)


@attrs.frozen(kw_only=True)
class Watermark:
    """
    Up to where business dates are past their last look.

    Attributes:
        first: From this date on.
        before: Up to the day before this one.
        as_of: When the last of them was looked at.
        rules: Of the calendar that says so.
        lookback: How many days it looks back.
    """

    first: date
    before: date
    as_of: datetime
    rules: str
    lookback: int

    def skip(self, start: date, calendar: StoreCalendar, now: datetime) -> date:
        """
        The first date from *start* on that has to be looked into.

        By an earlier clock, or by another calendar, that is *start*: what is
        past its last look by these may be due by others.
        """
        holds = (
            self.first <= start
            and self.as_of <= now
            and self.rules == calendar.rules
            and self.lookback >= calendar.lookback_days
        )

        return max(start, self.before) if holds else start


def plain_date(value: date) -> date:
    """
    *value*, if it is a business date.

    A moment is a `date` to Python, but not one of these: which date it belongs
    to depends on the store's zone and on the end of its day.

    Raises:
        ValueError: It is a moment, or no date at all.
    """
    if isinstance(value, datetime) or not isinstance(value, date):
        msg = (
            f"a business date is a date without a time, like date(2026, 1, 2), not a value of type "
            f"{type(value).__name__}: `StoreCalendar.business_date(moment)` says which one a "
            "moment belongs to"
        )
        raise ValueError(msg)

    return date(value.year, value.month, value.day)


def _since_midnight(wall: time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)
