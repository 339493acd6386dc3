"""
Reads the data of daily reports from the store.
"""

from datetime import date, datetime, tzinfo

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.model.runs import RunKind
from conexxus_sync.model.sales import OPEN_STATES, Batch, BatchState, DateTotals
from conexxus_sync.sales import SalesPush
from conexxus_sync.stores import State

from ._daily_report import DailyReports, first_report_date


_SEE_OUTBOX = "they wait for you, see `conexxus outbox list`"
_SEE_QUARANTINE = "see `conexxus quarantine list`"


@attrs.frozen(kw_only=True)
class DailyReportData:
    """
    Reads the ledger of one location.
    """

    state: State
    sales: SalesPush
    zone: tzinfo
    now: datetime

    def reports(self, since: datetime) -> DailyReports | None:
        """
        The nights that may have to be reported; None where nothing can be pushed.

        Args:
            since: When notices were first sent.
        """
        try:
            ledger = self.sales.ledger
        except ConfigurationError:
            return None

        start = ledger.start_date(self.now).start
        first = first_report_date(ledger.calendar, since=since, now=self.now, start=start)

        return DailyReports(
            location_id=self.state.location,
            now=self.now,
            zone=self.zone,
            calendar=ledger.calendar,
            first=first,
            visits=self._visits(first),
            sent=self.state.notices.sent_reports(),
            missing=self.state.notices.missing,
            sums=self._sums,
            why=self._why,
            compared=self.state.reconciliations.since(first),
        )

    def _visits(self, first: date) -> dict[date, datetime]:
        """
        When each date from *first* on was last looked at; a visit in the future counts for
        nothing, nor does one of a date that takes no push any more.
        """
        visits = self.state.sales_dates.visits(first)

        return {
            day: visit.at
            for day, visit in visits.items()
            if visit.at is not None and visit.at <= self.now and visit.closed is None
        }

    def _sums(self, day: date) -> DateTotals | None:
        found = self.state.outbox.date_totals(day)

        return next((sums for sums in found if sums.business_date == day), None)

    def _why(self, day: date) -> str:
        """
        Why sales of *day* were not accepted, in plain words.
        """
        for batch in self.state.outbox.batches(OPEN_STATES):
            if batch.business_date == day:
                return _of_batch(batch)
        for sale in self.state.sales_quarantine.transactions():
            if sale.business_date == day:
                return f"{sale.reason}; {_SEE_QUARANTINE}"

        clock_problem = self.sales.clock_problem(self.now)

        return str(clock_problem) if clock_problem is not None else self._of_last_run(day)

    def _of_last_run(self, day: date) -> str:
        for run in self.state.runs.history(RunKind.SALES):
            if run.business_date == day and run.last_error:
                return run.last_error

        return "it was not tried, is `conexxus run` running?"


def _of_batch(batch: Batch) -> str:
    if batch.parked is not None:
        return f"it is unknown whether they arrived, because {batch.parked}; {_SEE_OUTBOX}"

    answer = (batch.answer or "no answer came").rstrip(".")

    if batch.state is BatchState.UNKNOWN:
        return f"no usable answer came back ({answer}); the same is sent again"

    return f"{answer}; they are sent again"
