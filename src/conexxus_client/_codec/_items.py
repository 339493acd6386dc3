"""
Decodes and encodes items one by one, and says what is wrong with one.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec

from conexxus_client.errors import DecodeError
from conexxus_client.models import InvalidItem, Item

from ._item_faults import INVALID_PRICE, MAX_ELEMENT, oversized_item, unreadable_item
from ._json import UNREADABLE, decode_json, encode_json
from ._price_text import price_fault, price_of


MISSING_SKU = "Item missing SKU"
MISSING_NAME = "Item missing name"

_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_item(raw: bytes) -> Item | InvalidItem:
    """
    Decode one element of a catalogue, and say what is wrong with it.

    Raises:
        DecodeError: It is not JSON at all.
    """
    if len(raw) > MAX_ELEMENT:
        return oversized_item(raw, len(raw))

    try:
        fields = _FIELDS.decode(raw)
    except UNREADABLE:
        return unreadable_item(raw)

    return _item(raw, fields)


def _item(raw: bytes, fields: dict[str, msgspec.Raw]) -> Item | InvalidItem:
    try:
        values = {
            key: decode_json(bytes(field), within=1)
            for key, field in fields.items()
            if key != "price"
        }
    except DecodeError:
        return unreadable_item(raw)

    sku, name = values.pop("sku", None), values.pop("name", None)

    return checked_item(raw, sku, name, fields.get("price", b""), values)


def checked_item(
    raw: bytes, sku: Any, name: Any, price_text: bytes | msgspec.Raw, values: dict[str, Any]
) -> Item | InvalidItem:
    """
    The item that these decoded values are, or what is wrong with it.

    Args:
        price_text: Its JSON; empty if there is none.
        values: The others; category and description are taken out of them.
    """
    price_text = bytes(price_text)

    if not _is_text(sku):
        return InvalidItem(raw=raw, reason=_text_fault(sku, "SKU", MISSING_SKU), path="$.sku")
    if not _is_text(name):
        reason = _text_fault(name, "Name", MISSING_NAME)
        return InvalidItem(raw=raw, reason=reason, path="$.name", sku=sku)
    if (price := price_of(price_text)) is None:
        detail = price_fault(price_text)
        return InvalidItem(raw=raw, reason=INVALID_PRICE, path="$.price", sku=sku, detail=detail)
    for key in ("category", "description"):
        if isinstance(text := values.get(key), str) and "\0" in text:
            return InvalidItem(raw=raw, reason=f"Item has invalid {key}", path=f"$.{key}", sku=sku)

    return Item(sku=sku, name=name, price=price, **_optional_texts(values), extra=values)


def _optional_texts(values: dict[str, Any]) -> dict[str, str | None]:
    """
    Take category and description out of *values*; what is no text stays there.
    """
    return {
        key: values.pop(key)
        for key in ("category", "description")
        if isinstance(values.get(key, ...), str | None)
    }


_KINDS: dict[type, str] = {bool: "a boolean", list: "a list", dict: "an object"}


def _is_text(value: Any) -> TypeGuard[str]:
    # PostgreSQL stores no NUL, and a shelf label can't show one.
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _text_fault(value: Any, name: str, missing: str) -> str:
    """
    Why *value* is no text that an item can't do without.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return missing
    if isinstance(value, str):
        return f"{name} contains a NUL"

    return f"{name} is {_KINDS.get(type(value), 'a number')}, not a text"


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
