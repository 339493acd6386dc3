"""
Gauges that are read from the store at each scrape.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import attrs

from conexxus_client import ConexxusError, __version__, exact_sum
from conexxus_sync.health._health import ServiceHealth, ServiceState
from conexxus_sync.model.alerts import SEVERITIES
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import BatchState, DateTotals
from conexxus_sync.protocols import Clock
from conexxus_sync.service import ConexxusService
from conexxus_sync.stores import State

from . import _families as families
from ._families import Family


# The family, the values of its labels, and the number.
Sample = tuple[Family, tuple[str, ...], float]

# What the sums of sales look back over.
WINDOW = timedelta(days=7)

# To add up a week of a large store takes a tenth of a second, so it is done
# when something was delivered; what an operator adopts shows after this time.
SUMS_ARE_KEPT = timedelta(minutes=5)

_log = logging.getLogger(__name__)


@attrs.frozen
class Gauges:
    """
    Reads one service.
    """

    service: ConexxusService
    clock: Clock
    _sums: "_SalesTotals" = attrs.field(factory=lambda: _SalesTotals(), init=False)

    def samples(self) -> Iterator[Sample]:
        """
        All of them; what can't be read is left out, and never raises.
        """
        health = self.service.health()
        yield from _of_health(health)
        # What could not be read a moment ago would only be waited for again.
        stored = () if health.counts is None else self._stored()

        yield families.STORE_READABLE, (), float(bool(stored))
        yield from stored

    def _stored(self) -> tuple[Sample, ...]:
        try:
            return tuple(self._of_store())
        except ConexxusError:
            # An alert says so, and why; not the log, at every scrape.
            return ()
        except Exception:  # noqa: BLE001  # a scrape gets an answer, whatever is wrong
            _log.warning("The metrics can't be read from the store", exc_info=True)
            return ()

    def _of_store(self) -> Iterator[Sample]:
        store, now = self.service.store, self.clock.now()

        with store.snapshot() as state:
            for kind in RunKind:
                holder = store.leases.holder(kind.value, now)
                yield families.IN_PROGRESS, (kind,), float(holder is not None)
                yield from _of_runs(state, kind)

            look = state.shadow_looks.latest() if self.service.config.shadow else None
            if look is not None and look.problem is None:
                yield families.SHADOW_DIFFERENCES, (), look.differences

            batches = state.outbox.counts()
            for batch_state in BatchState:
                yield families.OUTBOX, (batch_state,), batches.get(batch_state, 0)

            yield from _of_sales(self._sums.read(state, now, batches))


@attrs.define
class _SalesTotals:
    """
    What the last business dates came to, as long as nothing was delivered since.
    """

    _batches: dict[BatchState, int] = attrs.field(factory=dict, init=False)
    _since: date = attrs.field(default=date.min, init=False)
    _read_at: datetime | None = attrs.field(default=None, init=False)
    _days: list[DateTotals] = attrs.field(factory=list, init=False)

    def read(
        self,
        state: State,
        now: datetime,
        batches: dict[BatchState, int],
    ) -> list[DateTotals]:
        """
        The dates of the window, oldest first.
        """
        since = now.date() - WINDOW
        asked_again = (batches, since) == (self._batches, self._since)
        age = None if self._read_at is None else now - self._read_at

        if not asked_again or age is None or not timedelta() <= age < SUMS_ARE_KEPT:
            self._days = state.outbox.date_totals(since)
            self._batches, self._since, self._read_at = batches, since, now

        return self._days


def _of_health(health: ServiceHealth) -> Iterator[Sample]:

    active = {alert.name: alert.caused_by or "" for alert in health.alerts}

    for name, severity in SEVERITIES.items():
        yield families.ALERT, (name, severity), float(name in active)
        yield families.ALERT_CAUSE, (name, cause := active.get(name, "")), float(bool(cause))

    for state in ServiceState:
        yield families.STATE, (state,), float(state is health.state)

    if health.api is not None:
        yield families.API_UP, (), float(health.api.reached)
        yield families.API_CHECKED, (), health.api.checked_at.timestamp()

    yield families.OVERDUE, (), len(health.sales.overdue)

    if health.sales.overdue:
        yield families.OLDEST_OVERDUE, (), _midnight(min(health.sales.overdue))

    yield families.BUILD, (__version__,), 1.0

    if (counts := health.counts) is not None:
        yield families.ITEMS, (), counts.items
        yield families.HOST_PENDING, (), counts.pending_changes
        yield families.QUARANTINED, (RunKind.INVENTORY,), counts.quarantined_items
        yield families.QUARANTINED, (RunKind.SALES,), counts.quarantined_sales
        yield families.DISCREPANCIES, (), counts.discrepancies
        yield families.MISMATCHED, (), counts.mismatched_sales


def _of_runs(state: State, kind: RunKind) -> Iterator[Sample]:
    latest = state.runs.latest(kind)

    if latest is None:
        return
    if latest.end_time is not None and latest.duration is not None:
        yield families.LAST_RUN, (kind,), latest.end_time.timestamp()
        yield families.LAST_DURATION, (kind,), latest.duration.total_seconds()

    for outcome, count in _outcomes(latest).items():
        yield families.LAST_ITEMS, (kind, outcome), count

    failed = latest.status is RunStatus.FAILED
    good = state.runs.latest(kind, failed=False) if failed else latest

    if good is not None and good.end_time is not None:
        yield families.LAST_SUCCESS, (kind,), good.end_time.timestamp()


def _outcomes(run: SyncRun) -> dict[str, int]:
    outcomes = {
        "processed": run.items_processed,
        "succeeded": run.items_succeeded,
        "failed": run.items_failed,
    }

    if run.kind is RunKind.INVENTORY:
        outcomes |= {
            "created": run.created,
            "updated": run.updated,
            "unchanged": run.unchanged,
            "removed": run.removed,
        }

    return outcomes


def _of_sales(sums: list[DateTotals]) -> Iterator[Sample]:
    # A float holds every amount below 90 trillion to the cent, and is made
    # from the exact sum: money is added up as `Decimal`.
    yield families.DELIVERED, (), sum(day.delivered for day in sums)
    yield families.DELIVERED_AMOUNT, (), float(exact_sum(day.total for day in sums))

    latest = next((day for day in reversed(sums) if day.delivered), None)

    if latest is not None:
        yield families.DATE, (), _midnight(latest.business_date)
        yield families.DATE_TRANSACTIONS, (), latest.delivered
        yield families.DATE_AMOUNT, (), float(latest.total)


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()
