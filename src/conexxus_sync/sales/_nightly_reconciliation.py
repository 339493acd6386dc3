"""
Reconciles the business dates that are over, and keeps what came of it.
"""

from collections.abc import Callable
from datetime import date, datetime

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar, plain_date
from conexxus_sync.model.date_reconciliation import REMEMBERED, DateReconciliation
from conexxus_sync.runtime.run_logging import safe_logger

from ._date_reconciler import DateReconciler
from ._ledger import SalesLedger


_log = safe_logger(__name__)


@attrs.frozen(kw_only=True)
class NightlyReconciliation:
    """
    Compares each business date once it is over, and again while it differs.

    Attributes:
        reconciler: Makes what compares a date.
    """

    context: EngineContext
    reconciler: Callable[[date], DateReconciler]

    def keep(self, found: DateReconciliation) -> None:
        """
        Record what came of a date that is over, if all sides were compared; or
        that they differ.

        Raises:
            StoreError: The store can't be used.
        """
        now = self.context.clock.now()

        try:
            calendar = SalesLedger.of(self.context.store, self.context.config).calendar
        except ConfigurationError:
            return

        is_over = end_of_day(calendar, found.business_date) <= now
        if is_over and (found.is_complete or not found.agrees):
            with self.context.store.write() as state:
                state.reconciliations.record(found, now)

    def due(self, now: datetime) -> list[date]:
        """
        The dates that were looked at after their end, and not reconciled since.

        One with batches that wait, or are parked, has its turn when they are
        settled.
        """
        store = self.context.store
        calendar = SalesLedger.of(store, self.context.config).calendar
        first = calendar.business_date(now) - REMEMBERED

        with store.read() as state:
            compared = state.reconciliations.since(first)
            visits = state.sales_dates.visits(first)

            return [
                day
                for day, visit in sorted(visits.items())
                if visit.closed is None
                and visit.at is not None
                and end_of_day(calendar, day) <= visit.at <= now
                and (day not in compared or compared[day].is_outdated(visit.at))
                and not state.outbox.open_transactions(day, parked=True)
            ]

    def run(self, now: datetime) -> None:
        """
        Reconcile what is due; what fails is tried again after the next push.
        """
        try:
            for day in self.due(now):
                self._try(day)
        except ConexxusError as exc:
            _log.warning("Conexxus sales were not reconciled: %s", exc)

    def _try(self, day: date) -> None:
        """
        Reconcile one date; if the order source fails, the others have their turn.
        """
        try:
            self.reconcile(day)
        except HostError as exc:
            _log.warning("Conexxus sales were not reconciled: %s", exc)

    def reconcile(self, business_date: date) -> DateReconciliation:
        """
        Compare one date, and keep what came of it.

        Raises:
            HostError: The order source raised.
            StoreError: The store can't be used.
        """
        found = self.reconciler(plain_date(business_date)).reconcile()
        self.keep(found)
        if found.difference is not None:
            _log.warning("Conexxus sales differ: %s", found.difference)

        return found


def end_of_day(calendar: StoreCalendar, day: date) -> datetime:
    """
    From when on a visit of *day* finds all that was sold on it.
    """
    return max(calendar.push_moment(day), calendar.tail_moment(day))
