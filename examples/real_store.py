"""
A real store's year: 92,331 products pulled and every sale of 2017 pushed,
business date by business date, against a sandbox that keeps books, and
reconciled with them by register, tender and tax.  Which tenders and taxes a
sale has is the rule of `grocery_data.py`.

    python examples/real_store.py --store-id 367 --timezone America/New_York

A second run finds nothing changed and nothing to send.  Everything is kept in
$CONEXXUS_DEMO_DIR, or in `.demo` beside the project; delete it to start over.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from conexxus_client import DayTotals
from conexxus_client.testing import Ledger


HERE = Path(__file__).resolve().parent
CLI = [sys.executable, "-m", "conexxus_sync.cli"]
API_KEY = "real-store-demo"
SHOWN = {"America/New_York": ("2017-03-12", "2017-11-05")}  # the nights the clocks change

# By business date cents: of each sale, register, tender and tax.
Books = dict[str, dict[str, int]]


class Demo:
    """
    The files of one store, and the commands that work on them.
    """

    def __init__(self, store_id: int, timezone: str) -> None:
        base = Path(os.environ.get("CONEXXUS_DEMO_DIR") or HERE.parent / ".demo")
        self.store_id = store_id
        self.timezone = timezone
        self.folder = base.resolve() / f"receipts-{store_id}-{timezone.replace('/', '_')}"
        self.catalog = self.folder / "catalog.ndjson"
        self.orders = self.folder / "orders.ndjson"
        self.expected = self.folder / "expected.json"
        self.ledger = self.folder / "ledger.ndjson"
        self.port = self.folder / "port"

    def prepare(self) -> None:
        """
        Turn the published data into the two files, once.
        """
        if self.expected.exists():
            return

        print("Reading the grocery data (some seconds, once) …", flush=True)
        options = ["--store-id", str(self.store_id), "--timezone", self.timezone]
        program = [sys.executable, str(HERE / "grocery_data.py"), *options, str(self.folder)]
        done = subprocess.run(program)  # noqa: S603  # our own program

        if done.returncode:
            raise SystemExit(done.returncode)

    @contextmanager
    def back_office(self) -> Iterator[str]:
        """
        The sandbox, in a process of its own; its books stay in a file.

        It has the same address each time: sales are not pushed to another.
        """
        port = self.port.read_text() if self.port.exists() else "0"
        command = [*CLI, "sandbox", "--json", "--port", port, "--api-key", API_KEY]
        command += ["--catalog", str(self.catalog), "--ledger", str(self.ledger)]

        with (
            (self.folder / "sandbox.log").open("ab") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process,  # noqa: S603  # our own program
        ):
            assert process.stdout
            try:
                ready = process.stdout.readline()
                if not ready:
                    raise SystemExit(f"The sandbox did not start; see {log.name}")
                url = json.loads(ready)["url"]
                self.port.write_text(url.rsplit(":", 1)[1])
                yield url
            finally:
                process.terminate()

    def conexxus(self, url: str, *arguments: str) -> Any:
        """
        Run one command as an operator would, and read its JSON.
        """
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "TERM": os.environ.get("TERM", "dumb"),
            "CONEXXUS_API_URL": url,
            "CONEXXUS_API_KEY": API_KEY,
            "CONEXXUS_STORE": f"sqlite:///{self.folder / 'conexxus.db'}",
            "CONEXXUS_TIMEZONE": self.timezone,
            "LOCATION_ID": f"store-{self.store_id}",
        }

        # Without a terminal to show progress on, the log goes into a file.
        with (self.folder / "conexxus.log").open("ab") as log:
            stderr = None if sys.stderr.isatty() else log
            command = [*CLI, *arguments, "--json"]
            done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=stderr)  # noqa: S603  # our own program

        if done.returncode:
            raise SystemExit(
                f"conexxus {arguments[0]} ended with {done.returncode}; see {self.folder}"
            )

        return json.loads(done.stdout)


def main() -> int:
    """
    Pull, push, and compare the back office's books with pandas' own sums.
    """
    options = _parser().parse_args()
    demo = Demo(options.store_id, options.timezone)
    demo.prepare()
    expected: Books = json.loads(demo.expected.read_text())
    known = len(Ledger(demo.ledger).pushes) if demo.ledger.exists() else 0

    with demo.back_office() as url:
        items = _pull(demo, url)
        _push(demo, url, since=min(expected))
        for day in SHOWN.get(demo.timezone, ()):
            _reconcile(demo, url, day)

    ledger = Ledger(demo.ledger)
    sent = len(ledger.pushes) - known
    print("Nothing was sent." if not sent else f"{sent:,} pushes had an effect.")

    return _compare(ledger, expected, items, demo)


def _pull(demo: Demo, url: str) -> int:
    print("Pulling the catalogue …", flush=True)
    run = demo.conexxus(url, "pull")
    changed = run["created"] + run["updated"] + run["removed"]
    print(
        f"{run['itemsProcessed']:,} items received, {run['created']:,} of them new."
        if changed
        else "Nothing has changed in the catalogue."
    )

    return int(demo.conexxus(url, "status")["items"])


def _push(demo: Demo, url: str, *, since: str) -> None:
    print(f"Pushing the sales since {since}, business date by business date …", flush=True)
    runs = demo.conexxus(url, "push", "--since", since, "--orders", str(demo.orders))
    print(f"{len(runs):,} business dates pushed." if runs else "No sale was left to push.")


def _reconcile(demo: Demo, url: str, day: str) -> None:
    """
    What differs ends the command, and with it this program.
    """
    found = demo.conexxus(url, "reconcile", "--date", day, "--orders", str(demo.orders))
    print(f"{day}: till and back office agree in {len(found['rows'])} rows.")


def _compare(ledger: Ledger, expected: Books, items: int, demo: Demo) -> int:
    """
    Print what the books say; 1 if that differs from the data by a cent.
    """
    held = books_of(ledger)
    products = sum(1 for _ in demo.catalog.open("rb"))
    sales = {day: _sales(figures) for day, figures in held.items()}

    print(f"\nThe mirror holds {items:,} items.")
    print("The back office's books hold")
    print(
        f"  {sum(map(len, sales.values())):,} transactions, {len(ledger.doubled())} of them twice,"
    )
    print(f"  {len(held):,} business dates,")
    print(f"  {_money(sum(map(sum, sales.values())))} in total.")

    for day in SHOWN.get(demo.timezone, ()):
        of_day = sales.get(day, [])
        print(f"  {day}: {len(of_day)} transactions, {_money(sum(of_day))}")

    if held == expected and not ledger.doubled() and items == products:
        print("That is what the data says, to the cent.")
        return 0

    for day in sorted(expected.keys() | held.keys()):
        if held.get(day) != expected.get(day):
            print(f"  DIFFERENT {day}: {held.get(day)} instead of {expected.get(day)}")
    print(f"The books DIFFER from the data ({items:,} of {products:,} items).")

    return 1


def books_of(ledger: Ledger) -> Books:
    """
    What the back office holds; a sum of nothing is none.
    """
    return {str(day): _cents_of(ledger, day) for day in ledger.dates()}


def _cents_of(ledger: Ledger, day: date) -> dict[str, int]:
    sales = [sale.receipt for sale in ledger.sales(day=day)]
    totals = DayTotals.of(sales, date=day, location_id="")
    sums = {
        **{f"register {name}": one.total for name, one in totals.registers.items()},
        **{f"tender {name}": amount for name, amount in totals.tenders.items()},
        **{f"tax {code}": one.amount for code, one in totals.taxes.items()},
    }
    figures = {
        **{f"sale {sale.id}": sale.total for sale in sales},
        **{name: amount for name, amount in sums.items() if amount},
    }
    assert all(amount == round(amount, 2) for amount in figures.values()), figures

    return {name: int(amount.scaleb(2)) for name, amount in figures.items()}


def _sales(figures: dict[str, int]) -> list[int]:
    return [cents for name, cents in figures.items() if name.startswith("sale ")]


def _money(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):,}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store-id", type=int, default=367)
    parser.add_argument("--timezone", default="America/New_York")
    return parser


if __name__ == "__main__":
    sys.exit(main())
