"""
Encodes and decodes transactions, receipts included, and batches.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812  # a field is called `date`
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from conexxus_client._receipt._receipt_parts import Discount, Tax, Tender
from conexxus_client.models import SalesBatch, SalesSummary, Transaction, TransactionLine

from ._fields import Fields
from ._json import decode_json, encode_json


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


def timestamp(moment: datetime) -> str:
    """
    RFC 3339 in UTC, as the contract shows it: `2026-01-02T10:00:00Z`.
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def receipt_document(transaction: Transaction, sku_required: bool) -> dict[str, Any]:
    """
    All that *transaction* says, by wire key.
    """
    return _given(
        id=transaction.id,
        timestamp=timestamp(transaction.timestamp),
        total=transaction.total,
        tax=transaction.tax,
        discount=transaction.discount,
        register=transaction.register,
        kind=transaction.kind,
        currency=transaction.currency,
        rounding=transaction.rounding,
        tenders=list(map(_tender, transaction.tenders)),
        taxes=list(map(_tax, transaction.taxes)),
        discounts=list(map(_discount, transaction.discounts)),
        extra=dict(transaction.extra),
    ) | {"items": [_receipt_line(line, sku_required) for line in transaction.items]}


def receipt_fields(fields: Fields) -> dict[str, Any]:
    """
    What a transaction has beyond a plain sale.
    """
    return {
        "register": fields.optional_text("register"),
        "kind": fields.optional_text("kind"),
        "currency": fields.optional_text("currency"),
        "rounding": fields.amount("rounding", optional=True),
        "tenders": fields.each("tenders", _read_tender),
        "taxes": fields.each("taxes", _read_tax),
        "discounts": fields.each("discounts", _read_discount),
    }


def line_receipt_fields(fields: Fields) -> dict[str, Any]:
    """
    What a line has beyond SKU, quantity and price.
    """
    return {
        "name": fields.optional_text("name"),
        "category": fields.optional_text("category"),
        "unit": fields.optional_text("unit"),
        "kind": fields.optional_text("kind"),
        "discounts": fields.each("discounts", _read_discount),
        "taxes": fields.each("taxes", _read_tax),
    }


def _given(**values: Any) -> dict[str, Any]:
    """
    Those of *values* that say something.
    """
    return {key: value for key, value in values.items() if value not in (None, [], {})}


def _receipt_line(line: TransactionLine, sku_required: bool) -> dict[str, Any]:
    return _given(
        sku=line.sent_sku if sku_required else line.sku,
        quantity=line.quantity,
        price=line.price,
        amount=line.amount,
        name=line.name,
        category=line.category,
        unit=line.unit,
        kind=line.kind,
        discounts=list(map(_discount, line.discounts)),
        taxes=list(map(_tax, line.taxes)),
        extra=dict(line.extra),
    )


def _tender(tender: Tender) -> dict[str, Any]:
    return _given(
        type=tender.type,
        amount=tender.amount,
        change=tender.change,
        tip=tender.tip,
        reference=tender.reference,
    )


def _tax(tax: Tax) -> dict[str, Any]:
    return _given(
        code=tax.code,
        rate=tax.rate,
        taxable=tax.taxable,
        amount=tax.amount,
        included=tax.included,
    )


def _discount(discount: Discount) -> dict[str, Any]:
    return _given(code=discount.code, amount=discount.amount)


def _read_tender(fields: Fields) -> Tender:
    return fields.build(
        Tender,
        type=fields.text("type"),
        amount=fields.amount("amount"),
        change=fields.amount("change", optional=True),
        tip=fields.amount("tip", optional=True),
        reference=fields.optional_text("reference"),
    )


def _read_tax(fields: Fields) -> Tax:
    return fields.build(
        Tax,
        code=fields.text("code"),
        amount=fields.amount("amount"),
        taxable=fields.amount("taxable", optional=True),
        rate=fields.amount("rate", optional=True),
        included=fields.flag("included"),
    )


def _read_discount(fields: Fields) -> Discount:
    return fields.build(Discount, amount=fields.amount("amount"), code=fields.optional_text("code"))
