"""
What the engine of `executor = "dbos"` costs: `scripts/bench fleet --costs`.

Empty runs through the executor itself, on SQLite or a real PostgreSQL: CPU of the
process and of the database, how many a process takes in a second, how its tables grow,
and what a look at them costs with many ended runs.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import attrs

from conexxus_sync.fleet import WorkItem
from conexxus_sync.model.runs import RunKind
from conexxus_sync.stores import SyncStore, open_store

from .postgres import cpu_of_server, empty_store


SLOT = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORKERS = 16
# A fleet keeps two items for each thread in the queue.
QUEUED = 2 * WORKERS


@attrs.frozen(kw_only=True)
class EngineCost:
    """
    Of one run, in milliseconds of CPU, and of a look at so many ended ones.

    Attributes:
        enqueue_ms: In the process, of the part that one thread does for all.
        process_ms: All of it in the process: to enqueue, to take, to end.
        per_second: How many runs without work one process took.
        row_bytes: What an ended run takes, until it is deleted.
        looks: Milliseconds of CPU of the process and of the database, by ended runs.
    """

    enqueue_ms: float
    process_ms: float
    database_ms: float
    per_second: float
    row_bytes: float
    looks: dict[int, tuple[float, float]]


def engine_costs(count: int, rows: tuple[int, ...], *, with_postgres: bool) -> EngineCost:
    """
    Measure so many empty runs, and looks at so many rows, and print it.
    """
    from conexxus_sync.fleet._dbos_executor import DbosExecutor

    logging.disable()
    with ExitStack() as stack:
        url = stack.enter_context(empty_store(with_postgres=with_postgres))
        store = stack.enter_context(closing(open_store(url)))
        with store.at("").write():
            pass
        free = threading.Semaphore(QUEUED)
        executor = stack.enter_context(
            closing(
                DbosExecutor(lambda item: None, store=store, workers=WORKERS, on_free=free.release)
            )
        )
        database = cpu_of_server if with_postgres else lambda _: 0.0

        def measured(work: Callable[[], None]) -> tuple[float, float, float]:
            begun = time.process_time(), database(url), time.monotonic()
            work()
            after = time.process_time(), database(url), time.monotonic()
            process_s, database_s, wall_s = (b - a for a, b in zip(begun, after, strict=True))
            return process_s * 1e3, database_s * 1e3, wall_s

        before, enqueue_s = _size(store), 0.0

        def run_all() -> None:
            nonlocal enqueue_s
            for number in range(count):
                free.acquire()
                began = time.thread_time()
                executor.submit(
                    WorkItem(location_id=f"l{number:06}", kind=RunKind.INVENTORY, slot=SLOT)
                )
                enqueue_s += time.thread_time() - began
            for _ in range(QUEUED):
                free.acquire()

        process_ms, database_ms, wall_s = measured(run_all)
        row_bytes = (_size(store) - before) / count
        looks = {}
        for number in rows:
            _grow(store, number)
            executor.reconcile()
            looks[number] = measured(executor.reconcile)[:2]

    found = EngineCost(
        enqueue_ms=enqueue_s * 1e3 / count, process_ms=process_ms / count,
        database_ms=database_ms / count, per_second=count / wall_s, row_bytes=row_bytes,
        looks=looks,
    )  # fmt: skip
    name = "PostgreSQL" if with_postgres else "SQLite"
    print(f"{count:,} empty runs through the queue, {name}, {WORKERS} threads:")
    print(f"  {found.process_ms:.1f} ms of CPU in the process for each, of which "
          f"{found.enqueue_ms:.1f} to enqueue; {found.database_ms:.1f} in the database; "
          f"{found.per_second:.0f} a second; {found.row_bytes:,.0f} bytes")  # fmt: skip
    for number, (process, server) in looks.items():
        print(f"  a look with {number:,} ended runs: {process:.0f} ms in the process, "
              f"{server:.0f} in the database", flush=True)  # fmt: skip

    return found


def _tables(store: SyncStore) -> Any:
    from conexxus_sync.fleet._dbos_executor import _beside

    url, schema = _beside(store)
    if schema is None:
        import sqlite3

        return sqlite3.connect(url.removeprefix("sqlite:///")), ""

    import psycopg

    return psycopg.connect(url), f"{schema}."


def _size(store: SyncStore) -> int:
    tables, prefix = _tables(store)
    with closing(tables):
        if not prefix:
            (pages,), (size,) = (
                tables.execute(f"PRAGMA {it}").fetchone() for it in ("page_count", "page_size")
            )
            return int(pages * size)
        query = (
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = %s::regnamespace"
        )
        return int(tables.execute(query, (prefix[:-1],)).fetchone()[0])


def _grow(store: SyncStore, count: int) -> None:
    """
    As many ended runs as these.
    """
    tables, prefix = _tables(store)
    with closing(tables):
        name = f"{prefix}workflow_status"
        cursor = tables.execute(f"SELECT * FROM {name} LIMIT 0")
        columns = [column[0] for column in cursor.description if column[0] != "workflow_uuid"]
        ended = f"{name} WHERE status = 'SUCCESS'"
        (have,) = tables.execute(f"SELECT count(*) FROM {ended}").fetchone()
        while have < count:
            more = min(have, count - have)
            quoted = ", ".join(f'"{it}"' for it in columns)
            tables.execute(
                f"INSERT INTO {name} (workflow_uuid, {quoted}) "
                f"SELECT workflow_uuid || '+{have}', {quoted} FROM {ended} LIMIT {more}"
            )
            have += more
        tables.commit()
        tables.execute("ANALYZE" if not prefix else f"ANALYZE {name}")
        tables.commit()
