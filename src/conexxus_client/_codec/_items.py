"""
Decodes and encodes items, one by one or a window at a time.

The fast path decodes a whole window into typed structs.  What does not fit
takes the slow path, element by element, which reports what is wrong where.
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

# More keys than this are no vocabulary but data in the wrong place: such
# items go the slow way instead of growing the struct for ever.
MAX_LEARNED_KEYS = 64

_PLAIN_PRICE = re.compile(rb"[0-9]{1,20}(?:\.[0-9]{1,18})?").fullmatch
_ANY_PRICE = re.compile(
    rb"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?"  # a JSON number
    rb'|"-?[0-9]{1,40}(?:\.[0-9]{1,40})?"'  # or a plain decimal string
).fullmatch
_ABSENT = msgspec.Raw(b"")

# JSON has no other way to write a NUL; what contains it needs a closer look.
_NUL = b"\\u0000"


class _WireItem(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    sku: str
    name: str
    price: msgspec.Raw
    category: str | None = None
    description: str | None = None


_KNOWN = _WireItem.__struct_fields__


class ItemDecoder:
    """
    Decodes windows of items, and learns the extra keys they carry.
    """

    def __init__(self) -> None:
        self._extra: tuple[str, ...] = ()
        self._prepare()

    def decode(self, array: bytes) -> list[Item | InvalidItem] | None:
        """
        Decode a JSON array of items.

        Returns:
            None if *array* is not one whole array.
        """
        if _NUL not in array:
            try:
                return [self._build(wire) for wire in self._typed.decode(array)]
            except _SLOW_PATH_ERRORS:
                pass

        try:
            elements = _ELEMENTS.decode(array)
        except (msgspec.MsgspecError, RecursionError):
            return None

        raws = [bytes(element) for element in elements]
        self._learn_keys(raws)

        return [self.decode_one(raw) for raw in raws]

    def decode_one(self, raw: bytes) -> Item | InvalidItem:
        """
        Decode one element, whatever it is.

        Raises:
            DecodeError: It is not JSON at all.
        """
        if _NUL in raw:
            return decode_item(raw)

        try:
            return self._build(self._one.decode(raw))
        except _SLOW_PATH_ERRORS:
            return decode_item(raw)

    def _prepare(self) -> None:
        extra = [(f"extra_{n}", msgspec.Raw, _ABSENT) for n in range(len(self._extra))]
        struct = msgspec.defstruct(
            "_WireItemWithExtra",
            extra,
            bases=(_WireItem,),
            rename={name: key for (name, _, _), key in zip(extra, self._extra, strict=True)},
            gc=False,
            forbid_unknown_fields=True,
        )
        self._typed: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type]  # made at run time
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(struct)
        self._names = [(key, name) for (name, _, _), key in zip(extra, self._extra, strict=True)]

    def _learn_keys(self, raws: list[bytes]) -> None:
        """
        Extend the struct by the keys seen in *raws*, within reason.
        """
        keys = {key: None for raw in raws for key in _keys(raw)}
        new = [key for key in keys if key not in {*_KNOWN, *self._extra} and _is_learnable(key)]

        if new and len(self._extra) + len(new) <= MAX_LEARNED_KEYS:
            self._extra += tuple(new)
            self._prepare()

    def _build(self, wire: Any) -> Item:
        raw = bytes(wire.price)

        if _PLAIN_PRICE(raw) is None or not wire.sku.strip() or not wire.name.strip():
            raise _SlowPathNeeded

        return Item(
            sku=wire.sku,
            name=wire.name,
            price=Decimal(raw.decode()),
            category=wire.category,
            description=wire.description,
            extra=self._extra_of(wire) if self._names else {},
        )

    def _extra_of(self, wire: Any) -> dict[str, Any]:
        values = ((key, getattr(wire, name)) for key, name in self._names)
        return {key: decode_json(bytes(value)) for key, value in values if value is not _ABSENT}


class _SlowPathNeeded(Exception):
    """
    This element has to take the slow path.
    """


# What the fast path raises then; the last is about an extra value.
_SLOW_PATH_ERRORS = (_SlowPathNeeded, *UNREADABLE, DecodeError)


_ELEMENTS: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _is_learnable(key: str) -> bool:
    # What msgspec takes for a field's name; other keys go the slow way.
    return key.isprintable() and not {'"', "\\"} & set(key)


def _keys(raw: bytes) -> tuple[str, ...]:
    try:
        return tuple(_FIELDS.decode(raw))
    except UNREADABLE:
        return ()


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
        values = {key: decode_json(bytes(field)) for key, field in fields.items() if key != "price"}
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
    if (price := _price(price_text)) is None:
        return refuse(INVALID_PRICE, "$.price")

    texts = {key: values.pop(key, None) for key in ("category", "description")}

    for key, text in texts.items():
        if text is not None and (not isinstance(text, str) or "\0" in text):
            return refuse(f"Item has invalid {key}", f"$.{key}")

    return Item(sku=readable, name=name, price=price, extra=values, **texts)


def _is_text(value: Any) -> TypeGuard[str]:
    # PostgreSQL stores no NUL, and a shelf label can't show one.
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _price(raw: bytes) -> Decimal | None:
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
