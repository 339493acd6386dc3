"""
Batches of sales, and what is known of each transaction.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from hashlib import sha256

import attrs

from conexxus_client import ConexxusError, FrozenBatch, Transaction, encode_transaction


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


# What JSON has no word for, like a float, a set or a lone surrogate.
_UNWRITABLE = (ValueError, TypeError, ArithmeticError, RecursionError, ConexxusError)

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


@attrs.frozen(kw_only=True)
class FrozenTransaction:
    """
    A transaction as the bytes that are sent.

    Attributes:
        position: Its place among those frozen at the same time.
        fault: Why it must not be sent, if so.
    """

    position: int
    id: str
    digest: bytes
    total: Decimal
    raw: bytes = attrs.field(repr=False)
    fault: str | None = None

    @classmethod
    def of(
        cls, transaction: Transaction, *, position: int, business_date: date
    ) -> "FrozenTransaction":
        """
        Freeze *transaction*, or say why it can't be sent.
        """
        raw, fault = _encode(transaction)

        if transaction.business_date not in (None, business_date):
            fault = (
                f"Transaction belongs to business date {transaction.business_date}, "
                f"but was given for {business_date}"
            )

        return cls(
            position=position,
            id=_storable(transaction.id),
            digest=sha256(raw).digest(),
            total=transaction.total,
            raw=raw,
            fault=fault,
        )


@attrs.frozen(kw_only=True)
class FrozenDraft:
    """
    A batch that is about to be stored.

    Attributes:
        members: In the order in which the body has them.
    """

    frozen: FrozenBatch
    members: tuple[FrozenTransaction, ...]

    @classmethod
    def of(
        cls, location_id: str, business_date: date, members: Iterable[FrozenTransaction]
    ) -> "FrozenDraft":
        """
        Put *members* into the bytes of one request.
        """
        members = tuple(members)
        frozen = FrozenBatch.assemble(
            date=business_date,
            location_id=location_id,
            transactions=[member.raw for member in members],
        )

        return cls(frozen=frozen, members=members)

    @property
    def digest(self) -> bytes:
        """
        Of the whole body.
        """
        return sha256(self.frozen.body).digest()

    @property
    def total(self) -> Decimal:
        """
        Exact sum of the totals.
        """
        return exact_sum(member.total for member in self.members)


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


class DiscrepancyKind(StrEnum):
    """
    How the host contradicts what was delivered.
    """

    CHANGED = "changed"
    MISSING = "missing"


@attrs.frozen(kw_only=True)
class Found:
    """
    A contradiction as it was just found.

    Attributes:
        digest: Of what the host now tells; None if it tells nothing.
    """

    id: str
    kind: DiscrepancyKind
    digest: bytes | None


@attrs.frozen(kw_only=True)
class Discrepancy:
    """
    A delivered transaction that the host now tells otherwise.
    """

    location_id: str
    business_date: date
    id: str
    kind: DiscrepancyKind
    found_at: datetime


@attrs.frozen(kw_only=True)
class Visit:
    """
    What the ledger says of one business date.

    Attributes:
        at: When it was last looked at with nothing left to deliver.
        closed: Why it takes no push any more.
    """

    at: datetime | None = None
    closed: str | None = None


def idempotency_key(
    *, location_id: str, business_date: date, digest: bytes, generation: int
) -> str:
    """
    Derive a batch's key from what it is, so that a lost store makes it again.

    Args:
        generation: How many batches of the same content the date had
            before.  A server that remembers the first one's answer must not
            give it to the second.
    """
    parts = (location_id, business_date.isoformat(), digest.hex(), str(generation))
    return f"{business_date:%Y%m%d}-{sha256(chr(0).join(parts).encode()).hexdigest()[:40]}"


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """
    Sum up without rounding; a context's 28 digits are fewer than an amount's.
    """
    with localcontext(prec=100):
        return sum(amounts, Decimal())


def mismatched(transactions: Iterable[Transaction]) -> int:
    """
    Count those whose lines don't add up to their total.

    Lines less discount plus tax may differ by one cent a line.  It is a
    figure to look at, not a fault: a tax-free line sum is normal.
    """
    return sum(not _adds_up(transaction) for transaction in transactions)


def _adds_up(transaction: Transaction) -> bool:
    with localcontext(prec=100):
        lines = sum(
            (
                line.quantity * line.price if line.amount is None else line.amount
                for line in transaction.items
            ),
            Decimal(),
        )
        owed = lines - (transaction.discount or 0) + (transaction.tax or 0)
        return abs(owed - transaction.total) <= len(transaction.items) * Decimal("0.01")


def _encode(transaction: Transaction) -> tuple[bytes, str | None]:
    """
    The transaction's bytes; or what is left of it, and what is wrong.
    """
    try:
        return encode_transaction(transaction), None
    except _UNWRITABLE as exc:
        lines = [attrs.evolve(line, extra={}) for line in transaction.items]
        bare = attrs.evolve(transaction, extra={}, items=lines)
        fault = f"Transaction can't be written as JSON: {exc}"

    try:
        return encode_transaction(bare), fault
    except _UNWRITABLE:
        return b"{}", fault


def _storable(text: str) -> str:
    """
    A lone surrogate can't be stored; such a transaction has a fault anyway.
    """
    return text.encode("utf-8", "replace").decode()
