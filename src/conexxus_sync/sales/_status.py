"""
Status of the sales: overdue dates, held dates, clock and configuration problems.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.stores._store_protocols import SyncStore

from ._clock_check import RELEASED, ClockProblem
from ._due_dates import HeldDates
from ._ledger import SalesLedger
from ._silence import Silence


# A push that takes its time, or is tried again, is not late yet.
LATE_AFTER = timedelta(hours=1)


@attrs.frozen(kw_only=True)
class SalesStatus:
    """
    How it looks for the sales of one location.

    Attributes:
        overdue: Business dates that should have been pushed by now, and were
            not, or not entirely; oldest first.
        parked: Those of them that only wait for an operator's word.
        enabled: Whether there is an order source.
        held: Past dates that are not pushed without being asked to.
        clock_problem: Why the clock can't be right.
        problem: Why nothing can be pushed as it is configured.
        silence: For how long there were no sales, if that is unusual.
    """

    overdue: tuple[date, ...] = ()
    parked: tuple[date, ...] = ()
    enabled: bool = True
    held: HeldDates | None = None
    clock_problem: ClockProblem | None = None
    problem: str | None = None
    silence: Silence | None = None

    @classmethod
    def of(
        cls,
        store: SyncStore,
        config: SyncConfig,
        now: datetime,
        *,
        enabled: bool,
        released: datetime = RELEASED,
    ) -> "SalesStatus":
        """
        Ask *store*, and the calendar.

        Args:
            enabled: Whether there is an order source; without one, a store
                that never had sales has no status.

        Raises:
            StoreError: The store can't be read.
        """
        if not enabled and not has_sales(store, config.location_id):
            return cls(enabled=False)

        try:
            # Late transactions make nothing overdue.
            ledger = SalesLedger.of(store, config, lookback_days=0)
        except ConfigurationError as exc:
            return cls(problem=str(exc), enabled=enabled)

        start_date = ledger.start_date(now)
        dates = ledger.dates(start_date)
        overdue = tuple(dates.overdue(now, LATE_AFTER))

        return cls(
            overdue=overdue,
            parked=tuple(day for day in overdue if dates.needs_decision(day, now)),
            enabled=enabled,
            held=start_date.held,
            clock_problem=ledger.clock_problem(now, released),
            # What was not pushed says nothing of the till.
            silence=None if overdue or not enabled else ledger.silence(start_date, now),
        )


def has_sales(store: SyncStore, location_id: str) -> bool:
    """
    Were sales of this location ever pushed from here?
    """
    with store.reading() as connection:
        return store.outbox.dates.start_date(connection, location_id) is not None
