"""
Alert rules: which alerts are active for a snapshot, and their texts. Pure functions.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import attrs

from conexxus_sync.model.alerts import Alert, AlertName
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.formatting import counted, money
from conexxus_sync.model.runs import IssueKind, RunStatus, SyncRun
from conexxus_sync.sales import HangingSource, SalesStatus

from ._store_snapshot import StoreCounts, StoreSnapshot


# The guide's: more than this share of what a run looked at went wrong.
MAX_FAILED = 0.1
# Likewise: no pull for so long, or in two of its turns.
STALE_AFTER = timedelta(hours=2)

# What errors of a call say.
_CALL_FAILED = "Conexxus API "


def stale_after(interval: timedelta) -> timedelta:
    """
    How long no pull is no wonder yet.
    """
    return max(STALE_AFTER, 2 * interval)


@attrs.frozen(kw_only=True)
class HealthInputs:
    """
    All that is known at one moment.

    Attributes:
        missing: Settings without which there is no integration.
        api: How the last call went; None before the first of this process.
        watched_since: From when on somebody could have pulled.
        hanging: The order source, if it does not return.
        stale_after: See `stale_after`.
    """

    now: datetime
    snapshot: StoreSnapshot
    sales_status: SalesStatus
    missing: tuple[str, ...] = ()
    api: ApiConnection | None = None
    watched_since: datetime
    hanging: HangingSource | None = None
    stale_after: timedelta = STALE_AFTER

    @property
    def run_statuses(self) -> frozenset[RunStatus | None]:
        """
        How the last pull ended, and the last push unless it was mended since.
        """
        runs = (self.snapshot.latest_pull, self.snapshot.failed_push)
        return frozenset(run.status for run in runs if run is not None)

    @property
    def is_stale(self) -> bool:
        """
        Should there have been a pull since?
        """
        latest = self.snapshot.latest_pull
        last = self.watched_since if latest is None else latest.end_time

        if latest is not None and latest.not_before is not None:
            last = latest.not_before

        return last is not None and self.now - last > self.stale_after

    def alerts(self) -> tuple[Alert, ...]:
        """
        All that hold, gravest first.
        """
        order = list(AlertName)
        found = [*self._service(), *self._catalogue(), *self._sales()]

        caused = [attrs.evolve(alert, caused_by=self._cause_of(alert.name)) for alert in found]

        return tuple(sorted(caused, key=lambda alert: order.index(alert.name)))

    def _cause_of(self, name: AlertName) -> AlertName | None:
        """
        The alert that explains *name*; None if it stands for itself.
        """
        if name is AlertName.DATE_OVERDUE and (cause := self._cause_of_delay()):
            return cause

        snapshot = self.snapshot
        is_of_back_office = {
            AlertName.DATE_OVERDUE: True,
            AlertName.DELIVERY_UNKNOWN: True,
            AlertName.SYNC_STALE: True,
            AlertName.SYNC_FAILED: _failed_at_call(snapshot.latest_pull),
            AlertName.PUSH_FAILED: _failed_at_call(snapshot.failed_push),
        }
        is_down = self.api is not None and not self.api.reached and not self.missing

        return AlertName.API_DOWN if is_down and is_of_back_office.get(name) else None

    def _cause_of_delay(self) -> AlertName | None:
        """
        Why dates are overdue, if it is not the back office.
        """
        sales_status = self.sales_status
        causes = {
            AlertName.MISCONFIGURED: sales_status.problem is not None,
            AlertName.CLOCK_DOUBTED: sales_status.clock_problem is not None,
            AlertName.SALES_HELD: sales_status.restored is not None,
            AlertName.ORDERS_HANG: self.hanging is not None,
            AlertName.SALES_PARKED: bool(self.snapshot.counts.parked_batches)
            and sales_status.parked == sales_status.overdue,
        }

        return next((name for name, holds in causes.items() if holds), None)

    def _service(self) -> Iterator[Alert]:
        for missing in self.missing:
            yield Alert(name=AlertName.NOT_CONFIGURED, message=missing)

        if self.api is not None and not self.api.reached and not self.missing:
            yield Alert(
                name=AlertName.API_DOWN,
                message=f"No good answer from the back office: {self.api.error}",
                advice="`conexxus doctor` says more; sales are kept and sent later.",
            )

        yield from _error_rate(self.snapshot)

    def _catalogue(self) -> Iterator[Alert]:
        latest, counts = self.snapshot.latest_pull, self.snapshot.counts

        if latest is not None and latest.refused is not None:
            yield Alert(
                name=AlertName.CATALOG_REFUSED,
                message=f"The last catalogue was refused: {latest.refused}",
            )
        elif latest is not None and latest.status is RunStatus.FAILED:
            yield Alert(
                name=AlertName.SYNC_FAILED,
                message=f"The last pull failed: {latest.last_error}",
                advice=_pull_advice(latest),
            )

        if self.is_stale and not self.missing:
            last = None if latest is None else latest.end_time
            since = "yet" if last is None else f"since {last:%Y-%m-%d %H:%M} UTC"
            yield Alert(
                name=AlertName.SYNC_STALE,
                message=f"The catalogue was not pulled {since}.",
                advice="Is `conexxus run` running?",
            )

        if (unnamed := self.snapshot.unnamed) is not None and unnamed.waiting:
            absent = counted(unnamed.waiting, "absent item")
            stay = "stays" if unnamed.waiting == 1 else "stay"
            yield Alert(
                name=AlertName.REMOVALS_WAIT,
                message=f"{absent} {stay} in force: {unnamed.reason}.",
                advice="See `conexxus quarantine list`.",
            )

        yield from _catalogue_counts(counts)

    def _sales(self) -> Iterator[Alert]:
        troubled, sales_status = self.snapshot.failed_push, self.sales_status

        if sales_status.overdue and not self.missing:
            yield _overdue(sales_status, self.hanging)
        if self.hanging is not None:
            yield Alert(
                name=AlertName.ORDERS_HANG,
                message=str(self.hanging),
                advice="Find out what it waits for, or restart the process: no sale is lost.",
            )
        if sales_status.problem is not None:
            yield Alert(name=AlertName.MISCONFIGURED, message=sales_status.problem)
        if sales_status.clock_problem is not None:
            yield Alert(name=AlertName.CLOCK_DOUBTED, message=f"{sales_status.clock_problem}.")
        if sales_status.silence is not None and not self.missing:
            yield Alert(
                name=AlertName.SALES_SILENT,
                message=str(sales_status.silence),
                advice="If the shop was open, see whether the order source returns its sales.",
            )
        if sales_status.restored is not None:
            yield Alert(name=AlertName.SALES_HELD, message=f"{sales_status.restored}.")
        elif sales_status.held is not None:
            yield Alert(name=AlertName.SALES_HELD, message=f"{sales_status.held}.")
        if troubled is not None and troubled.status is RunStatus.FAILED:
            message = f"The last push, of {troubled.business_date}, failed: {troubled.last_error}"
            yield Alert(name=AlertName.PUSH_FAILED, message=message)

        yield from _sales_counts(self.snapshot.counts)


def _failed_at_call(run: SyncRun | None) -> bool:
    """
    Did *run* fail because a call of the back office did?
    """
    if run is None or run.refused or any(it.kind is IssueKind.HOST for it in run.errors):
        return False

    said = run.last_error or ""

    return run.retry_at is not None or run.delivery_unknown or _CALL_FAILED in said


def _pull_advice(failed: SyncRun) -> str:
    again = "the next pull tries again"

    if failed.not_before is not None:
        again += f", after {failed.not_before:%Y-%m-%d %H:%M} UTC, as the back office asked"

    return f"The catalogue is as it was; {again}."


def _overdue(sales_status: SalesStatus, hanging: HangingSource | None) -> Alert:
    dates = sales_status.overdue
    named = ", ".join(str(day) for day in dates[:3])
    more = f" and {len(dates) - 3} more" if len(dates) > 3 else ""

    return Alert(
        name=AlertName.DATE_OVERDUE,
        message=f"Sales of {named}{more} should be at the back office by now, and are not.",
        advice=_overdue_advice(sales_status, hanging),
    )


def _overdue_advice(sales_status: SalesStatus, hanging: HangingSource | None) -> str:
    """
    Of dates that are overdue.
    """
    if sales_status.parked == sales_status.overdue:
        return "Nothing is lost: they are parked until you decide. See `conexxus outbox list`."
    if not sales_status.enabled:
        return (
            "Nothing is lost, but without an order source, nothing is pushed from here. "
            "See `conexxus outbox dates`."
        )

    again = "they are tried again"
    if sales_status.clock_problem is not None:
        again = "they are pushed when the clock can be believed"
    elif hanging is not None:
        again = "they wait for the order source, which does not return"
    if sales_status.parked:
        again += ", or are parked until you decide"

    return f"Nothing is lost: {again}. See `conexxus outbox dates`."


def _error_rate(snapshot: StoreSnapshot) -> Iterator[Alert]:
    pull, push, counts = snapshot.latest_pull, snapshot.failed_push, snapshot.counts

    # A catalogue that is still the same is still as bad.
    if pull is not None and pull.not_modified:
        failed = counts.quarantined_items
        yield from _too_many(failed, counts.items + failed, "items of the last pull failed")
    elif pull is not None:
        yield from _too_many(
            pull.items_failed, pull.items_processed, "items of the last pull failed"
        )

    # What waits, or is parked, has alerts of its own.
    if push is not None:
        quarantined = min(push.items_failed, snapshot.quarantined_in_push)
        yield from _too_many(
            quarantined, push.items_processed, "sales of the last push were set aside"
        )


def _too_many(failed: int, processed: int, what: str) -> Iterator[Alert]:
    if failed > processed * MAX_FAILED:
        yield Alert(
            name=AlertName.ERROR_RATE,
            message=f"{failed:,} of {processed:,} {what}.",
            advice="See `conexxus quarantine list`.",
        )


def _catalogue_counts(counts: StoreCounts) -> Iterator[Alert]:
    if counts.quarantined_items:
        yield Alert(
            name=AlertName.ITEMS_SET_ASIDE,
            message=f"{counted(counts.quarantined_items, 'item')} set aside:",
            advice="see `conexxus quarantine list`.",
        )

    if counts.pending_changes:
        waiting = counted(counts.pending_changes, "set")
        yield Alert(
            name=AlertName.CHANGES_PENDING,
            message=f"{waiting} of changes not yet taken by the host's catalogue storage.",
        )


def _sales_counts(counts: StoreCounts) -> Iterator[Alert]:
    if counts.parked_batches:
        yield _parked(counts)

    if counts.unknown_batches:
        batches = counted(counts.unknown_batches, "batch", "batches")
        yield Alert(
            name=AlertName.DELIVERY_UNKNOWN,
            message=(
                f"{batches} of sales of unknown fate: the next push sends them again under the "
                "same key, where that is safe."
            ),
            advice="See `conexxus outbox list`.",
        )

    if counts.quarantined_sales:
        yield Alert(
            name=AlertName.SALES_SET_ASIDE,
            message=f"{counted(counts.quarantined_sales, 'sale')} set aside:",
            advice="see `conexxus quarantine list`.",
        )

    if counts.refused_changes:
        yield _changes_refused(counts)

    if counts.differing_dates:
        yield _books_differ(counts)

    if counts.discrepancies:
        yield Alert(
            name=AlertName.DISCREPANCY,
            message=(
                f"{counted(counts.discrepancies, 'delivered sale')} changed or gone at the till "
                "since:"
            ),
            advice="see the errors in `conexxus runs --kind sales --json`.",
        )


def _changes_refused(counts: StoreCounts) -> Alert:
    day, why = next(iter(counts.refused_changes.items()))
    more = len(counts.refused_changes) - 1
    others = f" So it is with {counted(more, 'other date')}." if more else ""

    return Alert(
        name=AlertName.CHANGES_REFUSED,
        message=f"Nothing of the sales of {day} was taken back: {why}.{others}",
        advice=(
            f"If the till is right: `conexxus push --orders ORDERS --date {day} --accept-changes`."
        ),
    )


def _books_differ(counts: StoreCounts) -> Alert:
    day, difference = next(iter(counts.differing_dates.items()))
    more = len(counts.differing_dates) - 1
    others = f" So does {counted(more, 'other date')}." if more else ""

    return Alert(
        name=AlertName.BOOKS_DIFFER,
        message=f"Till and back office differ on {day}: {difference}.{others}",
        advice=f"See `conexxus reconcile --orders ORDERS --date {day}`.",
    )


def _parked(counts: StoreCounts) -> Alert:
    batches = counted(counts.parked_batches, "batch", "batches")
    sales = counted(counts.parked_sales, "sale")
    wait = "waits" if counts.parked_batches == 1 else "wait"

    return Alert(
        name=AlertName.SALES_PARKED,
        message=(
            f"{batches} of sales ({sales}, {money(counts.parked_total)}) {wait} for your decision: "
            "it is unknown whether the back office has them."
        ),
        advice=(
            "Ask it; then see `conexxus outbox list`, and "
            "`conexxus outbox resolve KEY --delivered`, or --not-delivered."
        ),
    )
