"""
Checks of a transaction that lead to a remark, not to a refusal: sums, card numbers.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Any

from conexxus_client import Transaction


# Enough for a product of two amounts; and not the thread's own, which a host
# application may have made to round, or to trap.
_EXACT = Context(prec=100)

_CENT = Decimal("0.01")

# 13 to 19 digits, as they stand or in groups: ISO/IEC 7812-1.
_CARD = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")


def adds_up(transaction: Transaction) -> bool:
    """
    Do the lines less discount come to the total, with or without the tax, to
    a cent a line?

    Prices may contain the tax or not; nothing says which.  If neither agrees,
    it is a figure to look at, not a fault.
    """
    # Less what was paid, to which each line is added.
    short = _EXACT.subtract(0, _EXACT.add(transaction.total, transaction.discount or 0))
    for line in transaction.items:
        if line.amount is None:
            short = _EXACT.fma(line.quantity, line.price, short)
        else:
            short = _EXACT.add(short, line.amount)

    tolerance = _EXACT.multiply(len(transaction.items), _CENT)

    return (
        _EXACT.abs(short) <= tolerance
        or _EXACT.abs(_EXACT.add(short, transaction.tax or 0)) <= tolerance
    )


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
