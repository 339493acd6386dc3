"""
The JSON documents of health, alerts, quarantine and batches.
"""

from datetime import date
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from conexxus_sync.health._health import ServiceHealth, ServiceState, ServiceStatus
from conexxus_sync.health._store_snapshot import StoreCounts
from conexxus_sync.model import alerts
from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.date_reconciliation import DateReconciliation, ReconciledAmount
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import Batch as StoredBatch
from conexxus_sync.model.sales import BatchState, QuarantinedTransaction
from conexxus_sync.sales import Reconciliation

from .run_document import Amount, Count, Document, Milliseconds, Moment, milliseconds


class Alert(Document, frozen=True):
    """
    One alert; its name is that of its runbook.
    """

    name: alerts.AlertName
    severity: alerts.Severity
    message: str
    advice: str
    caused_by: Annotated[
        alerts.AlertName | None,
        Meta(description="The alert of which this one is a consequence; null if it is none."),
    ]


class SalesHealth(Document, frozen=True):
    """
    How the sales are.
    """

    enabled: bool
    last_push_time: Moment | None
    last_push_status: RunStatus | None
    last_error: str | None
    overdue: list[date]
    alerts: list[Alert]


class Health(Document, frozen=True, kw_only=True):
    """
    How the integration is.
    """

    status: ServiceStatus
    is_healthy: bool
    last_sync_time: Moment | None
    last_sync_status: RunStatus | None
    last_error: str | None
    api_connection: Annotated[
        bool | None,
        Meta(description="Whether the last call reached the back office; null before the first."),
    ]
    alerts: list[Alert]
    sales: SalesHealth
    state: ServiceState
    api_checked_at: Moment | None
    api_latency: Milliseconds | None


class LocatedHealth(Health, frozen=True):
    """
    How the integration of one location is.
    """

    # Not a keyword, so that it comes first.
    location_id: str


class Status(LocatedHealth, frozen=True, kw_only=True):
    """
    What `conexxus status` says: the health, and how much there is of everything.
    """

    items: Count
    quarantined: Count
    quarantined_sales: Count
    unknown_batches: Count
    parked_batches: Count
    discrepancies: Count
    mismatched_sales: Count


class ItemAside(Document, frozen=True):
    """
    An item that was set aside.
    """

    kind: Literal["item"]
    item: Annotated[str, Meta(description="The SKU, or a fingerprint of what has none.")]
    reason: str
    path: str
    first_seen: Moment
    last_seen: Moment
    times_seen: Count
    run_id: str
    page: Count | None
    raw: Annotated[str, Meta(description="The JSON text as it was received, or its beginning.")]
    detail: Annotated[str | UnsetType, Meta(description="Which rule is broken.")] = UNSET


class SaleAside(Document, frozen=True):
    """
    A sale that was set aside.
    """

    kind: Literal["transaction"]
    item: Annotated[str, Meta(description="The id of the transaction.")]
    business_date: date
    reason: str
    first_seen: Moment
    raw: Annotated[
        str, Meta(description="The JSON text as the till returned it, or its beginning.")
    ]


class Batch(Document, frozen=True, kw_only=True):
    """
    A batch of sales.
    """

    key: Annotated[str, Meta(description="Under which it is sent, however often.")]
    location_id: str
    business_date: date
    state: BatchState
    transactions: Count
    total: Amount
    attempts: Count
    frozen_at: Moment
    sent_at: Moment | None
    unknown_since: Moment | None
    settled_at: Moment | None
    parked: str | None
    answer: str | None
    parent: str | None


class BatchAndSales(Batch, frozen=True, kw_only=True):
    """
    A batch, and the ids of the sales in it.
    """

    transaction_ids: list[str]


class ReconciledDate(Document, frozen=True, kw_only=True):
    """
    One business date at till and back office.
    """

    business_date: date
    delivered: Count
    total: Amount
    waiting: Count
    set_aside: Count
    contradicted: Count
    till: Count | UnsetType = UNSET
    till_total: Amount | UnsetType = UNSET
    agrees: bool


class ReconciledFigure(Document, frozen=True, kw_only=True):
    """
    One figure of a business date, as each side has it.
    """

    measure: str
    name: str | UnsetType = UNSET
    till: Amount | UnsetType = UNSET
    sent: Amount
    accepted: Amount
    set_aside: Amount
    back_office: Amount | UnsetType = UNSET
    difference: Amount
    agrees: bool


class WrongBooking(Document, frozen=True, kw_only=True):
    """
    A sale that the back office's books have otherwise than it was sent.
    """

    kind: str
    id: str
    total: Amount
    times: Count
    date: Date
    booked_on: Date | UnsetType = UNSET


class ReconciledDay(Document, frozen=True, kw_only=True):
    """
    A business date by register, tender and tax.
    """

    business_date: date
    location_id: str
    agrees: bool
    rows: list[ReconciledFigure]
    findings: list[WrongBooking]
    remarks: list[str]


def health_document(health: ServiceHealth) -> Health:
    """
    *health* with exactly the documented keys.
    """
    sales, api = health.sales, health.api

    return Health.of(
        health,
        alerts=[*map(Alert.of, health.alerts)],
        sales=SalesHealth.of(
            sales, overdue=[*sales.overdue], alerts=[*map(Alert.of, sales.alerts)]
        ),
        api_checked_at=None if api is None else api.checked_at,
        api_latency=milliseconds(None if api is None else api.latency),
    )


def status_document(location_id: str, health: ServiceHealth) -> Status:
    """
    *health*, and how much there is of everything.
    """
    counts = health.counts or StoreCounts()

    return Status.of(
        health_document(health),
        location_id=location_id,
        quarantined=counts.quarantined_items + counts.quarantined_sales,
        items=counts.items,
        quarantined_sales=counts.quarantined_sales,
        unknown_batches=counts.unknown_batches,
        parked_batches=counts.parked_batches,
        discrepancies=counts.discrepancies,
        mismatched_sales=counts.mismatched_sales,
    )


def item_document(entry: QuarantinedItem) -> ItemAside:
    """
    An item that was set aside.
    """
    raw = entry.raw.decode(errors="replace")

    return ItemAside.of(entry, kind="item", item=entry.key, raw=raw)


def sale_document(entry: QuarantinedTransaction) -> SaleAside:
    """
    A sale that was set aside.
    """
    raw = entry.raw.decode(errors="replace")

    return SaleAside.of(
        entry, kind="transaction", item=entry.id, first_seen=entry.quarantined_at, raw=raw
    )


def batch_document(batch: StoredBatch) -> Batch:
    """
    A batch of sales.
    """
    return Batch.of(batch)


def reconciled_document(found: Reconciliation) -> ReconciledDate:
    """
    One business date at till and back office.
    """
    sums = found.sums

    return ReconciledDate.of(
        sums,
        total=str(sums.total),
        set_aside=sums.quarantined,
        contradicted=sums.discrepancies,
        till=found.till_count,
        till_total=None if found.till_total is None else str(found.till_total),
        agrees=found.agrees,
    )


def reconciliation_document(found: DateReconciliation) -> ReconciledDay:
    """
    A business date by register, tender and tax.
    """
    return ReconciledDay.of(
        found,
        rows=[*map(_figure_document, found.rows)],
        findings=[WrongBooking.of(one, total=format(one.total, "f")) for one in found.findings],
        remarks=[*found.remarks],
        agrees=found.agrees,
    )


def _figure_document(row: ReconciledAmount) -> ReconciledFigure:
    return ReconciledFigure.of(
        row,
        till=_amount_text(row.till),
        sent=_amount_text(row.sent),
        accepted=_amount_text(row.accepted),
        set_aside=_amount_text(row.set_aside),
        back_office=_amount_text(row.back_office),
        difference=_amount_text(row.difference),
        agrees=row.agrees,
    )


def _amount_text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
