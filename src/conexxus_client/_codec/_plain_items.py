"""
The items of a window by column, as they were decoded: texts for a store, or `Item`s.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any, TypeAlias

import attrs
import msgspec

from conexxus_client.models import InvalidItem, Item

from ._json import decode_many, decode_plain, encode_decoded, encode_json


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

# Values that `encode_json` would write as they are, or none at all.
_PLAIN_SCALARS = re.compile(
    rb"(?:(?:"
    rb'"[^"\\\x00-\x1f]*+"'
    rb"|-?[1-9][0-9]{0,17}|0|-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,6}"
    rb"|true|false|null"
    rb")?\n)*"
).fullmatch

ABSENT = msgspec.Raw(b"")


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
    extra: "dict[str, Column]"

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
            {key: it for key, it in zip(keys, values, strict=True) if it is not ABSENT}
            for values in zip(*columns, strict=True)
        ]


_SETTERS = {field.name: getattr(Item, field.name).__set__ for field in attrs.fields(Item)}

NO_COLUMNS: ItemColumns = ((), (), (), (), (), ())


@attrs.frozen
class Column:
    """
    The values of one extra key: as JSON texts where these are in their one
    spelling, else decoded.  Absent ones are `""`, or `ABSENT`.
    """

    plain: list[str] | None
    decoded: list[Any]
    is_full: bool

    @classmethod
    def of(cls, raws: Sequence[msgspec.Raw]) -> "Column":
        """
        Raises:
            DecodeError: A value can't be read.
            UnicodeError: It is not UTF-8.
        """
        joined = b"\n".join([*raws, b""])

        if _PLAIN_SCALARS(joined):
            texts = joined.decode().split("\n")[:-1]
            return cls(texts, [], "" not in texts)

        present = [bytes(raw) for raw in raws if raw is not ABSENT]
        values = decode_many(present, within=1)

        if len(present) == len(raws):
            return cls(None, values, True)

        found = iter(values)

        return cls(None, [raw if raw is ABSENT else next(found) for raw in raws], False)

    def texts(self) -> list[str]:
        if self.plain is not None:
            return self.plain
        return ["" if it is ABSENT else encode_decoded(it).decode() for it in self.decoded]

    def values(self) -> list[Any]:
        if self.plain is None:
            return self.decoded
        if self.is_full:
            return decode_plain(self.plain)

        values = iter(decode_many([text.encode() for text in self.plain if text]))

        return [next(values) if text else ABSENT for text in self.plain]
