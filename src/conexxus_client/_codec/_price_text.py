"""
Prices as they are written: which ones are read, and what is wrong with the others.
"""

import re
from decimal import Decimal

from conexxus_client._receipt._amounts import (
    MAX_DECIMALS,
    MAX_DIGITS,
    is_valid_amount,
    unsigned_zero,
)

from ._json import excerpt


_PRICE = re.compile(
    rb"-?[0-9]{1,40}(?:\.[0-9]{1,40}0*+)?(?:[eE][+-]?0*[0-9]{1,3})?"  # a JSON number
    rb'|"-?[0-9]{1,40}(?:\.[0-9]{1,40}0*+)?"'  # or a plain decimal string
).fullmatch
_PLAIN = re.compile(r"-?[0-9]++(?:\.[0-9]++)?").fullmatch

_KINDS = {b"t": "a boolean", b"f": "a boolean", b"{": "an object", b"[": "a list", b'"': "a text"}


def price_of(raw: bytes) -> Decimal | None:
    """
    The price that is written in *raw*, as a number or as a text; None if none
    is.

    It has the digits received, but for zeros at its end that are too many.
    """
    if _PRICE(raw) is None:
        return None

    price = Decimal(raw.decode().strip('"'))

    if not is_valid_amount(price):
        price = _without_last_zeros(price)

    return unsigned_zero(price) if is_valid_amount(price) else None


def price_fault(raw: bytes) -> str:
    """
    Why *raw*, the JSON of a field, is no price.
    """
    if not raw:
        return "the price is missing"
    if raw == b"null":
        return "the price is null"
    if (kind := kind_of(raw)) not in ("a number", "a text"):
        return f"the price is {kind}, not a number"

    text = raw.decode("utf-8", "replace").strip('"')

    if not _PLAIN(text) and _PRICE(raw) is None:
        return f"not a plain number: {excerpt(text)}"

    exponent = _without_last_zeros(Decimal(text)).as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MAX_DECIMALS:
        return f"more than {MAX_DECIMALS} decimals: {shown_number(text)}"

    return f"more than {MAX_DIGITS} digits: {shown_number(text)}"


def shown_number(text: str, limit: int = 60) -> str:
    """
    A number, fit for a message.
    """
    return text if len(text) <= limit else f"{text[:limit]}…"


def kind_of(raw: bytes) -> str:
    """
    What kind of JSON value *raw* begins.
    """
    return _KINDS.get(raw[:1], "a number")


def _without_last_zeros(price: Decimal) -> Decimal:
    if not price:
        return Decimal(0)

    sign, digits, exponent = price.as_tuple()
    text = "".join(map(str, digits))
    kept = text.rstrip("0") if isinstance(exponent, int) and exponent < 0 else text

    return Decimal(f"{'-' * sign}{kept}e{int(exponent) + len(text) - len(kept)}")
