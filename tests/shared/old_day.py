"""
A day of 300 sales, as the store in `assets/store-24020fd.db.gz` has them delivered.

The store was written by commit 24020fd, before digests had a version, with
`on_changed="resend"`, by a push of `sales()` against the sandbox.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from conexxus_client import Transaction, TransactionLine


LOCATION = "loc-001"
DAY = date(2026, 1, 2)


def sales():
    """
    Sales of every shape: lines in any order, zeros, taxes, discounts, `extra`,
    fractions of seconds, refunds.
    """
    return [_sale(number) for number in range(300)]


def _sale(number):
    price = Decimal(f"{number % 7 + 1}.{number % 10}0")
    sign = -1 if number % 50 == 49 else 1
    lines = [
        TransactionLine(
            sku=f"SKU{place:02}",
            quantity=sign * Decimal("0.500") if place == 3 else sign,
            price=price,
            amount=sign * Decimal("0.00") if place == 2 else None,
            extra={"scale": Decimal("1.50")} if place == 1 and number % 3 == 0 else {},
        )
        for place in range(number % 4, -1, -1)
    ]

    return Transaction(
        id=f"t{number:03}",
        timestamp=datetime(2026, 1, 2, 8, tzinfo=UTC) + timedelta(seconds=number * 61.0625),
        total=sign * price,
        items=lines,
        tax=[None, Decimal("0.00"), Decimal("0.10")][number % 3],
        discount=[None, Decimal(0)][number % 2],
        extra={"payments": [{"kind": "cash", "amount": price}]} if number % 2 else {},
    )
