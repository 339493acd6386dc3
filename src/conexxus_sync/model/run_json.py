"""
Runs as JSON: with the documented keys for users, and complete for the store.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import attrs
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from .runs import MAX_ERRORS, IssueKind, RunIssue, RunKind, RunStatus, SyncRun


if TYPE_CHECKING:
    from cattrs import Converter

Moment = Annotated[datetime, Meta(tz=True, description="In UTC.")]
Count = Annotated[int, Meta(ge=0)]
Milliseconds = Annotated[int, Meta(ge=0, description="In milliseconds.")]
Amount = Annotated[
    str,
    Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="Exact, in the currency of the store."),
]


class Document(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """
    A JSON document that programs read: these keys, in this order, in camel case.

    A key whose field is `UNSET` by default is there only when it has a value.
    """

    @classmethod
    def of(cls, value: object, **others: object) -> Self:
        """
        What *value* has by the names of the fields, and *others*.
        """
        named = (name for name in cls.__struct_fields__ if name not in others)
        fields = {**{name: getattr(value, name) for name in named}, **others}

        return cls(
            **{
                name: UNSET if given is None and name in _optional(cls) else _plain(given)
                for name, given in fields.items()
            }
        )

    def as_json(self) -> dict[str, Any]:
        """
        Ready for any JSON encoder.
        """
        document: dict[str, Any] = msgspec.to_builtins(self)

        return document


class RunError(Document, frozen=True):
    """
    One thing that went wrong.
    """

    item: str | None
    error: str
    detail: Annotated[str | UnsetType, Meta(description="Which rule was broken.")] = UNSET


class Run(Document, frozen=True, kw_only=True):
    """
    One run, finished or at work.
    """

    id: str
    kind: RunKind
    location_id: str
    business_date: date | UnsetType = UNSET
    status: Annotated[
        Literal["success", "partial", "failed", "processing"],
        Meta(description="Processing: at work."),
    ]
    start_time: Moment
    end_time: Moment | None
    duration: Milliseconds | None
    items_processed: Count
    items_succeeded: Count
    items_failed: Count
    created: Count
    updated: Count
    unchanged: Count
    removed: Count
    not_modified: bool
    planned: bool
    refused: str | UnsetType = UNSET
    errors: Annotated[list[RunError], Meta(max_length=MAX_ERRORS)]
    last_error: str | UnsetType = UNSET
    batches: Count | UnsetType = UNSET
    total: Amount | UnsetType = UNSET
    note: Annotated[
        str | UnsetType, Meta(description="What somebody should know, though nothing went wrong.")
    ] = UNSET


def run_to_json(run: SyncRun) -> dict[str, Any]:
    """
    *run* with exactly the documented keys, ready for any JSON encoder.
    """
    return run_document(run).as_json()


def run_document(run: SyncRun) -> Run:
    """
    *run* with exactly the documented keys.
    """
    sales = run.kind is RunKind.SALES

    return Run.of(
        run,
        status=run.status or "processing",
        duration=milliseconds(run.duration),
        errors=[*map(RunError.of, run.errors)],
        batches=run.batches if sales else None,
        total=run.total if sales else None,
    )


def milliseconds(duration: timedelta | None) -> int | None:
    """
    Whole ones.
    """
    return None if duration is None else duration // timedelta(milliseconds=1)


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


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)

    return format(value, "f") if isinstance(value, Decimal) else value


@cache
def _optional(cls: type[Document]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(cls) if not field.required)


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
