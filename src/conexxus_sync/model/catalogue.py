"""
Values of the catalogue: mirror items, quarantined items, checkpoints, plans, comparisons.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import attrs

from conexxus_client import Item

from .runs import SyncRun


Decision = Literal["created", "updated", "returned", "removed", "replayed"]


@attrs.frozen(kw_only=True)
class RejectedElement:
    """
    An element of the catalogue that can't be used, and why.

    Attributes:
        sku: None if not even that could be read.
        path: Where in it, as a JSONPath.
    """

    sku: str | None
    raw: bytes = attrs.field(repr=False)
    reason: str
    path: str = "$"


@attrs.frozen(kw_only=True)
class CatalogueDiff:
    """
    A complete read, compared with the mirror.

    Attributes:
        known: Items that were present at the last applied pull.
        received: Elements read, whatever they are.
        failed: Elements set aside.
        created: SKUs new to the mirror.
        updated: SKUs that changed or returned.
        unchanged: SKUs that are as they were.
        gone: Known SKUs that are absent.
        compared: Known SKUs that came with valid data.
        repriced: Those of them that have another price.
    """

    known: int
    received: int
    failed: int
    created: int
    updated: int
    unchanged: int
    gone: int
    compared: int
    repriced: int


@attrs.frozen(kw_only=True)
class Checkpoint:
    """
    The last applied read.

    Attributes:
        scope: What was asked, where, and by which rules; its ETag and digest
            mean nothing in another.
        digest: Over the items as they were on the wire.
        run: The run that applied it, with its figures.
    """

    scope: str
    etag: str | None
    digest: bytes
    run: SyncRun


@attrs.frozen(kw_only=True)
class Plan:
    """
    A catalogue that was looked at and not applied, told from any other.

    Attributes:
        run_id: The run that planned, or that a guard refused.
        scope: As in a checkpoint; likewise `digest`.
    """

    run_id: str
    scope: str
    digest: bytes


@attrs.frozen(kw_only=True)
class PriceChange:
    """
    What a plan would do to one price, in the digits received.
    """

    sku: str
    name: str
    old: Decimal
    new: Decimal


@attrs.frozen(kw_only=True)
class MirrorItem:
    """
    An item and how it came into its present state.

    Attributes:
        missing_since: Start of the run that no longer saw it; None if present.
        created_run: Id of the run that brought it first.
        updated_run: Id of the run that changed it last.
        decision: What that one made of it; None if an older version did.
        page: On which page of that read it came.
        old_price: The price before, if that one changed it.
    """

    item: Item
    missing_since: datetime | None
    created_run: str
    updated_run: str
    decision: Decision | None = None
    page: int | None = None
    old_price: Decimal | None = None


@attrs.frozen(kw_only=True)
class QuarantinedItem:
    """
    What was set aside under *key*, and how often.

    Attributes:
        key: The SKU, or a fingerprint of the element if it has none.
        part: Tells apart several under one key.
        run_id: The run that saw it last.
        page: On which page of that read it came; None if an older version read it.
    """

    key: str
    part: int
    raw: bytes = attrs.field(repr=False)
    reason: str
    path: str
    first_seen: datetime
    last_seen: datetime
    times_seen: int
    run_id: str
    page: int | None = None


@attrs.frozen(kw_only=True)
class MirrorCounts:
    """
    How much there is of everything.

    Attributes:
        pending: Sequences that the host has not applied yet.
    """

    present: int
    missing: int
    quarantined: int
    pending: int


@attrs.frozen(kw_only=True)
class HostState:
    """
    How far the host of a location has come.

    Attributes:
        sequence: Of the last changes made for it.
        applied: Of the last changes that it is known to have applied.
    """

    sequence: int
    applied: int
