"""
`Document`: what programs read; and a run as one.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from conexxus_sync.model.runs import MAX_ERRORS, RunKind, SyncRun


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
    note: Annotated[str | UnsetType, Meta(description="A remark, though nothing went wrong.")] = (
        UNSET
    )


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


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)

    return format(value, "f") if isinstance(value, Decimal) else value


@cache
def _optional(cls: type[Document]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(cls) if not field.required)
