"""
Checks of a transaction that lead to a remark, not to a refusal: card numbers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conexxus_client import Transaction


# 13 to 19 digits, as they stand or in groups: ISO/IEC 7812-1.
_CARD = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")


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
