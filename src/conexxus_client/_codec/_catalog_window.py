"""
Windows of a catalogue: neighbouring elements that were decoded together.

The fast path decodes a window into typed structs and checks whole columns.
A window that does not fit takes the slow path, element by element, which
reports what is wrong where.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

import attrs
import msgspec

from conexxus_client.errors import DecodeError
from conexxus_client.models import InvalidItem

from ._item_faults import MAX_ELEMENT
from ._items import checked_item, decode_item
from ._json import (
    UNREADABLE,
    exact_decimal,
    is_too_deep,
)
from ._plain_items import ABSENT, NO_COLUMNS, Column, Element, ItemColumns, ItemRow, PlainItems
from ._price_text import price_of


# More keys than this are no vocabulary but data in the wrong place: such
# items go the slow way instead of growing the struct for ever.
MAX_LEARNED_KEYS = 64

# JSON has no other way to write a NUL; what contains it needs a closer look.
_NUL = b"\\u0000"

# Whole columns, a value a line.
_PLAIN_PRICES = re.compile(rb"(?:-?+[0-9]{1,20}+(?:\.[0-9]{1,6}+)?+\n)*+").fullmatch
# Not a look ahead in the one above: Python 3.11.2 passes over it there.
_HAS_NEGATIVE_ZERO = re.compile(rb"(?:^|\n)-0+(?:\.0*)?\n").search


class _WireItem(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    sku: str
    name: str
    price: msgspec.Raw
    category: str | None = None
    description: str | None = None


class _LooseItem(msgspec.Struct, forbid_unknown_fields=True):
    sku: Any = None
    name: Any = None
    price: msgspec.Raw = ABSENT
    category: Any = msgspec.UNSET
    description: Any = msgspec.UNSET


_KNOWN = _WireItem.__struct_fields__


@attrs.frozen(kw_only=True)
class CatalogWindow:
    """
    Neighbouring elements of a catalogue, cut by what they contain: the same
    elements make the same window, wherever in the catalogue they stand.

    Provisional: it may change in any release.

    Attributes:
        digest: Over its bytes; empty if it has none, as in a read that was
            not given which windows are known.
        count: How many elements it has; 0 is a sign of life.
        unusual: Its elements, if one of them needs a closer look; then there
            are no rows.
    """

    digest: bytes
    count: int
    unusual: Sequence[Element] = attrs.field(default=(), repr=False)
    _plain: "PlainItems | None" = attrs.field(default=None, repr=False)

    @property
    def rows(self) -> list[ItemRow]:
        """
        SKU, name, price, category, description, extra of its items.

        A price is a text with the digits received; `extra` is JSON, equal
        texts for equal values, or None.  Empty for a window with anything
        unusual, and for one that was known.
        """
        return list(zip(*self.columns, strict=True))

    @property
    def columns(self) -> ItemColumns:
        """
        The rows, by column.
        """
        return NO_COLUMNS if self._plain is None else self._plain.columns()

    @property
    def skus(self) -> Sequence[str | bytes]:
        """
        The SKU of each element, or its text if it has none; the digest
        instead, if the window was known.
        """
        if self._plain is not None:
            return self._plain.skus

        return [_identity(it) for it in self.unusual] or [self.digest]

    @property
    def elements(self) -> list[Element]:
        """
        All of its elements; none if it was known.
        """
        return [*(self.unusual if self._plain is None else self._plain.items())]


def _identity(element: Element) -> str | bytes:
    return element.sku or (element.raw if isinstance(element, InvalidItem) else "")


class WindowDecoder:
    """
    Decodes windows, and learns the extra keys of their items.
    """

    def __init__(self) -> None:
        self._extra: tuple[str, ...] = ()
        self._prepare()

    def decode(self, array: bytes) -> PlainItems | list[Element] | None:
        """
        Decode a JSON array of elements.

        Returns:
            Its items, if all are plain; else its elements.  None if *array*
            is not one whole array.
        """
        if (plain := self._plain(array)) is not None:
            return plain

        try:
            raws = [bytes(element) for element in _ELEMENTS.decode(array)]
        except (msgspec.MsgspecError, RecursionError):
            return None

        if self._learn_keys(raws) and (plain := self._plain(array)) is not None:
            return plain

        return self._loose(array, raws) or [decode_item(raw) for raw in raws]

    def _loose(self, array: bytes, raws: list[bytes]) -> list[Element] | None:
        """
        The elements, if all are objects with known keys, and readable.
        """
        if any(len(raw) > MAX_ELEMENT or is_too_deep(raw) for raw in raws):
            return None

        try:
            structs = self._loosely.decode(array)
        except UNREADABLE:
            return None

        return [
            checked_item(raw, it.sku, it.name, it.price, self._other_values(it))
            for raw, it in zip(raws, structs, strict=True)
        ]

    def _other_values(self, struct: Any) -> dict[str, Any]:
        values = ((key, getattr(struct, name)) for key, name in self._others)
        return {key: value for key, value in values if value is not msgspec.UNSET}

    def _plain(self, array: bytes) -> PlainItems | None:
        if _NUL in array:
            return None

        try:
            structs = self._typed.decode(array)
            skus, names = [it.sku for it in structs], [it.name for it in structs]
            prices = _prices([it.price for it in structs])
            if prices is None or not all(map(_strip, skus)) or not all(map(_strip, names)):
                return None
            categories = [it.category for it in structs]
            descriptions = [it.description for it in structs]
            extra = self._columns(structs)
            return PlainItems(skus, names, prices, categories, descriptions, extra)
        except _UNREADABLE:
            return None

    def _columns(self, structs: Sequence[Any]) -> dict[str, Column]:
        columns = ((key, list(map(get, structs))) for key, get in self._getters)
        return {key: Column.of(raws) for key, raws in columns}

    def _prepare(self) -> None:
        self._typed, self._loosely = decoders(self._extra)
        names = [(key, f"extra_{n}") for n, key in enumerate(self._extra)]
        self._others = [("category", "category"), ("description", "description"), *names]
        # In the order in which `encode_json` writes them.
        self._getters = [(key, attrgetter(name)) for key, name in sorted(names)]

    def _learn_keys(self, raws: list[bytes]) -> bool:
        """
        Extend the struct by the keys seen in *raws*, within reason.
        """
        keys = {key: None for raw in raws for key in _keys(raw)}
        new = [key for key in keys if key not in {*_KNOWN, *self._extra} and _is_learnable(key)]

        if not new or len(self._extra) + len(new) > MAX_LEARNED_KEYS:
            return False

        self._extra += tuple(new)
        self._prepare()

        return True


_ItemsDecoder: TypeAlias = "msgspec.json.Decoder[list[Any]]"


# Each page of a catalogue has a reader of its own.
@lru_cache(maxsize=32)
def decoders(extra: tuple[str, ...]) -> tuple[_ItemsDecoder, _ItemsDecoder]:
    """
    Decoders of items with these keys more: of plain ones, and of any.
    """
    names = {f"extra_{n}": key for n, key in enumerate(extra)}
    plain = msgspec.defstruct(
        "_WireItemWithExtra",
        [(name, msgspec.Raw, ABSENT) for name in names],
        bases=(_WireItem,),
        rename=names,
        gc=False,
        forbid_unknown_fields=True,
    )
    loose = msgspec.defstruct(
        "_LooseItemWithExtra",
        [(name, Any, msgspec.UNSET) for name in names],
        bases=(_LooseItem,),
        rename=names,
        forbid_unknown_fields=True,
    )

    return (
        msgspec.json.Decoder(list[plain]),  # type: ignore[valid-type]  # made at run time
        msgspec.json.Decoder(list[loose], float_hook=exact_decimal),  # type: ignore[valid-type]  # made at run time
    )


_strip: Callable[[str], str] = str.strip

_UNREADABLE = (*UNREADABLE, DecodeError)

_ELEMENTS: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _prices(raws: Sequence[msgspec.Raw]) -> list[str] | None:
    """
    Their digits; None if one is no price.
    """
    joined = b"\n".join([*raws, b""])

    if _PLAIN_PRICES(joined) and not (b"-" in joined and _HAS_NEGATIVE_ZERO(joined)):
        return joined.decode().split("\n")[:-1]

    prices = [price_of(bytes(raw)) for raw in raws]

    return None if None in prices else [str(price) for price in prices]


def _is_learnable(key: str) -> bool:
    # What msgspec takes for a field's name; other keys go the slow way.
    return key.isprintable() and not {'"', "\\"} & set(key)


def _keys(raw: bytes) -> tuple[str, ...]:
    try:
        return tuple(_FIELDS.decode(raw))
    except UNREADABLE:
        return ()
