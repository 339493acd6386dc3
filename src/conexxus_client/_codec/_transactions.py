"""
Encodes and decodes transactions and batches.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import msgspec

from conexxus_client.errors import DecodeError
from conexxus_client.models import SalesBatch, SalesSummary, Transaction, TransactionLine

from ._json import decode_json, encode_json


T = TypeVar("T")

# Around the `extra` of a transaction, and of a line, in the body of a push.
_EXTRA_NESTING = 3
_LINE_EXTRA_NESTING = 5


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """
    A line as it is written; its keys are in order, like those of all mappings.
    """

    amount: Decimal | None = None
    extra: msgspec.Raw | None = None
    price: Decimal
    quantity: int | Decimal
    sku: str


class _Sale(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """
    A transaction as it is written, likewise.
    """

    discount: Decimal | None = None
    extra: msgspec.Raw | None = None
    id: str
    items: list[_Line]
    tax: Decimal | None = None
    timestamp: str
    total: Decimal


_ENCODER = msgspec.json.Encoder(decimal_format="number")


@attrs.frozen(kw_only=True)
class FrozenBatch:
    """
    A batch as the exact bytes that are sent, today or next week.

    Store the bytes and their key before the first send, and whatever
    happens in between, the back office sees the same request again.
    """

    date: Date
    location_id: str
    body: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, batch: SalesBatch) -> "FrozenBatch":
        """
        Freeze *batch*.

        Raises:
            ValueError: An `extra` holds something that JSON can't hold exactly.
        """
        return cls.assemble(
            date=batch.date,
            location_id=batch.location_id,
            transactions=map(encode_transaction, batch.transactions),
            summary=batch.summary,
        )

    @classmethod
    def assemble(
        cls,
        *,
        date: Date,
        location_id: str,
        transactions: Iterable[bytes],
        summary: SalesSummary | None = None,
    ) -> "FrozenBatch":
        """
        Put already encoded *transactions* together.
        """
        head = encode_json({"date": date.isoformat(), "locationId": location_id})[:-1]
        tail = b"]" if summary is None else b'],"summary":' + _encode_summary(summary)
        body = head + b',"transactions":[' + b",".join(transactions) + tail + b"}"

        return cls(date=date, location_id=location_id, body=body)

    def transactions(self) -> tuple[Transaction, ...]:
        """
        Read the transactions back, exactly as they were frozen.
        """
        return tuple(map(_decode_transaction, decode_json(self.body)["transactions"]))


def encode_batch(batch: SalesBatch) -> bytes:
    """
    The body of a push.
    """
    return FrozenBatch.of(batch).body


def encode_transaction(transaction: Transaction) -> bytes:
    """
    Write *transaction* as one JSON object with exact digits.

    Its business date is not part of it: that belongs to the batch.

    Raises:
        ValueError: An `extra` holds something that JSON can't hold exactly.
    """
    return _ENCODER.encode(
        _Sale(
            items=[_line(line) for line in transaction.items],
            discount=_exact(transaction.discount),
            extra=_extra(transaction.extra, _EXTRA_NESTING),
            id=transaction.id,
            tax=_exact(transaction.tax),
            timestamp=_timestamp(transaction.timestamp),
            total=_exact(transaction.total),
        )
    )


def decode_transaction(raw: bytes | str) -> Transaction:
    """
    Read one transaction; a key `businessDate` is honoured.

    Raises:
        DecodeError: Naming what is wrong, and where.
    """
    return _decode_transaction(decode_json(raw))


def _line(line: TransactionLine) -> _Line:
    return _Line(
        amount=_exact(line.amount),
        extra=_extra(line.extra, _LINE_EXTRA_NESTING),
        price=_exact(line.price),
        quantity=_exact(line.quantity),
        sku=line.sku,
    )


def _exact(amount: Any) -> Any:
    """
    *amount*; what its class never admits may have come into it another way.
    """
    kind = type(amount)

    if kind is not int and amount is not None and not (kind is Decimal and amount.is_finite()):
        encode_json(amount)

    return amount


def _extra(extra: Mapping[str, Any], within: int) -> msgspec.Raw | None:
    return msgspec.Raw(encode_json(dict(extra), within=within)) if extra else None


def _encode_summary(summary: SalesSummary) -> bytes:
    return encode_json(
        {
            "totalOrders": summary.total_orders,
            "totalRevenue": summary.total_revenue,
            "totalTax": summary.total_tax,
            "totalDiscount": summary.total_discount,
            "averageOrderValue": summary.average_order_value,
            "itemsSold": summary.items_sold,
        }
    )


def _timestamp(moment: datetime) -> str:
    """
    RFC 3339 in UTC, as the contract shows it: `2026-01-02T10:00:00Z`.
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _decode_transaction(value: Any) -> Transaction:
    fields = _Fields(value, "$")

    return fields.build(
        Transaction,
        id=fields.text("id"),
        timestamp=fields.moment("timestamp"),
        total=fields.amount("total"),
        items=[_decode_line(line, f"$.items[{n}]") for n, line in enumerate(fields.array("items"))],
        tax=fields.amount("tax", optional=True),
        discount=fields.amount("discount", optional=True),
        business_date=fields.day("businessDate"),
        extra=fields.mapping("extra"),
    )


def _decode_line(value: Any, path: str) -> TransactionLine:
    fields = _Fields(value, path)

    return fields.build(
        TransactionLine,
        sku=fields.text("sku"),
        quantity=fields.amount("quantity"),
        price=fields.amount("price"),
        amount=fields.amount("amount", optional=True),
        extra=fields.mapping("extra"),
    )


class _Fields:
    """
    Reads the fields of one JSON object, and names the one that is wrong.
    """

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            raise DecodeError(f"{path} must be an object")
        self._value = value
        self._path = path

    def build(self, cls: Callable[..., T], **fields: Any) -> T:
        try:
            return cls(**fields)
        except (TypeError, ValueError) as exc:
            raise DecodeError(f"{self._path}: {exc}") from None

    def text(self, key: str) -> str:
        return self._typed(key, str, "a text")

    def array(self, key: str) -> list[Any]:
        return self._typed(key, list, "a list")

    def mapping(self, key: str) -> dict[str, Any]:
        return self._typed(key, dict, "an object") if key in self._value else {}

    def amount(self, key: str, *, optional: bool = False) -> Any:
        value = self._value.get(key)

        if value is None and optional:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self._wrong(key, "a number")

        return value

    def moment(self, key: str) -> datetime:
        try:
            return datetime.fromisoformat(self.text(key))
        except ValueError:
            raise self._wrong(key, "a moment like 2026-01-02T10:00:00Z") from None

    def day(self, key: str) -> Date | None:
        if self._value.get(key) is None:
            return None

        try:
            return Date.fromisoformat(self.text(key))
        except ValueError:
            raise self._wrong(key, "a date like 2026-01-02") from None

    def _typed(self, key: str, kind: type[T], expected: str) -> T:
        value = self._value.get(key)

        if not isinstance(value, kind):
            raise self._wrong(key, expected)

        return value

    def _wrong(self, key: str, expected: str) -> DecodeError:
        return DecodeError(f"{self._path}.{key} must be {expected}")
