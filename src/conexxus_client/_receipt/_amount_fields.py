"""
Converters of the fields that hold an amount: what is wrong has its field's name.
"""

from decimal import Decimal
from typing import Any

from ._amounts import named_amount


def amount(value: Any) -> Decimal:
    return named_amount("amount", value)


def price(value: Any) -> Decimal:
    return named_amount("price", value)


def total(value: Any) -> Decimal:
    return named_amount("total", value)


def optional_amount(value: Any) -> Decimal | None:
    return None if value is None else named_amount("amount", value)


def optional_change(value: Any) -> Decimal | None:
    return None if value is None else named_amount("change", value)


def optional_discount(value: Any) -> Decimal | None:
    return None if value is None else named_amount("discount", value)


def optional_rate(value: Any) -> Decimal | None:
    return None if value is None else named_amount("rate", value)


def optional_rounding(value: Any) -> Decimal | None:
    return None if value is None else named_amount("rounding", value)


def optional_tax(value: Any) -> Decimal | None:
    return None if value is None else named_amount("tax", value)


def optional_taxable(value: Any) -> Decimal | None:
    return None if value is None else named_amount("taxable", value)


def optional_tip(value: Any) -> Decimal | None:
    return None if value is None else named_amount("tip", value)
