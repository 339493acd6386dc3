"""
Status of the sales: overdue dates, held dates, clock and configuration problems.
"""

from datetime import date, datetime, timedelta

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.stores import LocationStore

from ._clock_check import RELEASED, ClockProblem
from ._due_dates import HeldDates
from ._ledger import SalesLedger
from ._profile_check import ProfileCheck
from ._silence import Silence
from ._store_age import RestoredStore, StoreAge


# A push that takes its time, or is tried again, is not late yet.
LATE_AFTER = timedelta(hours=1)


@attrs.frozen(kw_only=True)
class SalesStatus:
    """
    How it looks for the sales of one location.

    Attributes:
        overdue: Business dates that should have been pushed by now, and were
            not, or not entirely; oldest first.
        parked: Those of them that only wait for an operator's decision.
        enabled: Whether there is an order source.
        held: Past dates that are not pushed without being asked to.
        clock_problem: Why the clock can't be right.
        problem: Why nothing can be pushed as it is configured.
        restored: Why nothing is pushed, as the store was restored from a backup.
        is_fresh: Whether nothing was pushed or adopted yet.
        silence: For how long there were no sales, if that is unusual.
    """

    overdue: tuple[date, ...] = ()
    parked: tuple[date, ...] = ()
    enabled: bool = True
    held: HeldDates | None = None
    clock_problem: ClockProblem | None = None
    problem: str | None = None
    restored: RestoredStore | None = None
    is_fresh: bool = False
    silence: Silence | None = None

    @classmethod
    def of(
        cls,
        store: LocationStore,
        config: SyncConfig,
        now: datetime,
        *,
        enabled: bool,
        released: datetime = RELEASED,
        profile_check: ProfileCheck | None = None,
    ) -> "SalesStatus":
        """
        Ask *store*, and the calendar.

        Args:
            enabled: Whether there is an order source; without one, a store
                that never had sales has no status.
            profile_check: Whether pushes have the profile of before.

        Raises:
            StoreError: The store can't be read.
        """
        restored = StoreAge(store=store).restored()
        fresh = is_fresh(store)

        if not enabled and not has_sales(store):
            return cls(enabled=False, restored=restored, is_fresh=fresh)

        try:
            ledger = SalesLedger.of(store, config)
        except ConfigurationError as exc:
            return cls(problem=str(exc), enabled=enabled, restored=restored, is_fresh=fresh)

        start_date = ledger.start_date(now)
        dates = ledger.dates(start_date, now)
        overdue = tuple(dates.overdue(now, LATE_AFTER))

        return cls(
            overdue=overdue,
            parked=tuple(day for day in overdue if dates.needs_decision(day, now)),
            enabled=enabled,
            held=start_date.held,
            clock_problem=ledger.clock_problem(now, released),
            restored=restored,
            is_fresh=fresh,
            problem=None if profile_check is None else _problem(profile_check),
            # What was not pushed says nothing of the till.
            silence=None if overdue or not enabled else ledger.silence(start_date, now),
        )


def _problem(profile_check: ProfileCheck) -> str | None:
    with profile_check.store.read() as state:
        return profile_check.problem(state)


def is_fresh(store: LocationStore) -> bool:
    """
    Is nothing known of any business date?
    """
    with store.read() as state:
        return state.sales_dates.first_known() is None


def has_sales(store: LocationStore) -> bool:
    """
    Were sales of this location ever pushed from here?
    """
    with store.read() as state:
        return state.sales_dates.start().since is not None
