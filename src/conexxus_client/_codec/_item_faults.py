"""
Elements of a catalogue that have borders, and yet can't be used: what is wrong where.
"""

import hashlib
import re
from collections.abc import Iterator

from conexxus_client.errors import DecodeError
from conexxus_client.models import InvalidItem

from ._json import decode_json, excerpt, is_too_deep
from ._json_scanner import members
from ._price_text import price_fault


INVALID_PRICE = "Item has invalid price"
NOT_AN_OBJECT = "Item is not an object"

# Bytes.  A larger element is no item but a picture, say, and is set aside; of
# such a one, the beginning is kept.
MAX_ELEMENT = 1024 * 1024
_KEPT = 4096

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,60}", re.ASCII).fullmatch
# Careless back offices write the first two.
_SCALAR = re.compile(
    rb"NaN|-?Infinity|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null"
).fullmatch
_TEXT_OR_WORD = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^ \t\n\r"\[\]{}:,]++', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_ESCAPE = re.compile(rb"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

_TOO_DEEP = "nested too deeply"


def unreadable_item(raw: bytes) -> InvalidItem:
    """
    What is wrong with an element that is no JSON, or none that can be kept.

    Raises:
        DecodeError: Its very structure is broken: its end may be elsewhere.
    """
    sku, faults = None, dict[str, str]()

    if raw[:1] not in (b"{", b"[", b'"') and not _SCALAR(raw):
        decode_json(raw)

    try:
        fields = list(_fields(raw, len(raw)))
    except DecodeError:
        decode_json(raw)
        raise

    for name, key, value in fields:
        fault = _fault(key) or _fault(value, within=1)
        if fault is not None:
            faults.setdefault(name, price_fault(value) if name == "price" else fault)
        elif name == "sku":
            sku = _text(value)

    return _unreadable(raw, sku, faults)


def _unreadable(raw: bytes, sku: str | None, faults: dict[str, str]) -> InvalidItem:
    if "price" in faults:
        return InvalidItem(
            raw=raw, reason=INVALID_PRICE, path="$.price", sku=sku, detail=faults["price"]
        )
    if not faults and raw[:1] != b"{":
        return InvalidItem(raw=raw, reason=NOT_AN_OBJECT)

    name, fault = next(iter(faults.items()), ("", _fault(raw)))
    where = f"{_shown(name)}: " if name else ""
    reason = f"Item is not readable: {where}{fault}"

    if fault == _TOO_DEEP:
        reason = f"Item is {_TOO_DEEP}"

    return InvalidItem(raw=raw, reason=reason, path=_path_of(name), sku=sku)


def oversized_item(buffer: bytes | bytearray, end: int) -> InvalidItem:
    """
    What is too large in the element in the first *end* bytes of *buffer*.

    Raises:
        DecodeError: Its very structure is broken: its end may be elsewhere.
    """
    sku, largest, size = None, "", 0

    for name, _, value in _fields(buffer, end):
        if len(value) > size:
            largest, size = name, len(value)
        if name == "sku":
            sku = _text(value)

    where = f": {_shown(largest)} has {size:,}" if largest else ""
    with memoryview(buffer) as view:
        digest = hashlib.sha256(view[:end]).hexdigest()

    return InvalidItem(
        raw=bytes(buffer[:_KEPT]),
        reason=f"Item is larger than {MAX_ELEMENT:,} bytes{where}",
        path=_path_of(largest),
        sku=sku,
        # Distinguishes what begins with the same bytes.
        detail=f"at most {MAX_ELEMENT:,} bytes; it has {end:,}, with the SHA-256 {digest[:32]}",
    )


def _path_of(name: str) -> str:
    """
    The JSONPath of a field.
    """
    if not name:
        return "$"

    return f"$.{name}" if _PLAIN_KEY(name) else f"$[{excerpt(name)}]"


def _shown(name: str) -> str:
    return name if _PLAIN_KEY(name) else excerpt(name)


def _fields(raw: bytes | bytearray, end: int) -> Iterator[tuple[str, bytes, bytes]]:
    """
    Name, key and value of each field, the last two as they came.
    """
    for key, start, stop in members(raw, end):
        name = _text(key) or key[1:-1].decode("utf-8", "replace")
        yield name, key, bytes(raw[start:stop]).strip()


def _text(raw: bytes) -> str | None:
    """
    The text that can be read in *raw*, and is not blank.
    """
    try:
        value = decode_json(raw)
    except DecodeError:
        return None

    # PostgreSQL stores no NUL, and a shelf label can't show one.
    return value if isinstance(value, str) and value.strip() and "\0" not in value else None


def _fault(raw: bytes, within: int = 0) -> str | None:
    """
    Why *raw* can't be read; None if it can.
    """
    if not raw:
        return "the value is missing"
    if is_too_deep(raw, within=within):
        return _TOO_DEEP

    try:
        decode_json(raw)
    except DecodeError as exc:
        return next(_faults(raw), str(exc).removeprefix("not readable as JSON: ").partition(";")[0])

    return None


def _faults(raw: bytes) -> Iterator[str]:
    try:
        raw.decode()
    except UnicodeDecodeError:
        yield "not UTF-8"

    for part in _TEXT_OR_WORD.finditer(raw):
        if part.group().startswith(b'"'):
            yield from _faults_of_text(part.group())
        elif not _SCALAR(part.group()) or part.group()[-1:] in b"Ny":
            yield f"{excerpt(part.group())} is no JSON value"


def _faults_of_text(text: bytes) -> Iterator[str]:
    if (control := _CONTROL.search(text)) is not None:
        yield f"the control character U+{control.group()[0]:04X} is not escaped"

    for escape in _ESCAPE.finditer(text):
        if len(escape[1]) == 1 and escape[1] not in b'"\\/bfnrt':
            yield f"the escape {excerpt(escape.group())} is none of JSON"

    if _SURROGATE.search(text) is not None:
        yield "half of a surrogate pair"
