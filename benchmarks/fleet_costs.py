"""
What one location costs a fleet: `scripts/bench fleet --costs`.

CPU of the fleet's own process, and of PostgreSQL's; the back office is in another.
"""

import json
import logging
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from conexxus_client import Transaction, TransactionLine
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, StoreState, pull_stores
from conexxus_sync.testing import FakeClock

from .postgres import cpu_of_server, empty_store


KEY = "the-key-of-the-stores"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _items(count: int, changed: int) -> list[dict[str, Any]]:
    return [
        {"sku": f"SKU{number:06}", "name": f"An item with the number {number}",
         "price": f"{number % 90 + 1}.{98 if number < changed else 99}", "category": "Wine"}
        for number in range(count)
    ]  # fmt: skip


def office() -> None:
    """
    One back office: prints its address; each line of its input changes it.
    """
    back_office = BackOffice([], api_key=KEY)
    with SandboxServer(back_office) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            back_office.etag = order["etag"]
            back_office.catalog = _items(order["items"], order["changed"])
            print("done", flush=True)


@contextmanager
def _office() -> Iterator[tuple[str, Callable[..., None]]]:
    command = [sys.executable, "-c", "from benchmarks.fleet_costs import office; office()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        answers, orders = process.stdout, process.stdin
        assert answers is not None
        assert orders is not None

        def change(**order: object) -> None:
            print(json.dumps(order), file=orders, flush=True)
            answers.readline()

        try:
            yield answers.readline().strip(), change
        finally:
            orders.close()


class Till:
    """
    As many sales of one date in each store.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        Those of one date.
        """
        if business_date == NOON.date():
            for number in range(self.count):
                lines = [TransactionLine(sku=f"SKU{it:06}", quantity=1, price=Decimal("9.99"))
                         for it in range(3)]  # fmt: skip
                yield Transaction(
                    id=f"t{number}", timestamp=NOON + timedelta(seconds=number), items=lines,
                    total=Decimal("29.97"),
                )  # fmt: skip


@attrs.frozen(kw_only=True)
class Cost:
    """
    Of one run, in milliseconds of CPU.
    """

    name: str
    process_ms: float
    database_ms: float


def _server_cpu(store: str) -> float:
    return 0.0 if store.startswith("sqlite") else cpu_of_server(store)


def costs(count: int, items: int, sales: int, *, with_postgres: bool) -> list[Cost]:
    """
    Measure *count* locations with so many items and sales each, and print it.
    """
    logging.disable()
    with ExitStack() as stack:
        store = stack.enter_context(empty_store(with_postgres=with_postgres))
        url, change = stack.enter_context(_office())
        names = [f"loc-{number:04}" for number in range(count)]
        defaults = {"store": store, "api.url": url, "api.key_env": "K", "timezone": "UTC",
                    "sync_every": "7d"}  # fmt: skip
        settings = [
            StoreSettings.of({"location": it}, defaults, environ={"K": KEY}) for it in names
        ]
        options = FleetOptions(workers=4, rate=10_000, burst=10_000)
        clock = FakeClock(NOON)
        fleet = stack.enter_context(
            Fleet(settings, options=options, orders=Till(sales), clock=clock)
        )
        found = list[Cost]()

        def measured(name: str, work: Callable[[], object]) -> None:
            cpu, database = time.process_time(), _server_cpu(store)
            work()
            cpu, database = time.process_time() - cpu, _server_cpu(store) - database
            found.append(
                Cost(name=name, process_ms=cpu * 1e3 / count, database_ms=database * 1e3 / count)
            )

        def pull() -> None:
            assert all(it.problem is None for it in pull_stores(fleet, names))

        change(items=items, changed=0, etag="strong")
        measured("first pull", fleet.run_once)
        measured("pull, 304", pull)
        change(items=items, changed=0, etag="off")
        measured("pull, unchanged", pull)
        change(items=items, changed=items // 100, etag="off")
        measured("pull, 1 % changed", pull)
        clock.advance_to(NOON + timedelta(hours=12))
        measured(f"push of {sales} sales", fleet.run_once)
        assert all(it.state is StoreState.GOOD for it in fleet.status())

    print(f"CPU of one location ({items:,} items, {count} stores, "
          f"{'PostgreSQL' if with_postgres else 'SQLite'}), ms:")  # fmt: skip
    for it in found:
        figures = f"{it.process_ms:8.2f} in the process {it.database_ms:8.2f} in the database"
        print(f"  {it.name:20} {figures}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {memory:.0f} MB at most", flush=True)

    return found
