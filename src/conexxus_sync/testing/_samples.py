"""
Valid items and transactions, of which a test names only what matters to it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from conexxus_client import Item, Transaction, TransactionLine, exact_sum


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SKU = "WINE001"

Amount = Decimal | int | str


def item(
    sku: str = SKU,
    price: Amount = "9.99",
    *,
    name: str | None = None,
    category: str | None = None,
    description: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Item:
    """
    Make an `Item` of the catalogue.

    Args:
        sku: Its SKU.
        price: Its price; text is read digit by digit, `"9.90"` stays `9.90`.
        name: Its name; made of the SKU unless it is given.
        category: Its category.
        description: Its description.
        extra: What else the back office says about it, by wire key.
    """
    return Item(
        sku=sku,
        name=f"Item {sku}" if name is None else name,
        price=Decimal(price),
        category=category,
        description=description,
        extra={} if extra is None else extra,
    )


def sale(
    transaction_id: str,
    total: Amount = "9.99",
    *,
    timestamp: datetime = NOON,
    items: Iterable[TransactionLine] | None = None,
    tax: Amount | None = None,
    discount: Amount | None = None,
    business_date: date | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Transaction:
    """
    Make a finished `Transaction`; a refund if *total* is negative.

    Args:
        transaction_id: Its id, unique within a location and business date.
        total: What was paid, tax included; text is read digit by digit.
        timestamp: When it was finished; aware. Noon of 2026-01-02, UTC,
            unless it is given.
        items: Its lines. Unless they are given, there is one line of one
            piece, at the price with which the sale adds up.
        tax: The part of the total that is tax.
        discount: What was taken off the sum of the lines.
        business_date: The till's own business date, if it has one.
        extra: Whatever else is sent with it, by wire key.

    Raises:
        ValueError: *timestamp* is naive, or an amount has too many digits.
    """
    paid, taxed, reduced = Decimal(total), _optional(tax), _optional(discount)

    if items is None:
        # Exact in any decimal context; so is `copy_abs`, unlike `abs`.
        amount = exact_sum([paid, (taxed or Decimal()).copy_negate(), reduced or Decimal()])
        quantity = -1 if amount < 0 else 1
        items = [TransactionLine(sku=SKU, quantity=quantity, price=amount.copy_abs())]

    return Transaction(
        id=transaction_id,
        timestamp=timestamp,
        total=paid,
        items=tuple(items),
        tax=taxed,
        discount=reduced,
        business_date=business_date,
        extra={} if extra is None else extra,
    )


def _optional(amount: Amount | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)
