"""
Reads the ledger of business dates: start date, due dates, closed dates.
"""

from datetime import date, datetime

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import DateClosedError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.stores._store_protocols import SyncStore

from ._clock_check import ClockProblem, find_clock_problem
from ._due_dates import DueDates, StartDate


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
            open_from = self.store.outbox.dates.open_from(connection, self.location_id)

        return StartDate.decide(
            recorded=recorded,
            wanted=since or self.since,
            first=self.calendar.first_date(now),
            honour_past=honour_past,
            open_from=open_from,
        )

    def clock_problem(self, now: datetime, released: datetime) -> ClockProblem | None:
        """
        Why the clock can't be believed; None if it can.
        """
        with self.store.reading() as connection:
            last_run = self.store.outbox.dates.last_run(connection, self.location_id)

        return find_clock_problem(now, last_run=last_run, released=released)

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

    def refuse_closed(self, business_date: date) -> None:
        """
        Raises:
            DateClosedError: The date no longer takes a push.
        """
        with self.store.reading() as connection:
            reason = self.store.outbox.dates.closed(connection, self.location_id, business_date)

        if reason is not None:
            raise DateClosedError(business_date, reason)
