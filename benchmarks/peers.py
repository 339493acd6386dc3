"""
What a user would write, or use, instead of the SDK.
"""

import gc
import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from benchmarks.sales import BATCH
from benchmarks.worker import Action, Task


ITEMS = "/api/v1/inventory/items"
KEY = {"X-API-Key": "benchmark-key"}

CREATE = """
    CREATE TABLE IF NOT EXISTS items (
        sku TEXT PRIMARY KEY, name TEXT, price TEXT, category TEXT, description TEXT
    )
"""
UPSERT = """
    INSERT INTO items VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (sku) DO UPDATE SET
        name = excluded.name, price = excluded.price,
        category = excluded.category, description = excluded.description
"""
FIND = "SELECT name, price, category, description FROM items WHERE sku = ?"
INSERT = "INSERT INTO items VALUES (?, ?, ?, ?, ?)"
UPDATE = "UPDATE items SET name = ?, price = ?, category = ?, description = ? WHERE sku = ?"


def find_then_update(task: Task) -> Action:
    """
    httpx and json; each item is looked for, then inserted or updated.
    """
    import httpx

    def pull(file: str) -> None:
        body = httpx.get(task.url + ITEMS, headers=KEY, trust_env=False).content
        items = json.loads(body, parse_float=Decimal)["data"]
        with closing(_database(file)) as database, database:
            for item in items:
                _find_then_update(database, item)

    return task.pulling(pull)


def _find_then_update(database: sqlite3.Connection, item: dict[str, object]) -> None:
    values = (item["name"], str(item["price"]), item.get("category"), item.get("description"))
    found = database.execute(FIND, (item["sku"],)).fetchone()

    if found is None:
        database.execute(INSERT, (item["sku"], *values))
    elif found != values:
        database.execute(UPDATE, (*values, item["sku"]))


def cattrs_executemany(task: Task) -> Action:
    """
    httpx, json and cattrs, which builds attrs classes; one `executemany`.
    """
    rows = cattrs_rows(task)

    return task.pulling(lambda file: _upsert(file, rows()))


def cattrs_rows(task: Task) -> Callable[[], list[tuple[object, ...]]]:
    """
    Reads all items by httpx, json and cattrs.
    """
    import attrs
    import cattrs
    import httpx

    @attrs.frozen
    class Item:
        sku: str
        name: str
        price: Decimal
        category: str | None = None
        description: str | None = None

    converter = cattrs.Converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))

    def rows() -> list[tuple[object, ...]]:
        body = httpx.get(task.url + ITEMS, headers=KEY, trust_env=False).content
        items = converter.structure(json.loads(body, parse_float=Decimal)["data"], list[Item])
        return [(i.sku, i.name, str(i.price), i.category, i.description) for i in items]

    return rows


def polars_frame(task: Task) -> Action:
    """
    httpx and a polars frame; prices become floats.
    """
    import httpx
    import polars as pl

    def pull(file: str) -> None:
        body = httpx.get(task.url + ITEMS, headers=KEY, trust_env=False).content
        items = pl.read_json(io.BytesIO(body)).select("data").explode("data").unnest("data")
        prices = pl.col("price").cast(pl.String)
        _upsert(file, items.with_columns(prices).iter_rows())

    return task.pulling(pull)


def _upsert(file: str, rows: Iterable[tuple[object, ...]]) -> None:
    with closing(_database(file)) as database, database:
        database.executemany(UPSERT, rows)


def _database(file: str) -> sqlite3.Connection:
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(CREATE)

    return database


def dlt_merge(task: Task) -> Action:
    """
    dlt's REST source, merged by key into SQLite.
    """
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    os.environ["DLT_DATA_DIR"] = task.file("dlt")
    import dlt
    from dlt.sources.rest_api import rest_api_source

    endpoint = {"path": ITEMS[1:], "data_selector": "data", "paginator": "single_page"}
    resource = {
        "name": "items",
        "primary_key": "sku",
        "write_disposition": "merge",
        "endpoint": endpoint,
    }

    def pull(file: str) -> None:
        source = rest_api_source({"client": {"base_url": task.url}, "resources": [resource]})
        pipeline = dlt.pipeline(
            Path(file).stem,
            destination=dlt.destinations.sqlalchemy(f"sqlite:///{file}"),
            dataset_name="main",
        )
        pipeline.run(source).raise_on_failed_jobs()

    return task.pulling(pull)


def bare_calls(task: Task) -> Action:
    """
    Small calls with httpx: no retries, no decoding.
    """
    import httpx

    client = httpx.Client(trust_env=False)
    url = f"{task.url}/api/v1/health"
    client.get(url, headers=KEY)

    def action() -> None:
        for _ in range(task.count):
            client.get(url, headers=KEY)

    return action


def bare_push(task: Task) -> Action:
    """
    msgspec and httpx alone, for sales that exist already.
    """
    import httpx
    import msgspec

    from benchmarks.hand import DATE, wire_sales

    sales = wire_sales(task.count)
    client = httpx.Client(trust_env=False)
    client.get(f"{task.url}/api/v1/health", headers=KEY)
    encode = msgspec.json.Encoder(decimal_format="number").encode
    gc.freeze()

    def action() -> None:
        for start in range(0, len(sales), BATCH):
            batch = {"date": DATE, "locationId": "loc"}
            body = encode({**batch, "transactions": sales[start : start + BATCH]})
            headers = {**KEY, "Content-Type": "application/json", "Idempotency-Key": str(start)}
            answer = client.post(f"{task.url}/api/v1/sales/push", headers=headers, content=body)
            assert answer.json()["success"]

    return action
