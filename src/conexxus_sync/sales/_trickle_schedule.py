"""
When the dates in progress are looked at for sales to push during the day.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_sync.model.calendar import DAY, StoreCalendar


@attrs.frozen(kw_only=True)
class TrickleSchedule:
    """
    Looks at the dates that have begun and whose push time has not come.

    Attributes:
        every: The interval of looks.
        first: The date on which the store began: what was sent of it before,
            by a store that was lost, is not known.
        looked_at: When the last look was.
    """

    calendar: StoreCalendar
    every: timedelta
    first: date
    looked_at: datetime | None

    def dates(self, now: datetime) -> list[date]:
        """
        The dates in progress at *now*, oldest first.
        """
        today = self.calendar.business_date(now)

        return [day for day in (today - DAY, today) if self.covers(day, now)]

    def covers(self, day: date, now: datetime) -> bool:
        """
        Is *day*, which has begun, in progress at *now*?
        """
        return day > self.first and now < self.calendar.push_moment(day)

    def next_look(self, now: datetime) -> datetime:
        """
        When the next look is due; not after *now* if that is at once.
        """
        if not self.dates(now):
            return self.calendar.close_moment(max(self.calendar.business_date(now), self.first))

        # A look in the future was by a clock that was ahead.
        is_first = self.looked_at is None or self.looked_at > now

        return now if is_first or self.looked_at is None else self.looked_at + self.every
