"""
Which business dates are due or overdue, and when the next one is.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import chain, takewhile

import attrs

from conexxus_sync.model.calendar import DAY, StoreCalendar, Watermark
from conexxus_sync.model.sales import DateVisit

from ._trickle_schedule import TrickleSchedule


NEVER = DateVisit()


@attrs.frozen(kw_only=True)
class HeldDates:
    """
    Past dates that a fresh store does not push by itself.

    Attributes:
        since: The first of them.
        before: The first date that is pushed.
    """

    since: date
    before: date

    def __str__(self) -> str:
        return (
            f"sales from {self.since} to before {self.before} are held back, because this store "
            "has no record whether they were pushed: run "
            f"`conexxus push --orders ORDERS --since {self.since}` to push them"
        )


@attrs.frozen(kw_only=True)
class StartDate:
    """
    Where a push begins: see
    [the first day](../../../docs/explanation/business-days.md).

    Attributes:
        start: The first business date that is looked at.
        record: What the store has to remember from now on; None if nothing.
        held: Past dates that are not pushed without being asked to.
    """

    start: date
    record: date | None = None
    held: HeldDates | None = None

    @classmethod
    def decide(
        cls,
        *,
        recorded: date | None,
        wanted: date | None,
        first: date,
        honour_past: bool,
        open_from: date | None = None,
    ) -> "StartDate":
        """
        Decide where to begin.

        Args:
            recorded: Where this store began; None if it is fresh.
            wanted: What the operator asked for.
            first: Where a store that starts now begins by itself.
            honour_past: Whether somebody is there who asked for the past.
            open_from: Dates before it are closed; None if there are none.
        """
        known = recorded or first
        start = max(wanted or known, open_from or date.min)

        if start < known and not honour_past:
            held = HeldDates(since=start, before=known)
            return cls(start=known, record=None if recorded else known, held=held)
        if recorded is None or start < recorded:
            return cls(start=start, record=start)

        return cls(start=start)


@attrs.frozen(kw_only=True)
class DueDates:
    """
    The ledger of visits, read by the calendar.

    Attributes:
        start: The first date that is pushed.
        visits: What the ledger says, by date.
        trickle: When sales are pushed during the day; None if they are not.
        unsettled: Dates before it are past their last look, unless something
            of them waits or is parked.
        as_of: When the last of those was looked at.
        waiting: Dates with batches to deliver.
        parked: Dates with batches that wait for an operator; they make
            nothing due, but what should have arrived has not.
    """

    calendar: StoreCalendar
    start: date
    visits: Mapping[date, DateVisit]
    waiting: frozenset[date]
    parked: frozenset[date] = frozenset()
    trickle: TrickleSchedule | None = None
    unsettled: date = date.min
    as_of: datetime | None = None

    def due(self, now: datetime) -> list[date]:
        """
        The dates to look at, oldest first.
        """
        passed = {
            day
            for day in self._dates(now)
            if self.calendar.is_due(day, self._visited(day, now), now)
        }

        return sorted(passed | self._sent_again(now))

    def looks(self, now: datetime, *, at_once: bool) -> list[date]:
        """
        The dates in progress to look at, oldest first.

        Args:
            at_once: Whether the next look need not be due.
        """
        trickle = self.trickle
        if trickle is None or not (at_once or trickle.next_look(now) <= now):
            return []

        return trickle.dates(now)

    def next_due(self, now: datetime) -> datetime:
        """
        When there is something to do; not after *now* if there is already.
        """
        if self._sent_again(now):
            return now

        today = self.calendar.business_date(now)
        ahead = self.calendar.push_moment(max(self.start, today + DAY))
        moments = [self.calendar.next_due(day, self._visited(day, now)) for day in self._dates(now)]
        if self.trickle is not None:
            moments.append(self.trickle.next_look(now))

        return min((moment for moment in moments if moment is not None), default=ahead)

    def _sent_again(self, now: datetime) -> set[date]:
        """
        The dates with batches to deliver; of one in progress, they go with its
        next look.
        """
        trickle = self.trickle

        return {day for day in self.waiting if trickle is None or not trickle.covers(day, now)}

    def moments(self, now: datetime) -> dict[date, datetime]:
        """
        When each date up to today is looked at next, oldest first; without
        those that are not looked at any more.
        """
        found = {
            day: self.calendar.next_due(day, self._visited(day, now)) for day in self._dates(now)
        }

        return {day: moment for day, moment in found.items() if moment is not None}

    def overdue(self, now: datetime, grace: timedelta) -> list[date]:
        """
        The dates that should have been pushed *grace* ago, and were not, or
        not entirely; oldest first.
        """
        return [day for day in self._dates(now) if self._is_overdue(day, now, grace)]

    def watermark(self, now: datetime) -> Watermark | None:
        """
        Up to where dates are past their last look; None if that is no news.
        """
        day = max(self.start, self.unsettled)
        over = list(takewhile(lambda each: self._is_over(each, now), self._days_from(day, now)))

        if not over:
            return None

        looks = (self._visited(each, now) for each in over)

        return Watermark(
            first=self.start,
            before=over[-1] + DAY,
            as_of=max(filter(None, (self.as_of, *looks)), default=now),
            rules=self.calendar.rules,
            lookback=self.calendar.lookback_days,
        )

    def needs_decision(self, day: date, now: datetime) -> bool:
        """
        Is an operator's decision all that *day* waits for?
        """
        return day in self.parked and self._is_done(day, now)

    def _is_overdue(self, day: date, now: datetime, grace: timedelta) -> bool:
        if day not in self.parked and self._is_done(day, now):
            return False

        return self.calendar.push_moment(day) + grace <= now

    def _is_done(self, day: date, now: datetime) -> bool:
        """
        Was *day* pushed, with nothing left that is sent again by itself?
        """
        at = self._visited(day, now)

        return at is not None and day not in self.waiting and at >= self.calendar.push_moment(day)

    def _visited(self, day: date, now: datetime) -> datetime | None:
        """
        When *day* was last looked at; a visit in the future counts for
        nothing: the clock was ahead then, and had no say in what was sold since.
        """
        at = self.visits.get(day, NEVER).at
        return None if at is None or at > now else at

    def _dates(self, now: datetime) -> Iterator[date]:
        """
        Those from the start to today that may be due, oldest first, without
        those that are closed.
        """
        first = max(self.start, self.unsettled)
        before = sorted(day for day in self.waiting | self.parked if self.start <= day < first)
        days = chain(before, self._days_from(first, now))

        return (day for day in days if self.visits.get(day, NEVER).closed is None)

    def _days_from(self, first: date, now: datetime) -> Iterator[date]:
        days = (self.calendar.business_date(now) - first).days

        return (first + number * DAY for number in range(days + 1))

    def _is_over(self, day: date, now: datetime) -> bool:
        """
        Is *day* not looked at any more?
        """
        at = self._visited(day, now)
        is_closed = self.visits.get(day, NEVER).closed is not None

        return is_closed or (at is not None and self.calendar.next_due(day, at) is None)
