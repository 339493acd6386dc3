"""
Transactions and batches as the bytes that are sent.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from hashlib import sha256

import attrs

from conexxus_client import ConexxusError, FrozenBatch, Transaction, encode_transaction

from ._sums import exact_sum


# What JSON has no word for, like a float, a set or a lone surrogate.
_UNWRITABLE = (ValueError, TypeError, ArithmeticError, RecursionError, ConexxusError)


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
