"""
JSON Schemas of the shim's documents.
"""

from typing import Any

from conexxus_sync.health._health import ServiceState
from conexxus_sync.model.alerts import AlertName, Severity
from conexxus_sync.model.runs import MAX_ERRORS, RunKind, RunStatus
from conexxus_sync.model.sales import BatchState


Json = dict[str, Any]

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
TRUTH: Json = {"type": "boolean"}
RAW_LENGTH: Json = {**COUNT, "description": "Characters of the whole text."}
DATE: Json = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
MOMENT: Json = {"type": "string", "format": "date-time", "description": "In UTC."}
AMOUNT: Json = {
    "type": "string",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
    "description": "Exact, in the currency of the store.",
}


def _or_null(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


def _list_of(name: str, **more: Any) -> Json:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}, **more}


def _one_of(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


def _object(*optional: str, **properties: Json) -> Json:
    """
    An object with exactly these keys; *optional* ones may be missing.
    """
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_ENDED = _one_of(*RunStatus)
# JSON Schema wants the null among the values, too.
_ENDED_OR_NULL = {"enum": [*RunStatus, None]}

SCHEMAS: dict[str, Json] = {
    "Error": _object(error={**TEXT, "description": "One sentence."}),
    "Alert": _object(
        name=_one_of(*AlertName), severity=_one_of(*Severity), message=TEXT, advice=TEXT
    ),
    "Health": _object(
        status=_one_of("healthy", "unhealthy", "disabled"),
        isHealthy=TRUTH,
        lastSyncTime=_or_null(MOMENT),
        lastSyncStatus=_ENDED_OR_NULL,
        lastError=_or_null(TEXT),
        apiConnection={
            **_or_null(TRUTH),
            "description": "Whether the last call reached the back office; null before the first.",
        },
        alerts=_list_of("Alert"),
        sales={"$ref": "#/components/schemas/SalesHealth"},
        state=_one_of(*ServiceState),
        apiCheckedAt=_or_null(MOMENT),
        apiLatency={**_or_null(COUNT), "description": "In milliseconds."},
    ),
    "SalesHealth": _object(
        enabled=TRUTH,
        lastPushTime=_or_null(MOMENT),
        lastPushStatus=_ENDED_OR_NULL,
        lastError=_or_null(TEXT),
        overdue={"type": "array", "items": DATE},
        alerts=_list_of("Alert"),
    ),
    "ConnectionCheck": _object(
        success=TRUTH,
        message=TEXT,
        latency={**_or_null(COUNT), "description": "In milliseconds."},
    ),
    "Metrics": _object(
        latest={"anyOf": [{"$ref": "#/components/schemas/Run"}, {"type": "null"}]},
        history=_list_of("Run", maxItems=10),
    ),
    "Run": _object(
        "businessDate",
        "refused",
        "lastError",
        "note",
        "batches",
        "total",
        id=TEXT,
        kind=_one_of(*RunKind),
        locationId=TEXT,
        businessDate=DATE,
        status={**_one_of(*RunStatus, "processing"), "description": "Processing: at work."},
        startTime=MOMENT,
        endTime=_or_null(MOMENT),
        duration={**_or_null(COUNT), "description": "In milliseconds."},
        itemsProcessed=COUNT,
        itemsSucceeded=COUNT,
        itemsFailed=COUNT,
        created=COUNT,
        updated=COUNT,
        unchanged=COUNT,
        removed=COUNT,
        notModified=TRUTH,
        planned=TRUTH,
        refused=TEXT,
        errors=_list_of("RunIssue", maxItems=MAX_ERRORS),
        lastError=TEXT,
        note={**TEXT, "description": "What somebody should know, though nothing went wrong."},
        batches=COUNT,
        total=AMOUNT,
    ),
    "RunIssue": _object(item=_or_null(TEXT), error=TEXT),
    "Quarantine": _object(items=_list_of("ItemAside"), sales=_list_of("SaleAside")),
    "ItemAside": _object(
        kind={"const": "item"},
        item={**TEXT, "description": "The SKU, or a fingerprint of what has none."},
        reason=TEXT,
        path=TEXT,
        firstSeen=MOMENT,
        lastSeen=MOMENT,
        timesSeen=COUNT,
        runId=TEXT,
        page=_or_null(COUNT),
        raw={**TEXT, "description": "The JSON text as it was received, or its beginning."},
        rawLength=RAW_LENGTH,
    ),
    "SaleAside": _object(
        kind={"const": "transaction"},
        item={**TEXT, "description": "The id of the transaction."},
        businessDate=DATE,
        reason=TEXT,
        firstSeen=MOMENT,
        raw={**TEXT, "description": "The JSON text as the till told it, or its beginning."},
        rawLength=RAW_LENGTH,
    ),
    "Outbox": _object(batches=_list_of("Batch")),
    "Batch": _object(
        key={**TEXT, "description": "Under which it is sent, however often."},
        locationId=TEXT,
        businessDate=DATE,
        state=_one_of(*BatchState),
        transactions=COUNT,
        total=AMOUNT,
        attempts=COUNT,
        frozenAt=MOMENT,
        sentAt=_or_null(MOMENT),
        unknownSince=_or_null(MOMENT),
        settledAt=_or_null(MOMENT),
        parked=_or_null(TEXT),
        answer=_or_null(TEXT),
        parent=_or_null(TEXT),
    ),
    "Started": _object(
        message=TEXT, status={"const": "processing"}, runId={**TEXT, "description": "Of the run."}
    ),
    "NotStarted": _object(
        message=TEXT, status=_one_of("disabled", "skipped"), runId={"type": "null"}
    ),
    "PushRequest": _object("date", date=_or_null(DATE)),
    "OpenApi": {
        "type": "object",
        "properties": {"openapi": {"const": "3.1.0"}},
        "required": ["openapi", "info", "paths"],
    },
}
