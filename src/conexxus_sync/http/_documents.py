"""
The JSON documents of the shim, and their schemas.
"""

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.exceptions import HTTPException

from conexxus_sync.model.catalogue import QuarantinedItem
from conexxus_sync.model.sales import QuarantinedTransaction
from conexxus_sync.views.json import Batch, ItemAside, SaleAside, item_document, sale_document
from conexxus_sync.views.run_document import Document, Milliseconds, Run


RawLength = Annotated[int, Meta(ge=0, description="Characters of the whole text.")]
# Characters of an element as it came: the whole is for `conexxus quarantine show`.
MOST_RAW = 4_096


class Error(Document, frozen=True):
    """
    What is wrong.
    """

    error: Annotated[str, Meta(description="One sentence.")]


class ConnectionCheck(Document, frozen=True):
    """
    Whether the back office answers.
    """

    success: bool
    message: str
    latency: Milliseconds | None


class Metrics(Document, frozen=True):
    """
    The last finished runs of one kind.
    """

    latest: Run | None
    history: Annotated[list[Run], Meta(max_length=10)]


class ListedItem(ItemAside, frozen=True, kw_only=True):
    """
    An item that was set aside, and how long it was.
    """

    raw_length: RawLength


class ListedSale(SaleAside, frozen=True):
    """
    A sale that was set aside, and how long it was.
    """

    raw_length: RawLength


class Quarantine(Document, frozen=True):
    """
    What was set aside, and why.
    """

    items: list[ListedItem]
    sales: list[ListedSale]


class Outbox(Document, frozen=True):
    """
    Batches of sales.
    """

    batches: list[Batch]


class Started(Document, frozen=True):
    """
    A run was started, or is in progress.
    """

    message: str
    status: Literal["processing"]
    run_id: Annotated[str, Meta(description="Of the run.")]


class NotStarted(Document, frozen=True):
    """
    Nothing was started.
    """

    message: str
    status: Literal["disabled", "skipped"]
    run_id: None


class PushRequest(Document, frozen=True):
    """
    Which business date to push.
    """

    date: dt.date | UnsetType | None = UNSET


class OpenApi(Struct):
    """
    The description of the interface.
    """

    openapi: Literal["3.1.0"]
    info: dict[str, Any]
    paths: dict[str, Any]


def listed_item(entry: QuarantinedItem) -> ListedItem:
    """
    An item that was set aside, and no more than the beginning of it.
    """
    whole = item_document(entry)

    return ListedItem.of(whole, raw=whole.raw[:MOST_RAW], raw_length=len(whole.raw))


def listed_sale(entry: QuarantinedTransaction) -> ListedSale:
    """
    A sale that was set aside; likewise.
    """
    whole = sale_document(entry)

    return ListedSale.of(whole, raw=whole.raw[:MOST_RAW], raw_length=len(whole.raw))


def business_date_in(body: bytes) -> dt.date | None:
    """
    The date that a push is asked for.

    Raises:
        HTTPException: *body* is something else.
    """
    try:
        return (body and msgspec.json.decode(body, type=PushRequest).date) or None
    except (msgspec.DecodeError, RecursionError):
        wanted = '{"date": "2026-01-02"}'
        raise HTTPException(400, f"the body must be an object like {wanted}.") from None


def schemas(*documents: type) -> dict[str, Any]:
    """
    The JSON Schemas of *documents* and of what is in them, by name.
    """
    _, found = msgspec.json.schema_components(documents, ref_template="#/components/schemas/{name}")

    return dict(sorted(found.items()))
