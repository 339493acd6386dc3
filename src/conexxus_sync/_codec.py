"""
Runs as JSON, with the keys that users see.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from ._health import ServiceHealth
from .alerts import Alert
from .mirror import Quarantined
from .outbox import Batch, QuarantinedTransaction
from .runs import RunIssue, RunKind, RunStatus, SyncRun


if TYPE_CHECKING:
    from cattrs import Converter

# In this order; a key with a question mark is there only when it has a value.
_KEYS = (
    "id",
    "kind",
    "locationId",
    "businessDate?",
    "status",
    "startTime",
    "endTime",
    "duration",
    "itemsProcessed",
    "itemsSucceeded",
    "itemsFailed",
    "created",
    "updated",
    "unchanged",
    "removed",
    "notModified",
    "planned",
    "refused?",
    "errors",
    "lastError?",
    "batches?",
    "total?",
)


def run_to_json(run: SyncRun) -> dict[str, Any]:
    """
    *run* with exactly the documented keys, ready for any JSON encoder.
    """
    values = _converter().unstructure(run)
    if run.status is None:
        values["status"] = "processing"
    values["duration"] = None if run.duration is None else run.duration // timedelta(milliseconds=1)
    document = {}

    if run.kind is not RunKind.SALES:
        values["batches"] = values["total"] = None

    for key in _KEYS:
        name = key.rstrip("?")
        if name == key or values[name] is not None:
            document[name] = values[name]

    return document


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


def item_aside_to_json(entry: Quarantined) -> dict[str, Any]:
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


def sale_aside_to_json(entry: QuarantinedTransaction) -> dict[str, Any]:
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
    }


def dump_run(run: SyncRun) -> str:
    """
    All of *run*, for the store.
    """
    return json.dumps(_converter().unstructure(run), ensure_ascii=False, separators=(",", ":"))


def load_run(text: str) -> SyncRun:
    """
    The run that `dump_run` wrote.
    """
    return _converter().structure(json.loads(text), SyncRun)


def moment_to_json(moment: datetime) -> str:
    """
    ISO 8601 in UTC, with a Z.
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else moment_to_json(moment)


@cache
def _converter() -> "Converter":
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

    converter = Converter()
    converter.register_unstructure_hook(datetime, moment_to_json)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_unstructure_hook(date, lambda day: day.isoformat())
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_unstructure_hook(Decimal, lambda amount: format(amount, "f"))
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))

    for choice in (RunKind, RunStatus):
        converter.register_unstructure_hook(choice, lambda member: member.value)

    for cls in (RunIssue, SyncRun):
        names: dict[str, Any] = {
            field.name: override(rename=_camel(field.name)) for field in attrs.fields(cls)
        }
        converter.register_unstructure_hook(cls, make_dict_unstructure_fn(cls, converter, **names))
        converter.register_structure_hook(cls, make_dict_structure_fn(cls, converter, **names))

    return converter


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
