"""
Runs as JSON, complete, for the store.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from .runs import IssueKind, RunIssue, RunKind, RunStatus, SyncRun


if TYPE_CHECKING:
    from cattrs import Converter


def dump_run(run: SyncRun) -> str:
    """
    All of *run*, for the store.
    """
    return json.dumps(_converter().unstructure(run), ensure_ascii=False, separators=(",", ":"))


def load_run(text: str) -> SyncRun:
    """
    The run that `dump_run` wrote.
    """
    values = json.loads(text)

    for issue in values.get("errors", ()) if isinstance(values, dict) else ():
        if isinstance(issue, dict) and "kind" not in issue:
            issue["kind"] = _older_kind(issue.get("item"), str(issue.get("error", "")))

    return _converter().structure(values, SyncRun)


# How the errors of earlier versions, which kept no kind, begin.
_OLDER_KINDS = {
    "Transaction changed after it was delivered": IssueKind.DISCREPANCY,
    "Transaction was delivered, but": IssueKind.DISCREPANCY,
    "the host's catalogue storage failed": IssueKind.HOST,
}


def _older_kind(item: object, error: str) -> IssueKind:
    fallback = IssueKind.FAILURE if item is None else IssueKind.SET_ASIDE

    return next((kind for text, kind in _OLDER_KINDS.items() if error.startswith(text)), fallback)


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

    for choice in (IssueKind, RunKind, RunStatus):
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
