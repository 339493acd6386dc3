"""
The shop's side of the back office: it takes the catalogue and hands out the sales.

    python conexxus_shop.py           # pulls and pushes on schedule until it is stopped
    python conexxus_shop.py --once    # does what is due now
    python conexxus_shop.py --sell    # sells the first product, to try a push

The settings are in conexxus.toml beside this file.  Its keys `catalog` and
`orders` name the class below: `conexxus pull`, `push` and `run` use it, too.
Replace the database by the shop's own.
"""

import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from conexxus_client import ConfigurationError, Transaction, TransactionLine
from conexxus_sync import CatalogChanges, ConexxusService
from conexxus_sync.collectors import LoggingCollector


FOLDER = Path(__file__).resolve().parent

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, price TEXT NOT NULL, is_active INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sales (
    id TEXT PRIMARY KEY, finished_at TEXT NOT NULL, business_date TEXT NOT NULL,
    sku TEXT NOT NULL, quantity TEXT NOT NULL, price TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS catalogue_state (location_id TEXT PRIMARY KEY, sequence INTEGER);
"""

UPSERT = """
INSERT INTO products VALUES (?, ?, ?, 1)
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price = excluded.price, is_active = 1
"""


class Shop:
    """
    The shop's database, as a `CatalogStorage` and an `OrderSource`.
    """

    def __init__(self, path: Path = FOLDER / "shop.db") -> None:
        self.path = path

        with self.transaction() as db:
            for statement in SCHEMA.split(";"):
                db.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """
        A connection of this call alone: the scheduler calls from several threads.
        """
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")  # closing without it rolls back

    def apply(self, changes: CatalogChanges) -> None:
        """
        Make all of *changes* visible at the tills, or nothing.
        """
        with self.transaction() as db:
            for items in (changes.created, changes.updated):
                db.executemany(UPSERT, ((it.sku, it.name, str(it.price)) for it in items))
            db.executemany(
                "UPDATE products SET is_active = 0 WHERE sku = ?",
                ((it.sku,) for it in changes.removed),
            )
            db.execute(
                "INSERT OR REPLACE INTO catalogue_state VALUES (?, ?)",
                (changes.location_id, changes.sequence),
            )

    def last_applied(self, location_id: str) -> int | None:
        """
        The last changes that were applied: a restored database gets the others again.
        """
        query = "SELECT sequence FROM catalogue_state WHERE location_id = ?"

        with self.transaction() as db:
            found = db.execute(query, (location_id,)).fetchone()

        return None if found is None else int(found[0])

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        The finished sales of one business date, which is asked for more than once.
        """
        query = "SELECT id, finished_at, sku, quantity, price FROM sales WHERE business_date = ?"

        with self.transaction() as db:
            sales = db.execute(query, (business_date.isoformat(),)).fetchall()

        for key, finished_at, sku, quantity, price in sales:
            line = TransactionLine(sku=sku, quantity=Decimal(quantity), price=Decimal(price))
            yield Transaction(
                id=key,
                timestamp=datetime.fromisoformat(finished_at),
                total=line.quantity * line.price,
                items=[line],
            )

    def sell(self, moment: datetime) -> str:
        """
        Store a sale of the first product, as a till does.

        Returns:
            Its SKU.
        """
        first = "SELECT sku, price FROM products WHERE is_active ORDER BY sku LIMIT 1"

        with self.transaction() as db:
            found = db.execute(first).fetchone()
            if found is None:
                sys.exit("There is no product yet: run `conexxus pull`.")
            sku, price = found
            sale = (str(uuid4()), moment.isoformat(), moment.date().isoformat(), sku, "1", price)
            db.execute("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)", sale)

        return str(sku)


def service_of(shop: Shop) -> ConexxusService:
    """
    Both engines and their schedule, with the settings of environment and file.
    """
    settings = {"CONEXXUS_CONFIG": str(FOLDER / "conexxus.toml"), **os.environ}

    return ConexxusService.from_env(
        settings, catalog=shop, orders=shop, collectors=[LoggingCollector()]
    )


def run_until_stopped(service: ConexxusService) -> None:
    """
    Follow the schedule until Ctrl-C or SIGTERM.
    """
    stop = threading.Event()
    schedule = threading.Thread(target=service.run_forever, args=(stop,))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    schedule.start()

    try:
        while schedule.is_alive():
            # The system may deliver a signal to another thread, which ends no wait here.
            schedule.join(0.5)
    except KeyboardInterrupt:
        pass

    stop.set()
    schedule.join()


def main() -> None:
    """
    Do what the command line says.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    shop = Shop()

    try:
        service = service_of(shop)
    except ConfigurationError as exc:
        sys.exit(str(exc))

    with service:
        if "--sell" in sys.argv[1:]:
            now = datetime.now(service.config.timezone)
            sku = shop.sell(now)
            print(f"Sold 1 {sku}. Send it:\n\nconexxus push --date {now.date()}")
        elif "--once" in sys.argv[1:]:
            service.run_due(datetime.now(UTC))
        else:
            run_until_stopped(service)


if __name__ == "__main__":
    main()
