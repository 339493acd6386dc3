"""
Encodes and decodes transactions and batches.
"""

from collections.abc import Iterable, Mapping
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from conexxus_client.models import SalesBatch, SalesSummary, Transaction, TransactionLine

from ._fields import Fields
from ._json import decode_json, encode_json
from ._receipts import line_receipt_fields, receipt_document, receipt_fields, timestamp


# Around a transaction, the `extra` of one, and that of a line, in the body of
# a push.
_NESTING = 2
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
    sku: str | None


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


def encode_transaction(transaction: Transaction, *, sku_required: bool = True) -> bytes:
    """
    Write *transaction* as one JSON object with exact digits.

    Its business date is not part of it: that belongs to the batch.

    Args:
        sku_required: Whether a line without a SKU gets its kind, like `TIP`.

    Raises:
        ValueError: An `extra` holds something that JSON can't hold exactly.
    """
    if not transaction.is_plain:
        return encode_json(receipt_document(transaction, sku_required), within=_NESTING)

    return _ENCODER.encode(
        _Sale(
            items=[_line(line) for line in transaction.items],
            discount=_exact(transaction.discount),
            extra=_extra(transaction.extra, _EXTRA_NESTING),
            id=transaction.id,
            tax=_exact(transaction.tax),
            timestamp=timestamp(transaction.timestamp),
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


def _decode_transaction(value: Any) -> Transaction:
    fields = Fields(value, "$")

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
        **receipt_fields(fields),
    )


def _decode_line(value: Any, path: str) -> TransactionLine:
    fields = Fields(value, path)
    receipt = line_receipt_fields(fields)

    return fields.build(
        TransactionLine,
        sku=fields.optional_text("sku") if receipt.get("kind") else fields.text("sku"),
        quantity=fields.amount("quantity"),
        price=fields.amount("price"),
        amount=fields.amount("amount", optional=True),
        extra=fields.mapping("extra"),
        **receipt,
    )
