"""
Transactions and batches as the exact bytes that are sent, with digest and idempotency key.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import attrs

from conexxus_client import (
    ConexxusError,
    FrozenBatch,
    SalesSummary,
    Transaction,
    decode_transaction,
    encode_transaction,
    exact_sum,
)

from .order_records import UnusableTransaction
from .sale_digests import WHOLE, SaleDigest
from .sales import SaleKey
from .sum_checks import NO_MISMATCH, Mismatch, mismatches


# What JSON can't express, like a float, a set or a lone surrogate.
_UNWRITABLE = (ValueError, TypeError, ArithmeticError, RecursionError, ConexxusError)

# How long a timestamp is without its fraction.
SECOND = len("2026-01-02T10:00:00")

_NUL = "\0"

# 13 to 19 digits, as they stand or in groups: ISO/IEC 7812-1.
_CARD = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")


@attrs.frozen(kw_only=True)
class FrozenTransaction:
    """
    A transaction as the bytes that are sent.

    Attributes:
        position: Its place among those frozen at the same time.
        id: As it is sent.
        digest: Of what the host returned, field by field.
        version: How the digest was made.
        sold_at: Its timestamp in UTC, as text.
        register: The register that it says; empty if it says none.
        fault: Why it must not be sent, if so.
        origin: The host's id, if another one is sent.
        revision: Which correction of the host's transaction it is; 0 is the
            transaction itself.
        voids: Whether it takes back what was sent before.
        twin: The second of the delivered sale that it is, if it is one.
        mismatched: Which of its sums disagree, if any.
        has_card_number: Whether its free text holds what may be a card's number.
    """

    position: int
    id: str
    digest: bytes
    version: str = attrs.field(default=WHOLE, eq=False)
    total: Decimal
    raw: bytes = attrs.field(repr=False)
    sold_at: str
    register: str = ""
    fault: str | None = None
    origin: str = attrs.field()
    revision: int = 0
    voids: bool = False
    twin: str | None = attrs.field(default=None, eq=False)
    mismatched: Mismatch = attrs.field(default=NO_MISMATCH, eq=False)
    has_card_number: bool = attrs.field(default=False, eq=False)

    @origin.default
    def _same_id(self) -> str:
        return self.id

    @property
    def sold_second(self) -> str:
        """
        The second and the register of its sale; with the id, what it is.
        """
        return self.sold_at[:SECOND] + self.register

    @property
    def delivered_as(self) -> SaleKey:
        """
        What the delivered sale is found by that it is, or becomes.
        """
        return SaleKey(self.origin, self.sold_second if self.twin is None else self.twin)

    @classmethod
    def set_aside(cls, unusable: UnusableTransaction, *, position: int) -> "FrozenTransaction":
        """
        What stands for a sale that can't be built.
        """
        said = b"not built: " + unusable.reason.encode("utf-8", "replace") + unusable.raw

        return cls(
            position=position,
            id=_storable(unusable.id),
            digest=sha256(said).digest(),
            total=Decimal(),
            raw=unusable.raw,
            sold_at="",
            fault=_storable(unusable.reason),
        )

    @classmethod
    def of(
        cls,
        transaction: Transaction,
        *,
        position: int,
        business_date: date,
        sku_required: bool = True,
    ) -> "FrozenTransaction":
        """
        Freeze *transaction*, or say why it can't be sent.

        Args:
            sku_required: Whether a line without a SKU gets its kind.
        """
        raw, fault = _encode(transaction, sku_required)
        # What is left of one that can't be written may be all of another.
        digest = SaleDigest.of_unwritable(raw) if fault else SaleDigest.of(transaction)
        fault = _misplaced(transaction, business_date) or fault or _unnameable(transaction)

        return cls(
            position=position,
            id=_storable(transaction.id),
            digest=digest.value,
            version=digest.version,
            total=transaction.total,
            raw=raw,
            sold_at=_instant(transaction.timestamp),
            register=_storable(transaction.register) if transaction.register else "",
            fault=fault,
            mismatched=NO_MISMATCH if fault else mismatches(transaction),
            has_card_number=fault is None and has_card_number(transaction),
        )


@attrs.frozen(kw_only=True)
class BatchDraft:
    """
    A batch that is about to be stored.

    Attributes:
        members: In the order in which the body has them.
        parent: Key of the batch that it is divided from.
        released: Whether an operator said that this was not delivered.
        unknown_since: Since when the back office may have it, as part of its
            parent.
    """

    frozen: FrozenBatch
    members: tuple[FrozenTransaction, ...]
    parent: str | None = None
    released: bool = False
    unknown_since: datetime | None = None

    @classmethod
    def of(
        cls,
        location_id: str,
        business_date: date,
        members: Iterable[FrozenTransaction],
        *,
        summary: bool = False,
    ) -> "BatchDraft":
        """
        Put *members* into the bytes of one request.

        Args:
            summary: Whether their figures are sent along.
        """
        members = tuple(members)
        frozen = FrozenBatch.assemble(
            date=business_date,
            location_id=location_id,
            transactions=[member.raw for member in members],
            summary=(
                SalesSummary.of(decode_transaction(member.raw) for member in members)
                if summary
                else None
            ),
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
        return exact_sum([member.total for member in self.members])


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


def bytes_to_send(
    transaction: Transaction, business_date: date, sku_required: bool
) -> bytes | None:
    """
    The bytes of *transaction*; None if it can't be sent.
    """
    raw, fault = _encode(transaction, sku_required)

    return None if fault or _misplaced(transaction, business_date) else raw


def _misplaced(transaction: Transaction, business_date: date) -> str | None:
    if transaction.business_date in (None, business_date):
        return None

    return (
        f"Transaction belongs to business date {transaction.business_date}, "
        f"but was given for {business_date}"
    )


def _unnameable(transaction: Transaction) -> str | None:
    # PostgreSQL has no such texts, and a store may move there.
    return "Transaction id has a NUL" if _NUL in transaction.id else None


def _encode(transaction: Transaction, sku_required: bool) -> tuple[bytes, str | None]:
    """
    The transaction's bytes; or what is left of it, and what is wrong.
    """
    try:
        return encode_transaction(transaction, sku_required=sku_required), None
    except _UNWRITABLE as exc:
        lines = [attrs.evolve(line, extra={}) for line in transaction.items]
        bare = attrs.evolve(transaction, extra={}, items=lines)
        fault = f"Transaction can't be written as JSON: {exc}"

    try:
        return encode_transaction(bare, sku_required=sku_required), fault
    except _UNWRITABLE:
        return b"{}", fault


def _instant(moment: datetime) -> str:
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        # At either end of the calendar.
        return moment.isoformat()


def _storable(text: str) -> str:
    """
    A lone surrogate or a NUL can't be stored; the name of such a transaction,
    which has a fault anyway, must not be that of another.
    """
    plain = text.encode("utf-8", "backslashreplace").decode().replace(_NUL, r"\0")

    if plain == text:
        return text

    exact = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain}#{exact[:8]}"


def has_card_number(transaction: Transaction) -> bool:
    """
    Is there something in the free text that may be a card's number?
    """
    if not transaction.extra and not any(line.extra for line in transaction.items):
        return False

    texts = _texts([transaction.extra, *(line.extra for line in transaction.items)])
    return any(_is_luhn(found) for text in texts for found in _CARD.findall(text))


def _texts(value: Any) -> Iterator[str]:
    """
    Every text in *value*, however deep.
    """
    waiting = [value]

    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)


def _is_luhn(number: str) -> bool:
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])

    return any(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0
