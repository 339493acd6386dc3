"""
Exact amounts: which Decimals are one, how they are added up, and the fields that hold one.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from functools import reduce
from typing import Any


MAX_DIGITS = 38
MAX_DECIMALS = 18

CENT = Decimal("0.01")

# Any number of so many bits has at most 38 digits.
_SMALL_BITS = 126

# Enough for a billion of the largest amounts.
SUM_DIGITS = MAX_DIGITS + MAX_DECIMALS + 9
WIDE = Context(prec=2 * SUM_DIGITS, rounding=ROUND_HALF_UP)


def is_valid_amount(amount: Decimal) -> bool:
    """
    Is *amount* finite, with at most 38 digits of which 18 are decimals?
    """
    _, digits, exponent = amount.as_tuple()

    if not isinstance(exponent, int) or -exponent > MAX_DECIMALS:
        return False

    # The size is settled on the exponent, before anything expands it.
    return max(len(digits) + exponent, 0) + max(-exponent, 0) <= MAX_DIGITS


def _is_plain(amount: Decimal) -> bool:
    """
    Is *amount* of cents, not zero, and small enough?  Nearly all are, and
    this takes a tenth of the time that its digits take.
    """
    return bool(amount) and amount.same_quantum(CENT) and amount.adjusted() < MAX_DIGITS - 2


def unsigned_zero(amount: Decimal) -> Decimal:
    """
    *amount*, but a zero without a minus sign: JSON parsers drop it.
    """
    return amount if amount else amount.copy_abs()


def exact_sum(amounts: Iterable[Decimal | int]) -> Decimal:
    """
    Add up *amounts* without losing a digit.

    The built-in `sum` rounds to the precision of the thread's decimal
    context: 28 digits by default, or what the host application has set.
    """
    exact = Context(prec=SUM_DIGITS, traps=[Inexact])

    return reduce(exact.add, amounts, Decimal())


def average(amount: Decimal, count: int, decimals: int) -> Decimal:
    """
    What each of *count* has of *amount*, to so many decimals, half up.
    """
    return rounded(WIDE.divide(amount, Decimal(count or 1)), decimals)


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """
    *amount* with so many decimals, half up.
    """
    return amount.quantize(Decimal((0, (1,), -decimals)), context=WIDE)


def amount_of(value: Any) -> Decimal:
    """
    Turn *value* into an exact amount.

    Raises:
        TypeError: It is neither a Decimal nor an int.
        ValueError: It is not finite, or has more digits than an amount may.
    """
    if type(value) is Decimal and _is_plain(value):
        return value

    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        msg = f"an amount must be a Decimal or an int, not {type(value).__name__}"
        raise TypeError(msg)

    amount = Decimal(value)

    if not is_valid_amount(amount):
        msg = f"an amount is finite, with at most {MAX_DIGITS} digits and {MAX_DECIMALS} decimals"
        raise ValueError(msg)

    return unsigned_zero(amount)


def _named(name: str, value: Any) -> Decimal:
    """
    The amount of a field: a till has dozens, so what is wrong has its name.
    """
    try:
        return amount_of(value)
    except (TypeError, ValueError) as exc:
        msg = f"{name}: {exc}"
        raise type(exc)(msg) from None


# Converters of the fields that hold an amount, by their names.


def amount(value: Any) -> Decimal:
    return _named("amount", value)


def change(value: Any) -> Decimal:
    return _named("change", value)


def discount(value: Any) -> Decimal:
    return _named("discount", value)


def price(value: Any) -> Decimal:
    return _named("price", value)


def quantity(value: Any) -> int | Decimal:
    if type(value) is int and value.bit_length() <= _SMALL_BITS:
        return value

    number = _named("quantity", value)
    return value if isinstance(value, int) else number


def rate(value: Any) -> Decimal:
    return _named("rate", value)


def rounding(value: Any) -> Decimal:
    return _named("rounding", value)


def tax(value: Any) -> Decimal:
    return _named("tax", value)


def taxable(value: Any) -> Decimal:
    return _named("taxable", value)


def tip(value: Any) -> Decimal:
    return _named("tip", value)


def total(value: Any) -> Decimal:
    return _named("total", value)
