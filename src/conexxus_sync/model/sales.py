"""
Values of sales: batches, visits of business dates, quarantined transactions, discrepancies.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import attrs

from conexxus_sync.errors import SyncError


# How long the bytes of what was settled are kept, and the ids of what was
# delivered.
BYTES_KEPT = timedelta(days=30)
IDS_KEPT = timedelta(days=400)


class OutboxError(SyncError):
    """
    What an operator asked for can't be done to this batch.
    """


@attrs.frozen(kw_only=True)
class FreezeNumbers:
    """
    How often sales were frozen, sent or adopted, as the store and the file
    beside it say.

    Attributes:
        path: Of the file; None if it is this process that says it.
        stored: What the store says.
        beside: What the file says; None if there is none, or it can't be read.
    """

    path: Path | None
    stored: int
    beside: int | None

    @property
    def is_behind(self) -> bool:
        """
        Are the last freezes missing in the store?
        """
        return self.beside is not None and self.beside > self.stored


# The date, and eight digits.
_SHORT_KEY = 17


class BatchState(StrEnum):
    """
    What is known of a batch.

    `PENDING` was never at the back office, `SENDING` may be there at this
    moment, or was when the process died.  `UNKNOWN` may be there.
    """

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    RESOLVED = "resolved"


OPEN_STATES = (BatchState.PENDING, BatchState.SENDING, BatchState.UNKNOWN)


@attrs.frozen(kw_only=True)
class Batch:
    """
    Transactions frozen together under one idempotency key.

    Attributes:
        freeze: Batches are delivered in the order of freeze and first.
        first: Position of its first transaction.
        transactions: How many there are.
        total: Exact sum of their totals.
        attempts: How often it was handed to the client.
        unknown_since: When the first request of unknown fate left.
        parked: Why it is not repeated, but waits for an operator.
        answer: What the back office, or the network, last said.
        forced: Whether it is repeated once in spite of what speaks against it.
        mismatched: How many have lines that do not add up to their total.
        parent: Key of the batch that it was divided from.
        unknown_pushes: How many pushes did not learn what became of it.
        released: Whether an operator said that it was not delivered, or what
            it was divided from: then it may be divided under new keys.
        sent_boot: Boot of the computer from which the first request of
            unknown fate left; None if that is unknown.
        sent_uptime: Seconds from that boot to the request.
        sent_server: A moment by the back office's clock before it.
    """

    location_id: str
    business_date: date
    key: str
    freeze: int
    first: int
    state: BatchState
    transactions: int
    total: Decimal
    attempts: int
    frozen_at: datetime
    sent_at: datetime | None = None
    unknown_since: datetime | None = None
    settled_at: datetime | None = None
    parked: str | None = None
    answer: str | None = None
    forced: bool = False
    mismatched: int = 0
    sent_boot: str | None = None
    sent_uptime: float | None = None
    sent_server: datetime | None = None
    parent: str | None = None
    unknown_pushes: int = 0
    released: bool = False

    @property
    def short_key(self) -> str:
        """
        How the key begins: long enough to be the only one, short enough to
        be typed.
        """
        return self.key[:_SHORT_KEY]


@attrs.frozen(kw_only=True)
class SendMoment:
    """
    A moment by all clocks that there are.

    Attributes:
        at: By the clock of this computer, which may be set.
        boot: Which boot of this computer it is in; empty if that is unknown.
        uptime: Seconds on a clock that is never set, but begins anew with it.
        server: By the back office's clock; None if that is unknown.
    """

    at: datetime
    boot: str
    uptime: float
    server: datetime | None = None


@attrs.frozen(kw_only=True)
class DateTotals:
    """
    What is known of one business date.

    Attributes:
        delivered: How many transactions the back office has.
        total: Their exact sum.
        waiting: Transactions in batches that are not settled.
        quarantined: Transactions in quarantine.
        discrepancies: Delivered transactions whose source data has since changed.
        half_at: When half of them had been delivered; None if none was.
        last_at: When the last were.
    """

    business_date: date
    delivered: int
    total: Decimal
    waiting: int
    quarantined: int
    discrepancies: int
    half_at: datetime | None = None
    last_at: datetime | None = None


@attrs.frozen(kw_only=True)
class QuarantinedTransaction:
    """
    A transaction that was set aside.

    Attributes:
        raw: Its JSON text; of several under one id, one a line.
    """

    location_id: str
    business_date: date
    id: str
    raw: bytes = attrs.field(repr=False)
    reason: str
    quarantined_at: datetime


class SaleKey(NamedTuple):
    """
    What a sale of a date is found by: two registers may use the same id.

    Attributes:
        id: As the host calls it.
        sold_second: When it was sold, in UTC, without a fraction, and behind it
            the register, if it says one.
    """

    id: str
    sold_second: str


class DiscrepancyKind(StrEnum):
    """
    How the host contradicts what was delivered.

    `ELSEWHERE` is returned for a second date, with the same id and timestamp.
    """

    CHANGED = "changed"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"


@attrs.frozen(kw_only=True)
class FoundDiscrepancy:
    """
    A contradiction as it was just found.

    Attributes:
        sold_second: With the id, what the delivered sale is found by.
        digest: Of what the host now returns; None if it returns nothing.
        is_told_too: Whether the host returns the delivered version as well.
    """

    id: str
    sold_second: str
    kind: DiscrepancyKind
    digest: bytes | None
    is_told_too: bool = attrs.field(default=False, eq=False)

    @property
    def key(self) -> SaleKey:
        """
        What the delivered sale is found by.
        """
        return SaleKey(self.id, self.sold_second)


@attrs.frozen(kw_only=True)
class Discrepancy:
    """
    A delivered transaction that the host now returns otherwise.
    """

    location_id: str
    business_date: date
    id: str
    kind: DiscrepancyKind
    found_at: datetime


@attrs.frozen(kw_only=True)
class DateVisit:
    """
    What the ledger says of one business date.

    Attributes:
        at: When it was last looked at with nothing left to deliver.
        closed: Why it takes no push any more.
    """

    at: datetime | None = None
    closed: str | None = None


@attrs.frozen(kw_only=True)
class RunsAround:
    """
    When runs started, on both sides of a moment.

    Attributes:
        before: The last one that is not after it.
        first: The first one after it.
        last: The last one after it.
    """

    before: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None


@attrs.frozen(kw_only=True)
class BatchMembership:
    """
    One batch in which a transaction was.

    Attributes:
        id: As it was sent.
    """

    id: str
    batch: Batch


@attrs.frozen(kw_only=True)
class DeliveredTransaction:
    """
    A transaction that the back office has.

    Attributes:
        key: Of the batch in which it arrived; None if something else
            delivered it.
        revision: Which correction of it the back office has; 0 for none.
        voided: Whether it was taken back since.
    """

    business_date: date
    key: str | None
    at: datetime
    revision: int
    voided: bool


@attrs.frozen(kw_only=True)
class OperatorAction:
    """
    What an operator did to a batch or to a sale.

    Attributes:
        subject: A sale, as the host calls it, or the key of a batch.
        action: In a word or two, like `resolved as delivered`.
        reason: As the operator gave it, if at all.
    """

    subject: str
    business_date: date
    action: str
    reason: str | None
    at: datetime


@attrs.frozen(kw_only=True)
class TransactionHistory:
    """
    All that is known of one transaction, oldest first.

    Attributes:
        id: As the host calls it.
        memberships: The batches it was in.
        actions: What operators did to it, or to these batches.
    """

    id: str
    memberships: tuple[BatchMembership, ...] = ()
    delivered: tuple[DeliveredTransaction, ...] = ()
    quarantined: tuple[QuarantinedTransaction, ...] = ()
    discrepancies: tuple[Discrepancy, ...] = ()
    actions: tuple[OperatorAction, ...] = ()

    def __bool__(self) -> bool:
        """
        Is anything known?
        """
        return bool(
            self.memberships
            or self.delivered
            or self.quarantined
            or self.discrepancies
            or self.actions
        )
