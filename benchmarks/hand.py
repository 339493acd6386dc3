"""
What the SDK is measured against: the shortest way by hand, without a check.

http.client, msgspec Structs over large windows, upserts of many rows that write
nothing where nothing changed, WAL, one transaction that is flushed.  It trusts
the back office: no validation, no quarantine, no guards, no retries, no history.
"""

import gc
import hashlib
import http.client
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from benchmarks.sales import BATCH, FIRST_DAY, prepared_sales
from benchmarks.worker import Action, Numbers, Task


# Tried, and not taken: 200 to 2,000 rows and windows of 128 KiB to 1 MiB make no
# difference; pages of 8 KiB save 7 % if the catalogue is sorted, and cost 10 %
# if it is not; prices that are not parsed save 5 %, and are wrong for strings.
ITEMS = "/api/v1/inventory/items"
SALES = "/api/v1/sales/push"
CHUNK = 64 * 1024
WINDOW = 256 * 1024
SEPARATOR = b"}, {"
ROWS = 500
DATE = FIRST_DAY.isoformat()
BODY = b'{"date":"%b","locationId":"loc","transactions":[%%b]}' % DATE.encode()

OUTBOX = """
    CREATE TABLE batches (id INTEGER PRIMARY KEY, body BLOB, is_sent INTEGER NOT NULL);
    CREATE TABLE delivered (
        date TEXT, id TEXT, digest BLOB, PRIMARY KEY (date, id)
    ) WITHOUT ROWID;
"""


class Item(msgspec.Struct, gc=False):
    sku: str
    name: str
    price: Decimal
    category: str | None = None
    description: str | None = None


class SixKeys(Item, gc=False):
    aisle: int | None = None
    supplier: str | None = None
    taxable: bool | None = None
    weight: float | None = None
    unit: str | None = None
    tags: list[str] | None = None


class WireLine(msgspec.Struct, gc=False):
    sku: str
    quantity: int
    price: Decimal


class WireSale(msgspec.Struct, gc=False):
    id: str
    timestamp: datetime
    total: Decimal
    items: list[WireLine]


AnyItem = TypeVar("AnyItem", bound=Item)


class Page(msgspec.Struct):
    data: list[Item]
    next_cursor: str | None = msgspec.field(default=None, name="nextCursor")


def load(task: Task) -> Action:
    return task.pulling(lambda file: _store(file, Item, _five, _items(task.url, Item)))


def batches(task: Task) -> Iterator[list[Item]]:
    return _items(task.url, Item)


def load_six_keys(task: Task) -> Action:
    """
    The same, with a column for each of the six keys.
    """
    return task.pulling(lambda file: _store(file, SixKeys, _eleven, _items(task.url, SixKeys)))


def load_pages(task: Task) -> Action:
    return task.pulling(lambda file: _store(file, Item, _five, _pages(task.url)))


def structs(task: Task) -> Action:
    """
    Reading alone, for `iter_items`.
    """
    return task.pulling(lambda _: {"items": sum(map(len, _items(task.url, Item)))})


def _items(url: str, kind: type[AnyItem]) -> Iterator[list[AnyItem]]:
    decode = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]  # built at runtime

    with _connected(url) as connection:
        connection.request("GET", ITEMS)
        for window in _windows(connection.getresponse()):
            yield decode(window)


def _windows(answer: http.client.HTTPResponse) -> Iterator[bytearray | bytes]:
    """
    Arrays of items: the body, cut between two items.
    """
    buffer = bytearray(answer.read(CHUNK))
    del buffer[: buffer.index(b"[") + 1]

    while chunk := answer.read(CHUNK):
        buffer += chunk
        if len(buffer) > WINDOW:
            cut = buffer.rfind(SEPARATOR)
            yield b"[" + buffer[: cut + 1] + b"]"
            del buffer[: cut + 3]

    yield b"[" + buffer[: buffer.rindex(b"]") + 1]


def _pages(url: str) -> Iterator[list[Item]]:
    decode = msgspec.json.Decoder(Page).decode
    path: str | None = ITEMS

    with _connected(url) as connection:
        while path:
            connection.request("GET", path)
            page = decode(connection.getresponse().read())
            yield page.data
            path = page.next_cursor and f"{ITEMS}?cursor={page.next_cursor}"


@contextmanager
def _connected(url: str) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        yield connection


def _store(
    file: str,
    kind: type[AnyItem],
    values: Callable[[list[AnyItem]], list[object]],
    batches: Iterable[list[AnyItem]],
) -> Numbers:
    """
    Make the table hold these items; return how many changed.
    """
    with closing(_connection(file)) as connection:
        connection.execute(_create(kind))
        connection.execute("BEGIN IMMEDIATE")
        for items in batches:
            for start in range(0, len(items), ROWS):
                some = items[start : start + ROWS]
                connection.execute(_upsert(kind, len(some)), values(some))
        connection.execute("COMMIT")
        return {"changed": connection.total_changes}


def _create(kind: type[Item]) -> str:
    _, *rest = kind.__struct_fields__

    return f"""
        CREATE TABLE IF NOT EXISTS items (
            sku TEXT PRIMARY KEY, {", ".join(f"{column} TEXT" for column in rest)}
        ) WITHOUT ROWID
    """


@cache
def _upsert(kind: type[Item], rows: int) -> str:
    columns = kind.__struct_fields__
    row = f"({', '.join('?' * len(columns))})"
    rest = ", ".join(columns[1:])
    new = ", ".join(f"excluded.{column}" for column in columns[1:])

    return f"""
        INSERT INTO items VALUES {", ".join([row] * rows)}
        ON CONFLICT (sku) DO UPDATE SET ({rest}) = ({new}) WHERE ({rest}) IS NOT ({new})
    """


def _five(items: list[Item]) -> list[object]:
    return [v for i in items for v in (i.sku, i.name, str(i.price), i.category, i.description)]


def _eleven(items: list[SixKeys]) -> list[object]:
    return [
        value
        for i in items
        for value in (
            *(i.sku, i.name, str(i.price), i.category, i.description, i.aisle),
            *(i.supplier, i.taxable, i.weight, i.unit, msgspec.json.encode(i.tags)),
        )
    ]


def _connection(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -8192")

    return connection


def wire_sales(count: int) -> list[WireSale]:
    return [
        WireSale(number, timestamp, total, [WireLine(*line) for line in lines])
        for number, timestamp, total, lines in prepared_sales(count)
    ]


def push(task: Task) -> Action:
    """
    Sales that are sent exactly once, by hand: bytes, ids and digests are
    stored before each batch is sent, and the batch is marked afterwards.
    """
    sales = wire_sales(task.count)
    encode = msgspec.json.Encoder(decimal_format="number").encode
    gc.freeze()

    def action() -> None:
        with closing(_connection(task.file("store.db"))) as store, _connected(task.url) as office:
            store.executescript(OUTBOX)
            for start in range(0, len(sales), BATCH):
                some = sales[start : start + BATCH]
                texts = [encode(sale) for sale in some]
                _deliver(store, office, BODY % b",".join(texts), _rows(some, texts))

    return action


def _rows(sales: list[WireSale], texts: list[bytes]) -> list[tuple[str, str, bytes]]:
    digests = (hashlib.sha256(text).digest() for text in texts)

    return [(DATE, sale.id, digest) for sale, digest in zip(sales, digests, strict=True)]


def _deliver(
    store: sqlite3.Connection,
    office: http.client.HTTPConnection,
    body: bytes,
    rows: list[tuple[str, str, bytes]],
) -> None:
    store.execute("BEGIN IMMEDIATE")
    number = store.execute("INSERT INTO batches (body, is_sent) VALUES (?, 0)", (body,)).lastrowid
    store.executemany("INSERT INTO delivered VALUES (?, ?, ?)", rows)
    store.execute("COMMIT")
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"{DATE}-{number}"}
    office.request("POST", SALES, body, headers)
    assert msgspec.json.decode(office.getresponse().read())["success"]
    store.execute("UPDATE batches SET is_sent = 1 WHERE id = ?", (number,))
