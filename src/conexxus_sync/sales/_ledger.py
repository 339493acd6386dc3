"""
Reads the ledger of business dates: start date, due dates, closed dates.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.config import NO_TIMEZONE, SyncConfig
from conexxus_sync.errors import DateClosedError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.stores import LocationStore, State

from ._clock_check import ClockProblem, believable_last_run, find_clock_problem
from ._due_dates import NEVER, DueDates, HeldDates, StartDate
from ._silence import REMEMBERED_DAYS, Silence, find_silence
from ._trickle_schedule import TrickleSchedule


# For as long as late sales are looked for.
FIRST_DAY_SHOWN = timedelta(days=7)


@attrs.frozen(kw_only=True)
class SalesLedger:
    """
    Reads the ledger of one location; writes nothing.

    Attributes:
        since: The first business date ever pushed, if the operator said one.
        every: The interval of pushes during the day, if there are any.
    """

    store: LocationStore
    calendar: StoreCalendar
    since: date | None
    every: timedelta | None = None

    @classmethod
    def of(
        cls, store: LocationStore, config: SyncConfig, *, lookback_days: int | None = None
    ) -> "SalesLedger":
        """
        The ledger of the store that *config* describes.

        Args:
            lookback_days: Instead of the configured.

        Raises:
            ConfigurationError: Its zone is not configured.
        """
        if config.timezone is None:
            raise ConfigurationError([NO_TIMEZONE])

        return cls(
            store=store,
            since=config.sales_since,
            every=config.push_every,
            calendar=StoreCalendar(
                timezone=config.timezone,
                push_at=config.push_at,
                day_closes_at=config.day_closes_at,
                lookback_days=config.lookback_days if lookback_days is None else lookback_days,
            ),
        )

    def start_date(
        self, now: datetime, since: date | None = None, *, honour_past: bool = False
    ) -> StartDate:
        """
        Where a push at *now* begins.

        Args:
            since: Instead of the configured first date.
            honour_past: Whether a person asked for dates before today.
        """
        with self.store.read() as state:
            stored = state.sales_dates.start()

        recorded, first, wanted = stored.since, self.calendar.first_date(now), since or self.since

        if recorded is not None and recorded > max(first, wanted or first):
            # The clock was ahead when it was decided.
            recorded = None

        decided = StartDate.decide(
            recorded=recorded,
            wanted=wanted,
            first=first,
            honour_past=honour_past,
            open_from=stored.open_from,
        )

        if wanted is not None or decided.held is not None:
            return decided

        began = now if recorded is None else stored.recorded_at or now
        return attrs.evolve(decided, held=self._first_day(decided.start, began, now))

    def _first_day(self, start: date, began: datetime, now: datetime) -> HeldDates | None:
        """
        The day on which the store began, if that was after its push time:
        nothing of it is pushed by itself.
        """
        day = self.calendar.business_date(began)

        if day >= start or self.calendar.business_date(now) - day > FIRST_DAY_SHOWN:
            return None

        with self.store.read() as state:
            # Asked for by name, it was pushed all the same.
            is_known = state.sales_dates.visit(day) != NEVER or state.sales_dates.recorded([day])

        return None if is_known else HeldDates(since=day, before=start)

    def clock_problem(self, now: datetime, released: datetime) -> ClockProblem | None:
        """
        Why the clock can't be believed; None if it can.
        """
        with self.store.read() as state:
            runs = state.sales_dates.runs_around(now)

        return find_clock_problem(now, last_run=believable_last_run(runs, now), released=released)

    def dates(self, start_date: StartDate, now: datetime, *, since: date | None = None) -> DueDates:
        """
        The dates from *start_date* on.

        Args:
            since: From when on the visits are read, if dates are shown that
                are past their last look.
        """
        with self.store.read() as state:
            start, mark = start_date.start, state.sales_dates.watermark()
            unsettled = start if mark is None else mark.skip(start, self.calendar, now)
            waiting = frozenset(state.outbox.open_dates())
            parked = frozenset(batch.business_date for batch in state.outbox.parked())
            visits = state.sales_dates.visits(min(since or unsettled, unsettled))
            earlier = (day for day in waiting | parked if day not in visits)
            trickle = self._trickle(state, start, now)

            return DueDates(
                calendar=self.calendar,
                start=start,
                visits={**{day: state.sales_dates.visit(day) for day in earlier}, **visits},
                waiting=waiting,
                parked=parked,
                trickle=trickle,
                unsettled=unsettled,
                as_of=None if mark is None or unsettled == start else mark.as_of,
            )

    def _trickle(self, state: State, start: date, now: datetime) -> TrickleSchedule | None:
        """
        When the dates in progress are looked at, if they are.
        """
        if self.every is None:
            return None

        began = state.sales_dates.start().recorded_at
        if began is not None and began <= now:
            # A person may have asked for dates before the one on which it began.
            start = max(start, self.calendar.business_date(began))

        return TrickleSchedule(
            calendar=self.calendar,
            every=self.every,
            first=start,
            looked_at=state.sales_looks.looked_at(),
        )

    def silence(self, start_date: StartDate, now: datetime) -> Silence | None:
        """
        For how long there were no sales, if that is unusual.
        """
        with self.store.read() as state:
            days = state.sales_dates.days_with_sales(REMEMBERED_DAYS)

        return find_silence(days, start=start_date.start, today=self.calendar.business_date(now))


def refuse_closed(state: State, business_date: date) -> None:
    """
    Raises:
        DateClosedError: The date no longer takes a push.
    """
    reason = state.sales_dates.closed(business_date)

    if reason is not None:
        raise DateClosedError(business_date, reason)
