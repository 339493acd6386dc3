"""
A shop with its own products and orders in SQLite, kept in step by the SDK.

    export CONEXXUS_API_URL=http://127.0.0.1:8080 CONEXXUS_API_KEY=demo-key
    export CONEXXUS_TIMEZONE=America/New_York SHOP_DB=shop.db
    python examples/runner.py            # runs the schedule until it is stopped
    python examples/runner.py --once     # does what is due now
"""

import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

from conexxus_client import Item, Transaction, TransactionLine
from conexxus_sync import CatalogChanges, ConexxusService
from conexxus_sync.collectors import LoggingCollector


SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, price TEXT NOT NULL, category TEXT, active INTEGER
);
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, finished_at TEXT NOT NULL, business_date TEXT NOT NULL, total TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS order_lines (
    order_id TEXT NOT NULL REFERENCES orders, sku TEXT NOT NULL, quantity TEXT NOT NULL,
    price TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_day ON orders (business_date);
CREATE TABLE IF NOT EXISTS catalogue_state (location_id TEXT PRIMARY KEY, sequence INTEGER);
"""

UPSERT = """
INSERT INTO products VALUES (?, ?, ?, ?, 1) ON CONFLICT (sku) DO UPDATE SET
    name = excluded.name, price = excluded.price, category = excluded.category, active = 1
"""


class Shop:
    """
    The shop's own database: it takes the catalogue and hands out the sales.
    """

    def __init__(self, path: str) -> None:
        self.path = path

        with closing(sqlite3.connect(path)) as db:
            db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        All of it, or nothing.
        """
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")  # closing without it rolls back

    def apply(self, changes: CatalogChanges) -> None:
        """
        Make the back office's changes visible at the tills.
        """
        with self.transaction() as db:
            db.executemany(UPSERT, rows(changes.created))
            db.executemany(UPSERT, rows(changes.updated))
            db.executemany(
                "UPDATE products SET active = 0 WHERE sku = ?",
                ((item.sku,) for item in changes.removed),
            )
            db.execute(
                "INSERT OR REPLACE INTO catalogue_state VALUES (?, ?)",
                (changes.location_id, changes.sequence),
            )

    def last_applied(self, location_id: str) -> int | None:
        """
        How far we are: after a restored backup, the SDK sends the rest again.
        """
        query = "SELECT sequence FROM catalogue_state WHERE location_id = ?"

        with closing(sqlite3.connect(self.path)) as db:
            found = db.execute(query, (location_id,)).fetchone()

        return None if found is None else int(found[0])

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        The finished orders of one business date.
        """
        orders = "SELECT id, finished_at, total FROM orders WHERE business_date = ? ORDER BY id"
        lines = "SELECT sku, quantity, price FROM order_lines WHERE order_id = ? ORDER BY rowid"

        with closing(sqlite3.connect(self.path)) as db:
            for order_id, finished_at, total in db.execute(orders, (business_date.isoformat(),)):
                yield Transaction(
                    id=order_id,
                    timestamp=datetime.fromisoformat(finished_at),
                    total=Decimal(total),
                    items=[
                        TransactionLine(sku=sku, quantity=Decimal(quantity), price=Decimal(price))
                        for sku, quantity, price in db.execute(lines, (order_id,))
                    ],
                )


def rows(items: Iterable[Item]) -> Iterator[tuple[str, str, str, str | None]]:
    """
    Items as rows; the price as text, digit for digit.
    """
    return ((item.sku, item.name, str(item.price), item.category) for item in items)


def main() -> None:
    """
    Run what is due, once or for as long as we live.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    shop = Shop(os.environ.get("SHOP_DB", "shop.db"))
    service = ConexxusService.from_env(catalog=shop, orders=shop, collectors=[LoggingCollector()])

    if "--once" in sys.argv[1:]:
        service.run_due(datetime.now(UTC))
        return

    # The handler only takes a note: one that raised, or set `stop`, could do so
    # anywhere, even while the lock of `stop` is held.  The wait is in slices,
    # because the system may deliver a signal to another thread, and that wakes
    # nothing here.
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _: received.append(signum))

    stop = threading.Event()
    schedule = threading.Thread(target=service.run_forever, args=(stop,))
    schedule.start()

    while schedule.is_alive() and not received:
        schedule.join(0.5)

    stop.set()
    schedule.join()


if __name__ == "__main__":
    main()
