"""
Runs as JSON: with the documented keys for users, and complete for the store.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

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
    "note?",
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
