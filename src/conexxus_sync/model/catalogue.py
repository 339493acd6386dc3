"""
Values of the catalogue: mirror items, quarantined items, checkpoints, plans, comparisons.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import attrs

from conexxus_client import Item

from .formatting import counted, money
from .runs import SyncRun


# Elements without a readable SKU that were the same for so long are no items.
RESUME_AFTER = timedelta(hours=24)

Decision = Literal["created", "updated", "returned", "removed", "deleted", "replayed"]


@attrs.frozen(kw_only=True)
class RejectedElement:
    """
    An element of the catalogue that can't be used, and why.

    Attributes:
        sku: None if not even that could be read.
        path: Where in it, as a JSONPath.
        detail: Which rule it breaks, if the reason has several.
    """

    sku: str | None
    raw: bytes = attrs.field(repr=False)
    reason: str
    path: str = "$"
    detail: str | None = None


@attrs.frozen(kw_only=True)
class SourceFile:
    """
    A file that was read as a catalogue, or as changes of one.

    Attributes:
        name: In its folder.
        digest: Over its bytes.
        size: In bytes; with `modified`, in nanoseconds, it shows that the
            file was not written since.
        is_complete: Whether it is all that there is; else it says what changed.
        remaining: How many files come after it.
    """

    name: str
    digest: bytes
    size: int
    modified: int
    is_complete: bool = True
    remaining: int = 0

    @property
    def summary(self) -> str:
        """
        What a run says of it.
        """
        kind = "all that there is" if self.is_complete else "changes"
        waiting = f", and {counted(self.remaining, 'file')} after it" if self.remaining else ""

        return f"{self.name} ({kind}){waiting}"


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
        gone: Known SKUs that are absent, and are removed; those deleted among
            them.
        deleted: Known SKUs that the read takes away by name.
        waiting: Known SKUs that are absent, but are not removed: elements
            without a readable SKU may be these.
        unnamed: How many elements have no readable SKU.
        is_complete: Whether the read is all that there is; else it says what changed.
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
    waiting: int = 0
    unnamed: int = 0
    deleted: int = 0
    is_complete: bool = True

    @property
    def absent(self) -> int:
        """
        Known SKUs that no element of the read can be.
        """
        return self.gone + max(self.waiting - self.unnamed, 0)


@attrs.frozen(kw_only=True)
class UnnamedElements:
    """
    Elements of a complete read whose SKU can't be read.

    Attributes:
        digest: Over their texts.
        since: When the first of the last reads took place that all had
            exactly these.
        waiting: Known items that are absent, and stay because of them.
    """

    count: int
    digest: bytes
    since: datetime
    waiting: int = 0

    @property
    def reason(self) -> str:
        """
        Why nothing is removed.
        """
        have = "has" if self.count == 1 else "have"

        return f"removals wait because {counted(self.count, 'element')} {have} no readable SKU"

    def are_settled(self, now: datetime) -> bool:
        """
        Were they the same for so long that they can't be absent items?
        """
        return now - self.since >= RESUME_AFTER


@attrs.frozen(kw_only=True)
class Checkpoint:
    """
    The last applied read.

    Attributes:
        scope: What was asked, where, and by which rules; its ETag and digest
            mean nothing in another.
        digest: Over the items as they were on the wire.
        run: The run that applied it, with its figures.
        read_at: When the same items were last read completely; None if an
            older version did.
    """

    scope: str
    etag: str | None
    digest: bytes
    run: SyncRun
    read_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Plan:
    """
    A catalogue that was looked at and not applied, distinguished from any other.

    Attributes:
        run_id: The run that planned, or that a guard refused.
        scope: As in a checkpoint; likewise `digest`.  None is whichever location's.
        anew: Whether it was read without a condition, because the ETag is
            not trusted.
    """

    run_id: str
    scope: str | None
    digest: bytes
    anew: bool = False


@attrs.frozen(kw_only=True)
class PriceChange:
    """
    What a plan would do to one price, in the digits received.
    """

    sku: str
    name: str
    old: Decimal
    new: Decimal

    @property
    def per_cent(self) -> str:
        """
        `-90 %`; empty for an item that was free.
        """
        return f"{(self.new - self.old) / self.old * 100:+,.0f} %" if self.old else ""


@attrs.frozen(kw_only=True)
class PlanSummary:
    """
    What a plan would do, to be confirmed.

    Attributes:
        largest: The price that would change most, by its old price; None if
            none would.
        prices: How many prices would change.
        absent: How many items in force it lacks.
    """

    largest: PriceChange | None
    prices: int
    absent: int

    def lines(self) -> list[str]:
        """
        Sentences for page and terminal.
        """
        prices, absent = counted(self.prices, "price"), counted(self.absent, "item")
        lines = [f"{prices} would change; {absent} in force would be absent."]

        if (most := self.largest) is not None:
            change = f"{money(most.old)} → {money(most.new)} {most.per_cent}".rstrip()
            lines.append(f"The largest change: {most.sku}, {most.name}: {change}")

        return lines


@attrs.frozen(kw_only=True)
class AbsentItem:
    """
    An item that is in force, and absent from a catalogue that was looked at
    and not applied.
    """

    sku: str
    name: str
    price: Decimal


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
        part: Distinguishes several under one key.
        run_id: The run that saw it last.
        page: On which page of that read it came; None if an older version read it.
        detail: Which rule it breaks, if the reason has several.
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
    detail: str | None = None


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
