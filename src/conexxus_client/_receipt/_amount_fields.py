"""
Converters of the fields that hold an amount: what is wrong has its field's name.
"""

from decimal import Decimal
from typing import Any

from ._amounts import named_amount


# Any number of so many bits has at most 38 digits.
_SMALL_BITS = 126


def amount(value: Any) -> Decimal:
    return named_amount("amount", value)


def change(value: Any) -> Decimal:
    return named_amount("change", value)


def discount(value: Any) -> Decimal:
    return named_amount("discount", value)


def price(value: Any) -> Decimal:
    return named_amount("price", value)


def quantity(value: Any) -> int | Decimal:
    if type(value) is int and value.bit_length() <= _SMALL_BITS:
        return value

    amount = named_amount("quantity", value)
    return value if isinstance(value, int) else amount


def rate(value: Any) -> Decimal:
    return named_amount("rate", value)


def rounding(value: Any) -> Decimal:
    return named_amount("rounding", value)


def tax(value: Any) -> Decimal:
    return named_amount("tax", value)


def taxable(value: Any) -> Decimal:
    return named_amount("taxable", value)


def tip(value: Any) -> Decimal:
    return named_amount("tip", value)


def total(value: Any) -> Decimal:
    return named_amount("total", value)
