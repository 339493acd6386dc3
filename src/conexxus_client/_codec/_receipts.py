"""
Receipts as JSON: tenders, taxes, discounts, and what a line may have of them.
"""

from datetime import UTC, datetime
from typing import Any

from conexxus_client._receipt._receipt_parts import Discount, Tax, Tender
from conexxus_client.models import Transaction, TransactionLine

from ._fields import Fields


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
    ) | {"items": [_line(line, sku_required) for line in transaction.items]}


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


def _line(line: TransactionLine, sku_required: bool) -> dict[str, Any]:
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
