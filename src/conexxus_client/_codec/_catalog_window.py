"""
Windows of a catalogue: neighbouring elements that were decoded together.

The fast path decodes a window into typed structs and checks whole columns.
A window that does not fit takes the slow path, element by element, which
reports what is wrong where.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import repeat
from operator import attrgetter
from typing import Any, TypeAlias

import attrs
import msgspec

from conexxus_client.errors import DecodeError
from conexxus_client.models import InvalidItem, Item

from ._items import decode_item
from ._json import UNREADABLE, decode_many, decode_plain, encode_decoded, encode_json
from ._price_text import price_of


Element: TypeAlias = Item | InvalidItem

# SKU, name, price, category, description, extra.
ItemRow: TypeAlias = tuple[str, str, str, str | None, str | None, str | None]

# The same of many items.
ItemColumns: TypeAlias = tuple[
    Sequence[str],
    Sequence[str],
    Sequence[str],
    Sequence[str | None],
    Sequence[str | None],
    Sequence[str | None],
]

# More keys than this are no vocabulary but data in the wrong place: such
# items go the slow way instead of growing the struct for ever.
MAX_LEARNED_KEYS = 64

# JSON has no other way to write a NUL; what contains it needs a closer look.
_NUL = b"\\u0000"

# Whole columns, a value a line.
_PLAIN_PRICES = re.compile(rb"(?:(?:-(?!0(?:\.0*)?\n))?[0-9]{1,20}(?:\.[0-9]{1,6})?\n)*").fullmatch
# Values that `encode_json` would write as they are, or none at all.
_PLAIN_SCALARS = re.compile(
    rb"(?:(?:"
    rb'"[^"\\\x00-\x1f]*+"'
    rb"|-?[1-9][0-9]{0,17}|0|-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,6}"
    rb"|true|false|null"
    rb")?\n)*"
).fullmatch

_ABSENT = msgspec.Raw(b"")


class _WireItem(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    sku: str
    name: str
    price: msgspec.Raw
    category: str | None = None
    description: str | None = None


_KNOWN = _WireItem.__struct_fields__


@attrs.frozen(kw_only=True)
class CatalogWindow:
    """
    Neighbouring elements of a catalogue, cut by what they contain: the same
    elements make the same window, wherever in the catalogue they stand.

    Provisional: it may change in any release.

    Attributes:
        digest: Over its bytes; empty if it has none, as in a read that was
            not told which windows are known.
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
    def elements(self) -> list[Element]:
        """
        All of its elements; none if it was known.
        """
        return [*(self.unusual if self._plain is None else self._plain.items())]


@attrs.frozen
class PlainItems:
    """
    The items of a window, by column.

    Attributes:
        prices: With the digits received.
        extra: Columns of other values, by wire key and in its order.
    """

    skus: Sequence[str]
    names: Sequence[str]
    prices: Sequence[str]
    categories: Sequence[str | None]
    descriptions: Sequence[str | None]
    extra: "dict[str, _Column]"

    def columns(self) -> ItemColumns:
        """
        Texts, as a store keeps them.
        """
        texts = self._extra_texts() if self.extra else [None] * len(self.skus)

        return self.skus, self.names, self.prices, self.categories, self.descriptions, texts

    def items(self) -> list[Item]:
        """
        An `Item` for each.
        """
        items = list(map(Item.__new__, repeat(Item, len(self.skus))))
        columns: dict[str, Iterable[Any]] = {
            "sku": self.skus,
            "name": self.names,
            "price": map(Decimal, self.prices),
            "category": self.categories,
            "description": self.descriptions,
            "extra": self._extra_values(),
        }

        # By column, in C: a million calls of `Item` take three times as long.
        for name, values in columns.items():
            deque(map(_SETTERS[name], items, values), maxlen=0)

        return items

    def _extra_texts(self) -> list[str | None]:
        columns = [column.texts() for column in self.extra.values()]

        if all(column.is_full for column in self.extra.values()):
            names = (encode_json(key).decode().replace("%", "%%") for key in self.extra)
            template = "{" + ",".join(f"{name}:%s" for name in names) + "}"
            return [template % values for values in zip(*columns, strict=True)]

        keys = [encode_json(key).decode() + ":" for key in self.extra]
        objects = (
            ",".join([key + value for key, value in zip(keys, values, strict=True) if value])
            for values in zip(*columns, strict=True)
        )

        return [f"{{{members}}}" if members else None for members in objects]

    def _extra_values(self) -> list[dict[str, Any]]:
        if not self.extra:
            return [{} for _ in self.skus]

        columns = [column.values() for column in self.extra.values()]
        keys = tuple(self.extra)

        if all(column.is_full for column in self.extra.values()):
            return list(map(dict, map(zip, repeat(keys), zip(*columns, strict=True))))

        return [
            {key: it for key, it in zip(keys, values, strict=True) if it is not _ABSENT}
            for values in zip(*columns, strict=True)
        ]


_SETTERS = {field.name: getattr(Item, field.name).__set__ for field in attrs.fields(Item)}

NO_COLUMNS: ItemColumns = ((), (), (), (), (), ())


@attrs.frozen
class _Column:
    """
    The values of one extra key: as JSON texts where these are in their one
    spelling, else decoded.  Absent ones are `""`, or `_ABSENT`.
    """

    plain: list[str] | None
    decoded: list[Any]
    is_full: bool

    @classmethod
    def of(cls, raws: Sequence[msgspec.Raw]) -> "_Column":
        """
        Raises:
            DecodeError: A value can't be read.
            UnicodeError: It is not UTF-8.
        """
        joined = b"\n".join([*raws, b""])

        if _PLAIN_SCALARS(joined):
            texts = joined.decode().split("\n")[:-1]
            return cls(texts, [], "" not in texts)

        present = [bytes(raw) for raw in raws if raw is not _ABSENT]
        values = decode_many(present, within=1)

        if len(present) == len(raws):
            return cls(None, values, True)

        found = iter(values)

        return cls(None, [raw if raw is _ABSENT else next(found) for raw in raws], False)

    def texts(self) -> list[str]:
        if self.plain is not None:
            return self.plain
        return ["" if it is _ABSENT else encode_decoded(it).decode() for it in self.decoded]

    def values(self) -> list[Any]:
        if self.plain is None:
            return self.decoded
        if self.is_full:
            return decode_plain(self.plain)

        values = iter(decode_many([text.encode() for text in self.plain if text]))

        return [next(values) if text else _ABSENT for text in self.plain]


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

        return [decode_item(raw) for raw in raws]

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

    def _columns(self, structs: Sequence[Any]) -> dict[str, _Column]:
        columns = ((key, list(map(get, structs))) for key, get in self._getters)
        return {key: _Column.of(raws) for key, raws in columns}

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
        # In the order in which `encode_json` writes them.
        names = sorted(zip(self._extra, (name for name, _, _ in extra), strict=True))
        self._getters = [(key, attrgetter(name)) for key, name in names]

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


_strip: Callable[[str], str] = str.strip

_UNREADABLE = (*UNREADABLE, DecodeError)

_ELEMENTS: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _prices(raws: Sequence[msgspec.Raw]) -> list[str] | None:
    """
    Their digits; None if one is no price.
    """
    joined = b"\n".join([*raws, b""])

    if _PLAIN_PRICES(joined):
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
