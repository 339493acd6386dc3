"""
Sources of the fake back office's items: a list, a file, a generator, bytes.
"""

import hashlib
import itertools
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from conexxus_client.models import Item

from ._generated_items import GeneratedItems


PIECE_SIZE = 128 * 1024
_STRIDE = 1000

SAMPLE: tuple[dict[str, Any], ...] = (
    {
        "sku": "WINE001",
        "name": "Cabernet Sauvignon 2020",
        "price": Decimal("29.99"),
        "category": "Wine",
        "description": "Full-bodied red wine",
    },
    {"sku": "WINE002", "name": "Chardonnay 2022", "price": Decimal("21.50"), "category": "Wine"},
    {"sku": "BEER001", "name": "Pale Ale, 330 ml", "price": Decimal("9.95"), "category": "Beer"},
    {"sku": "CHEE001", "name": "Aged Cheddar", "price": Decimal("6.40"), "category": "Dairy"},
    {"sku": "BAG001", "name": "Paper bag", "price": Decimal("0.10")},
)

CatalogLike = int | bytes | Path | Iterable["Mapping[str, Any] | Item | bytes"] | GeneratedItems


class CatalogSource(Protocol):
    """
    A catalogue that can be read again and again, from any item on.
    """

    def fingerprint(self) -> str: ...

    def count(self) -> int: ...

    def pieces(self, start: int, stop: int | None) -> Iterator[bytes]: ...


def catalog_source(catalog: CatalogLike) -> "CatalogSource | RawBody":
    """
    The source for *catalog*, whatever form it has.

    Args:
        catalog: Items as dicts, `Item`s or raw JSON texts; a number of items
            to generate; the path of a file with one JSON item a line; or
            bytes, which become the whole body of the answer as they are.
    """
    if isinstance(catalog, bytes):
        return RawBody(catalog)
    if isinstance(catalog, GeneratedItems):
        return catalog
    if isinstance(catalog, int):
        return GeneratedItems(catalog)
    if isinstance(catalog, Path):
        return ItemFile(catalog)

    return ItemList(catalog)


class RawBody:
    """
    A body that is sent as it is, whatever it is.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body

    def fingerprint(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:24]


class ItemList:
    """
    Items in memory, encoded once.
    """

    def __init__(self, items: Iterable["Mapping[str, Any] | Item | bytes"]) -> None:
        self._items = [item_bytes(item) for item in items]
        self._fingerprint = hashlib.sha256(b"\n".join(self._items)).hexdigest()[:24]

    def fingerprint(self) -> str:
        return self._fingerprint

    def count(self) -> int:
        return len(self._items)

    def pieces(self, start: int, stop: int | None) -> Iterator[bytes]:
        end = len(self._items) if stop is None else min(stop, len(self._items))

        for first in range(start, end, _STRIDE):
            yield b",".join(self._items[first : min(first + _STRIDE, end)])


class ItemFile:
    """
    A file with one JSON item a line, streamed from disk.

    An edited file is a changed catalogue.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index: tuple[str, int, array[int]] | None = None
        self.fingerprint()

    def fingerprint(self) -> str:
        stat = self._path.stat()

        return f"{stat.st_size:x}-{stat.st_mtime_ns:x}-{stat.st_ino:x}"

    def count(self) -> int:
        return self._read_index()[1]

    def pieces(self, start: int, stop: int | None) -> Iterator[bytes]:
        if start == 0 and stop is None:
            yield from self._all_lines()
            return
        _, total, offsets = self._read_index()
        if start >= total:
            return
        with self._path.open("rb") as file:
            file.seek(offsets[start // _STRIDE])
            lines = (line.strip() for line in file)
            items = itertools.islice(filter(None, lines), start % _STRIDE, None)
            left = (total if stop is None else min(stop, total)) - start
            while left > 0:
                some = list(itertools.islice(items, min(left, _STRIDE)))
                if not some:
                    return
                left -= len(some)
                yield b",".join(some)

    def _all_lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            # A hint of bytes: whole lines, a little more than that many.
            while lines := file.readlines(PIECE_SIZE):
                piece = b",".join([text for line in lines if (text := line.strip())])
                if piece:
                    yield piece

    def _read_index(self) -> "tuple[str, int, array[int]]":
        """
        The number of items, and where every thousandth begins.
        """
        fingerprint = self.fingerprint()

        if self._index is None or self._index[0] != fingerprint:
            count, at, offsets = 0, 0, array("Q")
            with self._path.open("rb") as file:
                for line in file:
                    if line.strip():
                        if count % _STRIDE == 0:
                            offsets.append(at)
                        count += 1
                    at += len(line)
            self._index = fingerprint, count, offsets

        return self._index


def item_bytes(item: "Mapping[str, Any] | Item | bytes") -> bytes:
    """
    One item as it goes over the wire, its price with its exact digits.
    """
    if isinstance(item, bytes):
        return item
    if isinstance(item, Item):
        item = _item_fields(item)

    return exact_json(item).encode()


def _item_fields(item: Item) -> dict[str, Any]:
    known = {
        "sku": item.sku,
        "name": item.name,
        "price": item.price,
        "category": item.category,
        "description": item.description,
    }

    return {**{key: value for key, value in known.items() if value is not None}, **item.extra}


def exact_json(value: Any) -> str:
    """
    JSON in which a Decimal is a number with its own digits.
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        members = (f"{json.dumps(str(key))}:{exact_json(entry)}" for key, entry in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(exact_json, value))}]"

    return json.dumps(value)
