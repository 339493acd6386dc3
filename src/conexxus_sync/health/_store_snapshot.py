"""
Snapshot of the store for health: the last runs and all counts.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import attrs

from conexxus_client import exact_sum
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.catalogue import UnnamedElements
from conexxus_sync.model.date_reconciliation import REMEMBERED
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import BatchState
from conexxus_sync.stores import LocationStore, State


@attrs.frozen(kw_only=True)
class StoreCounts:
    """
    How much the store holds of everything.

    Attributes:
        items: In the catalogue, without those that are gone.
        quarantined_items: Set aside in the last applied pull.
        pending_changes: Sets of changes that the host has not taken yet.
        unknown_batches: Batches of sales of unknown fate that the next push
            sends again.
        parked_batches: Those that wait for an operator instead.
        parked_sales: How many transactions are in these.
        parked_total: What these come to.
        quarantined_sales: Transactions that were set aside.
        refused_changes: Why nothing was taken back, of dates of which too
            much changed at once.
        discrepancies: Delivered transactions that changed or disappeared.
        differing_dates: What differs between till and back office, of the
            business dates of the last week that were reconciled.
        mismatched_sales: Transactions whose lines do not add up to their
            total; a tax-free sum of lines is normal.
    """

    items: int = 0
    quarantined_items: int = 0
    pending_changes: int = 0
    unknown_batches: int = 0
    parked_batches: int = 0
    parked_sales: int = 0
    parked_total: Decimal = Decimal()
    quarantined_sales: int = 0
    refused_changes: Mapping[date, str] = attrs.field(factory=dict)
    discrepancies: int = 0
    mismatched_sales: int = 0
    differing_dates: Mapping[date, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class StoreSnapshot:
    """
    The last runs and the counts of one location.

    Attributes:
        failed_push: The last push, as long as what went wrong in it is not
            resolved.
        quarantined_in_push: How many sales of its date are in quarantine.
        last_call: The last call to the back office that a process recorded.
        unnamed: Elements of the catalogue without a readable SKU, and how many
            removals wait for them.
    """

    latest_pull: SyncRun | None = None
    latest_push: SyncRun | None = None
    failed_push: SyncRun | None = None
    quarantined_in_push: int = 0
    last_call: ApiConnection | None = None
    unnamed: UnnamedElements | None = None
    counts: StoreCounts = attrs.field(factory=StoreCounts)

    @classmethod
    def of(cls, store: LocationStore, now: datetime) -> "StoreSnapshot":
        """
        Ask *store*.

        Raises:
            StoreError: It can't be read.
        """
        with store.snapshot() as state:
            push = state.runs.latest(RunKind.SALES)
            troubled = None if push is None or _is_resolved(state, push) else push
            pushing = store.leases.holder(RunKind.SALES.value, now) is not None

            return cls(
                latest_pull=state.runs.latest(RunKind.INVENTORY),
                latest_push=push,
                failed_push=troubled,
                quarantined_in_push=_quarantined(state, troubled),
                last_call=state.api_calls.last(),
                unnamed=state.mirror.unnamed(),
                counts=_counts(state, now, pushing=pushing),
            )


def _quarantined(state: State, push: SyncRun | None) -> int:
    if push is None:
        return 0

    return state.sales_quarantine.size(push.business_date)


def _is_resolved(state: State, push: SyncRun) -> bool:
    """
    Did all of *push* go well, or is nothing left of what did not?

    A later push without anything to send records no run, but a visit.
    """
    day = push.business_date

    if push.status is RunStatus.SUCCESS:
        return True
    if day is None or push.end_time is None:
        return False

    visit = state.sales_dates.visit(day)
    is_over = state.sales_dates.closed(day) is not None or (
        visit.at is not None and visit.at > push.end_time
    )

    return is_over and not (
        state.outbox.open_transactions(day, parked=True)
        or state.sales_quarantine.size(day)
        or state.sales_quarantine.discrepancy_count(day)
    )


def _counts(state: State, now: datetime, *, pushing: bool) -> StoreCounts:
    mirror, parked = state.mirror.counts(), state.outbox.parked()

    return StoreCounts(
        items=mirror.present,
        quarantined_items=mirror.quarantined,
        pending_changes=mirror.pending,
        unknown_batches=_unknown(state, pushing=pushing)
        - sum(batch.state is BatchState.UNKNOWN for batch in parked),
        parked_batches=len(parked),
        parked_sales=sum(batch.transactions for batch in parked),
        parked_total=exact_sum(batch.total for batch in parked),
        quarantined_sales=state.sales_quarantine.size(),
        refused_changes=state.sales_dates.refused_changes(),
        discrepancies=state.sales_quarantine.discrepancy_count(),
        mismatched_sales=state.outbox.mismatched(),
        differing_dates={
            day: one.difference
            for day, one in state.reconciliations.since(now.date() - REMEMBERED).items()
            if one.difference is not None
        },
    )


def _unknown(state: State, *, pushing: bool) -> int:
    """
    How many batches the back office may have without our knowing.
    """
    batches = state.outbox.counts()
    unknown, sending = (batches.get(it, 0) for it in (BatchState.UNKNOWN, BatchState.SENDING))

    # A process that died leaves a batch like this: nothing sends it now.
    return unknown if pushing else unknown + sending
