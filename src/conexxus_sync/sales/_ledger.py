"""
Reads the ledger of business dates: start date, due dates, closed dates.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import DateClosedError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.stores._store_protocols import SyncStore

from ._clock_check import ClockProblem, believable_last_run, find_clock_problem
from ._due_dates import DueDates, HeldDates, StartDate
from ._silence import REMEMBERED_DAYS, Silence, find_silence


# For as long as late sales are looked for.
FIRST_DAY_SHOWN = timedelta(days=7)


@attrs.frozen(kw_only=True)
class SalesLedger:
    """
    Reads the ledger of one location; writes nothing.

    Attributes:
        since: The first business date ever pushed, if the operator said one.
    """

    store: SyncStore
    location_id: str
    calendar: StoreCalendar
    since: date | None

    @classmethod
    def of(cls, store: SyncStore, config: SyncConfig, *, lookback_days: int) -> "SalesLedger":
        """
        The agenda of the store that *config* describes.

        Raises:
            ConfigurationError: Nobody said in which zone it is.
        """
        if config.timezone is None:
            msg = (
                "CONEXXUS_TIMEZONE is not configured, and this system's zone is UTC: "
                "set it to the store's zone, like America/New_York"
            )
            raise ConfigurationError([msg])

        return cls(
            store=store,
            location_id=config.location_id,
            since=config.sales_since,
            calendar=StoreCalendar(
                timezone=config.timezone,
                push_at=config.push_at,
                day_closes_at=config.day_closes_at,
                lookback_days=lookback_days,
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
        with self.store.reading() as connection:
            recorded = self.store.outbox.dates.start_date(connection, self.location_id)
            started_at = self.store.outbox.dates.started_at(connection, self.location_id)
            open_from = self.store.outbox.dates.open_from(connection, self.location_id)

        first, wanted = self.calendar.first_date(now), since or self.since

        if recorded is not None and recorded > max(first, wanted or first):
            # The clock was ahead when it was decided.
            recorded = None

        decided = StartDate.decide(
            recorded=recorded,
            wanted=wanted,
            first=first,
            honour_past=honour_past,
            open_from=open_from,
        )

        if wanted is not None or decided.held is not None:
            return decided

        began = now if recorded is None or started_at is None else started_at
        return attrs.evolve(decided, held=self._first_day(decided.start, began, now))

    def _first_day(self, start: date, began: datetime, now: datetime) -> HeldDates | None:
        """
        The day on which the store began, if that was after its push time:
        nothing of it is pushed by itself.
        """
        day = self.calendar.business_date(began)

        if day >= start or self.calendar.business_date(now) - day > FIRST_DAY_SHOWN:
            return None

        with self.store.reading() as connection:
            dates = self.store.outbox.dates
            # Asked for by name, it was pushed all the same.
            is_known = day in dates.visits(connection, self.location_id) or dates.recorded(
                connection, self.location_id, [day]
            )

        return None if is_known else HeldDates(since=day, before=start)

    def clock_problem(self, now: datetime, released: datetime) -> ClockProblem | None:
        """
        Why the clock can't be believed; None if it can.
        """
        with self.store.reading() as connection:
            runs = self.store.outbox.dates.runs_around(connection, self.location_id, now)

        return find_clock_problem(now, last_run=believable_last_run(runs, now), released=released)

    def dates(self, start_date: StartDate) -> DueDates:
        """
        The dates from *start_date* on.
        """
        outbox = self.store.outbox

        with self.store.reading() as connection:
            return DueDates(
                calendar=self.calendar,
                start=start_date.start,
                visits=outbox.dates.visits(connection, self.location_id),
                waiting=frozenset(outbox.open_dates(connection, self.location_id)),
                parked=frozenset(batch.business_date for batch in outbox.parked(self.location_id)),
            )

    def silence(self, start_date: StartDate, now: datetime) -> Silence | None:
        """
        For how long there were no sales, if that is unusual.
        """
        with self.store.reading() as connection:
            days = self.store.outbox.dates.days_with_sales(
                connection, self.location_id, REMEMBERED_DAYS
            )

        return find_silence(days, start=start_date.start, today=self.calendar.business_date(now))

    def refuse_closed(self, business_date: date) -> None:
        """
        Raises:
            DateClosedError: The date no longer takes a push.
        """
        with self.store.reading() as connection:
            reason = self.store.outbox.dates.closed(connection, self.location_id, business_date)

        if reason is not None:
            raise DateClosedError(business_date, reason)
