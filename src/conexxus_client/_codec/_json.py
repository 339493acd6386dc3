"""
JSON without floats: numbers are `int` or `Decimal`, both ways.
"""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from conexxus_client.errors import DecodeError


# Deeper than any catalogue; the parsers' own bounds differ by version.
MAX_NESTING = 100

BOM = b"\xef\xbb\xbf"

_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)


def exact_decimal(text: str) -> Decimal:
    """
    The number that *text* writes.

    Raises:
        ArithmeticError: It is out of range.
    """
    # A host that has switched off the traps would get a NaN here.
    number = Decimal(text)
    if not number.is_finite():
        raise InvalidOperation
    return number


_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=exact_decimal)
_ARRAY_DECODER: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
    list[Any], float_hook=exact_decimal
)
# In C; what it reads has been looked at.
_PLAIN_DECODER: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(
    list[Any], float_hook=Decimal
)
_ANYTHING: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")

# All that msgspec and Decimal raise for a hostile document.
UNREADABLE = (msgspec.MsgspecError, UnicodeError, ArithmeticError, RecursionError)


def decode_json(raw: bytes | str, *, within: int = 0) -> Any:
    """
    Read one JSON document exactly.

    Args:
        within: Levels of the document around it.

    Raises:
        DecodeError: It is not JSON (RFC 8259) in UTF-8, or its numbers or its
            nesting pass any sensible size.
    """
    if is_too_deep(raw, within=within):
        raise DecodeError(f"nested deeper than {MAX_NESTING} levels; found {excerpt(raw)}")

    try:
        return _DECODER.decode(raw)
    except UNREADABLE as exc:
        raise DecodeError(f"not readable as JSON: {_reason(exc)}; found {excerpt(raw)}") from None


def decode_many(documents: Sequence[bytes], *, within: int = 0) -> list[Any]:
    """
    Read many JSON documents as `decode_json` reads each.

    Raises:
        DecodeError: One of them can't be read.
    """
    # What is short has few levels; nearly all are.
    longest = max(map(len, documents), default=0)
    is_flat = longest <= MAX_NESTING - within
    if is_flat or not any(is_too_deep(document, within=within) for document in documents):
        try:
            return _ARRAY_DECODER.decode(b"[%b]" % b",".join(documents))
        except UNREADABLE:
            pass

    return [decode_json(document, within=within) for document in documents]


def decode_plain(scalars: Sequence[str]) -> list[Any]:
    """
    Read JSON texts, numbers without an exponent, booleans and nulls.
    """
    return _PLAIN_DECODER.decode(f"[{','.join(scalars)}]")


def is_too_deep(raw: bytes | str, *, within: int = 0) -> bool:
    """
    Is *raw* nested deeper than any document we want to read?

    Args:
        within: Levels of the document around it.
    """
    most = MAX_NESTING - within
    data = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw

    # What has few brackets has few levels; nearly everything ends here.
    if data.count(b"[") + data.count(b"{") <= most:
        return False

    depth = 0

    for token in _BRACKET.finditer(data):
        sign = token.group()[:1]
        depth += (sign in b"[{") - (sign in b"]}")
        if depth > most:
            return True

    return False


def check_json(raw: bytes) -> None:
    """
    Make sure that *raw* is one JSON document, without keeping what it says.

    Raises:
        DecodeError: It is none.
    """
    try:
        _ANYTHING.decode(raw)
    except UNREADABLE as exc:
        raise DecodeError(f"not readable as JSON: {_reason(exc)}; found {excerpt(raw)}") from None


def encode_json(value: Any, *, within: int = 0) -> bytes:
    """
    Write *value* with keys in order and the exact digits of its Decimals.

    The same value gives the same bytes, on every run, and `decode_json` reads
    them.

    Args:
        within: Levels of the document around it.

    Raises:
        ValueError: It holds a float, or a number that JSON can't express,
            or is nested too deeply.
    """
    _require_exact(value, within)

    return _ENCODER.encode(value)


def encode_decoded(value: Any) -> bytes:
    """
    Write what `decode_json` read, as `encode_json` would.
    """
    return _ENCODER.encode(value)


def excerpt(raw: bytes | str, limit: int = 60) -> str:
    """
    The beginning of *raw*, fit for a message.
    """
    text = raw[: limit * 4].decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    more = "…" if len(raw) > len(text[:limit].encode("utf-8", "replace")) else ""

    return f"{text[:limit]!a}{more}" if text else "nothing"


def _reason(exc: Exception) -> str:
    if isinstance(exc, UnicodeError):
        return "not UTF-8"
    if isinstance(exc, ArithmeticError):
        return "a number is out of range"
    return str(exc)


# What is exact whatever it says.
_EXACT = {str, int, bool, type(None)}


def _require_exact(value: Any, depth: int) -> None:
    """
    Raise ValueError unless *value* is made of what JSON holds exactly.
    """
    if not isinstance(value, dict | list | tuple):
        _require_exact_scalar(value)
        return

    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        msg = "the keys of a JSON object are texts"
        raise ValueError(msg)
    if depth >= MAX_NESTING:
        msg = f"nested deeper than {MAX_NESTING} levels"
        raise ValueError(msg)

    for part in value.values() if isinstance(value, dict) else value:
        # Nearly all; a call for each would take longer than to write them.
        if type(part) not in _EXACT:
            _require_exact(part, depth + 1)


def _require_exact_scalar(value: Any) -> None:
    if isinstance(value, float):
        msg = "a float has already lost its digits: pass a Decimal"
        raise ValueError(msg)  # one class of error for all that can't be written
    if isinstance(value, Decimal) and not value.is_finite():
        msg = f"JSON can't express {value}"
        raise ValueError(msg)
    if not isinstance(value, str | int | Decimal | None):
        msg = f"JSON can't express a {type(value).__name__}"
        raise ValueError(msg)
