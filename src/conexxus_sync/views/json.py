"""
The JSON documents of health, alerts, quarantine and batches.
"""

from datetime import datetime, timedelta
from typing import Any

from conexxus_sync.health._health import ServiceHealth
from conexxus_sync.model.alerts import Alert
from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.run_json import moment_to_json
from conexxus_sync.model.sales import Batch, QuarantinedTransaction


def health_to_json(health: ServiceHealth) -> dict[str, Any]:
    """
    *health* with exactly the documented keys.
    """
    sales, api = health.sales, health.api

    return {
        "status": health.status,
        "isHealthy": health.is_healthy,
        "lastSyncTime": _moment_or_none(health.last_sync_time),
        "lastSyncStatus": health.last_sync_status and health.last_sync_status.value,
        "lastError": health.last_error,
        "apiConnection": health.api_connection,
        "alerts": [alert_to_json(alert) for alert in health.alerts],
        "sales": {
            "enabled": sales.enabled,
            "lastPushTime": _moment_or_none(sales.last_push_time),
            "lastPushStatus": sales.last_push_status and sales.last_push_status.value,
            "lastError": sales.last_error,
            "overdue": [day.isoformat() for day in sales.overdue],
            "alerts": [alert_to_json(alert) for alert in sales.alerts],
        },
        "state": health.state.value,
        "apiCheckedAt": _moment_or_none(None if api is None else api.checked_at),
        "apiLatency": _milliseconds_or_none(None if api is None else api.latency),
    }


def _milliseconds_or_none(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // timedelta(milliseconds=1)


def alert_to_json(alert: Alert) -> dict[str, str]:
    """
    One alert; its name is that of its runbook.
    """
    return {
        "name": alert.name.value,
        "severity": alert.severity.value,
        "message": alert.message,
        "advice": alert.advice,
    }


def quarantined_item_to_json(entry: QuarantinedItem) -> dict[str, Any]:
    """
    An item that was set aside.
    """
    return {
        "kind": "item",
        "item": entry.key,
        "reason": entry.reason,
        "path": entry.path,
        "firstSeen": moment_to_json(entry.first_seen),
        "lastSeen": moment_to_json(entry.last_seen),
        "timesSeen": entry.times_seen,
        "runId": entry.run_id,
        "page": entry.page,
        "raw": entry.raw.decode(errors="replace"),
    }


def quarantined_sale_to_json(entry: QuarantinedTransaction) -> dict[str, Any]:
    """
    A sale that was set aside.
    """
    return {
        "kind": "transaction",
        "item": entry.id,
        "businessDate": entry.business_date.isoformat(),
        "reason": entry.reason,
        "firstSeen": moment_to_json(entry.quarantined_at),
        "raw": entry.raw.decode(errors="replace"),
    }


def batch_to_json(batch: Batch) -> dict[str, Any]:
    """
    A batch of sales.
    """
    return {
        "key": batch.key,
        "locationId": batch.location_id,
        "businessDate": batch.business_date.isoformat(),
        "state": batch.state.value,
        "transactions": batch.transactions,
        "total": format(batch.total, "f"),
        "attempts": batch.attempts,
        "frozenAt": moment_to_json(batch.frozen_at),
        "sentAt": _moment_or_none(batch.sent_at),
        "unknownSince": _moment_or_none(batch.unknown_since),
        "settledAt": _moment_or_none(batch.settled_at),
        "parked": batch.parked,
        "answer": batch.answer,
        "parent": batch.parent,
    }


def _moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else moment_to_json(moment)
