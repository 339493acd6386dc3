"""
Decodes and encodes items one by one, and says what is wrong with one.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeGuard

import msgspec

from conexxus_client.errors import DecodeError
from conexxus_client.models import InvalidItem, Item, is_valid_amount, unsigned_zero

from ._json import UNREADABLE, decode_json, encode_json, is_too_deep


MISSING_SKU = "Item missing SKU"
MISSING_NAME = "Item missing name"
INVALID_PRICE = "Item has invalid price"
NOT_AN_OBJECT = "Item is not an object"

_ANY_PRICE = re.compile(
    rb"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?"  # a JSON number
    rb'|"-?[0-9]{1,40}(?:\.[0-9]{1,40})?"'  # or a plain decimal string
).fullmatch
_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_item(raw: bytes) -> Item | InvalidItem:
    """
    Decode one element of a catalogue, and say what is wrong with it.

    Raises:
        DecodeError: It is not JSON at all.
    """
    try:
        fields = _FIELDS.decode(raw)
    except msgspec.ValidationError:
        return _not_an_object(raw)
    except UNREADABLE:
        return _unreadable_item(raw)

    try:
        values = {
            key: decode_json(bytes(field), within=1)
            for key, field in fields.items()
            if key != "price"
        }
    except DecodeError:
        return _unreadable_item(raw)

    return _checked_item(raw, values, bytes(fields.get("price", b"")))


def _not_an_object(raw: bytes) -> InvalidItem:
    try:
        decode_json(raw)
    except DecodeError:
        return _unreadable_item(raw)

    return InvalidItem(raw=raw, reason=NOT_AN_OBJECT)


def _checked_item(raw: bytes, values: dict[str, Any], price_text: bytes) -> Item | InvalidItem:
    sku, name = values.pop("sku", None), values.pop("name", None)
    readable = sku if _is_text(sku) else None

    def refuse(reason: str, path: str) -> InvalidItem:
        return InvalidItem(raw=raw, reason=reason, path=path, sku=readable)

    if readable is None:
        return refuse(MISSING_SKU, "$.sku")
    if not _is_text(name):
        return refuse(MISSING_NAME, "$.name")
    if (price := price_of(price_text)) is None:
        return refuse(INVALID_PRICE, "$.price")

    texts = {key: values.pop(key, None) for key in ("category", "description")}

    for key, text in texts.items():
        if text is not None and (not isinstance(text, str) or "\0" in text):
            return refuse(f"Item has invalid {key}", f"$.{key}")

    return Item(sku=readable, name=name, price=price, extra=values, **texts)


def _is_text(value: Any) -> TypeGuard[str]:
    # PostgreSQL stores no NUL, and a shelf label can't show one.
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def price_of(raw: bytes) -> Decimal | None:
    """
    The price that is written in *raw*, as a number or as a text; None if none is.
    """
    if _ANY_PRICE(raw) is None:
        return None

    price = unsigned_zero(Decimal(raw.decode().strip('"')))

    return price if is_valid_amount(price) else None


def _unreadable_item(raw: bytes) -> InvalidItem:
    """
    An element with borders, but with something inside that can't be read.

    Raises:
        DecodeError: The element's very structure is broken.
    """
    reason = "Item is not readable: not UTF-8, or a number or text out of range"

    if is_too_deep(raw):
        return InvalidItem(raw=raw, reason="Item is nested too deeply")

    try:
        # No number is kept, however long it is: it could not be a SKU.
        loose = json.loads(raw.decode("utf-8", "replace"), parse_int=_zero, parse_float=_zero)
    except ValueError:
        decode_json(raw)
        return InvalidItem(raw=raw, reason=reason)

    fields = loose if isinstance(loose, dict) else {}
    sku = fields.get("sku")

    # A float can only be NaN or an infinity, which careless back offices do
    # write.
    if isinstance(fields.get("price"), float):
        reason, path = INVALID_PRICE, "$.price"
    else:
        path = "$"

    return InvalidItem(raw=raw, reason=reason, path=path, sku=sku if _is_clean(sku) else None)


def _zero(_: str) -> int:
    return 0


def _is_clean(value: Any) -> TypeGuard[str]:
    # What could not be decoded is no SKU.
    return _is_text(value) and not any(
        char == "\ufffd" or "\ud800" <= char <= "\udfff" for char in value
    )


def encode_item(item: Item) -> bytes:
    """
    Write *item* as one JSON object; its price has the digits it came with.

    Raises:
        ValueError: `extra` holds something that JSON can't hold exactly.
    """
    fields: dict[str, Any] = {"sku": item.sku, "name": item.name, "price": item.price}

    if item.category is not None:
        fields["category"] = item.category
    if item.description is not None:
        fields["description"] = item.description

    return encode_json({**item.extra, **fields})


def encode_extra(extra: Mapping[str, Any]) -> str:
    """
    Write an item's or a transaction's `extra`: equal values, equal texts.
    """
    return encode_json(dict(extra)).decode()


def decode_extra(text: str) -> dict[str, Any]:
    """
    Read back what `encode_extra` wrote.

    Raises:
        DecodeError: It is no JSON object.
    """
    value = decode_json(text)

    if not isinstance(value, dict):
        raise DecodeError(f"expected a JSON object, found {type(value).__name__}")

    return value
