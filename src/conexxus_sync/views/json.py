"""
The JSON documents of health, alerts, quarantine and batches.
"""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from conexxus_sync.health._health import ServiceHealth, ServiceState, ServiceStatus
from conexxus_sync.model import alerts
from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.run_json import Amount, Count, Document, Milliseconds, Moment, milliseconds
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.model.sales import Batch as StoredBatch
from conexxus_sync.model.sales import BatchState, QuarantinedTransaction


class Alert(Document, frozen=True):
    """
    One alert; its name is that of its runbook.
    """

    name: alerts.AlertName
    severity: alerts.Severity
    message: str
    advice: str


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


class Health(Document, frozen=True):
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
    raw: Annotated[str, Meta(description="The JSON text as the till told it, or its beginning.")]


class Batch(Document, frozen=True):
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


def health_to_json(health: ServiceHealth) -> dict[str, Any]:
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
    ).as_json()


def quarantined_item_to_json(entry: QuarantinedItem) -> dict[str, Any]:
    """
    An item that was set aside.
    """
    raw = entry.raw.decode(errors="replace")

    return ItemAside.of(entry, kind="item", item=entry.key, raw=raw).as_json()


def quarantined_sale_to_json(entry: QuarantinedTransaction) -> dict[str, Any]:
    """
    A sale that was set aside.
    """
    raw = entry.raw.decode(errors="replace")

    return SaleAside.of(
        entry, kind="transaction", item=entry.id, first_seen=entry.quarantined_at, raw=raw
    ).as_json()


def batch_to_json(batch: StoredBatch) -> dict[str, Any]:
    """
    A batch of sales.
    """
    return Batch.of(batch).as_json()
