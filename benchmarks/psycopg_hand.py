"""
What one would write for a PostgreSQL: upserts by `executemany` of psycopg.
"""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from benchmarks.hand import Item, batches
from benchmarks.peers import cattrs_rows
from benchmarks.worker import Action, Numbers, Task, schema_of


CREATE = """
    CREATE TABLE IF NOT EXISTS items (
        sku TEXT PRIMARY KEY, name TEXT, price TEXT, category TEXT, description TEXT
    )
"""
UPSERT = """
    INSERT INTO items VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (sku) DO UPDATE SET
        name = excluded.name, price = excluded.price,
        category = excluded.category, description = excluded.description
    WHERE (items.name, items.price, items.category, items.description)
        IS DISTINCT FROM (excluded.name, excluded.price, excluded.category, excluded.description)
"""

Row = tuple[object, ...]


def load(task: Task) -> Action:
    """
    The hand pipeline: http.client and msgspec Structs, a window at a time.
    """

    def pull(file: str) -> Numbers:
        return _upsert(task, file, map(_rows, batches(task)))

    return task.pulling(pull)


def _rows(items: list[Item]) -> list[Row]:
    return [(i.sku, i.name, str(i.price), i.category, i.description) for i in items]


def cattrs_executemany(task: Task) -> Action:
    """
    httpx, json and cattrs, which builds attrs classes; one `executemany`.
    """
    rows = cattrs_rows(task)

    return task.pulling(lambda file: _upsert(task, file, [rows()]))


def _upsert(task: Task, file: str, windows: Iterable[list[Row]]) -> Numbers:
    schema = sql.Identifier(schema_of(file))

    with psycopg.connect(task.postgres) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
        cursor.execute(sql.SQL("SET LOCAL search_path = {}").format(schema))
        cursor.execute(CREATE)
        changed = 0
        for rows in windows:
            cursor.executemany(UPSERT, rows)
            changed += cursor.rowcount
        return {"changed": changed}
