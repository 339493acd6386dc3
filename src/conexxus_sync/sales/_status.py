"""
What keeps sales from being pushed by themselves, and what is late.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.stores._protocols import SyncStore

from ._clock_check import RELEASED, ClockDoubt
from ._due_dates import HeldDates
from ._ledger import Agenda


# A push that takes its time, or is tried again, is not late yet.
LATE_AFTER = timedelta(hours=1)


@attrs.frozen(kw_only=True)
class SalesOutlook:
    """
    How it looks for the sales of one location.

    Attributes:
        overdue: Business dates that should have been pushed by now, and were
            not, or not entirely; oldest first.
        parked: Those of them that only wait for an operator's word.
        enabled: Whether there is an order source.
        held: Past dates that are not pushed without being asked to.
        doubt: Why the clock can't be believed.
        problem: Why nothing can be pushed as it is configured.
    """

    overdue: tuple[date, ...] = ()
    parked: tuple[date, ...] = ()
    enabled: bool = True
    held: HeldDates | None = None
    doubt: ClockDoubt | None = None
    problem: str | None = None

    @classmethod
    def of(
        cls,
        store: SyncStore,
        config: SyncConfig,
        now: datetime,
        *,
        enabled: bool,
        released: datetime = RELEASED,
    ) -> "SalesOutlook":
        """
        Ask *store*, and the calendar.

        Args:
            enabled: Whether there is an order source; without one, a store
                that never had sales has no outlook.

        Raises:
            StoreError: The store can't be read.
        """
        if not enabled and not has_sales(store, config.location_id):
            return cls(enabled=False)

        try:
            # Late transactions make nothing overdue.
            agenda = Agenda.of(store, config, lookback_days=0)
        except ConfigurationError as exc:
            return cls(problem=str(exc), enabled=enabled)

        floor = agenda.floor(now)
        dates = agenda.dates(floor)
        overdue = tuple(dates.overdue(now, LATE_AFTER))

        return cls(
            overdue=overdue,
            parked=tuple(day for day in overdue if dates.needs_a_word(day, now)),
            enabled=enabled,
            held=floor.held,
            doubt=agenda.doubt(now, released),
        )


def has_sales(store: SyncStore, location_id: str) -> bool:
    """
    Were sales of this location ever pushed from here?
    """
    with store.reading() as connection:
        return store.outbox.dates.floor(connection, location_id) is not None
