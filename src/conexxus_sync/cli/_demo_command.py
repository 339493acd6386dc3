"""
`conexxus demo`: the main job in half a minute, against the sandbox.
"""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import (
    ClientConfig,
    ConexxusClient,
    Item,
    Transaction,
    decode_item,
    decode_transaction,
    encode_item,
)
from conexxus_sync.model.formatting import money

from ._console import write_in_colour, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted, long_date, run_lines
from ._status_page import status_page
from ._store_file import note_new_store, temporary_folder


if TYPE_CHECKING:
    from conexxus_client.testing import BackOffice, SandboxServer
    from conexxus_sync.service import ConexxusService

DAY = date(2026, 1, 2)
ZONE = "America/New_York"
LOCATION = "loc-001"
NEW_PRICES = {
    "WINE001": Decimal("27.99"),
    "CHEE003": Decimal("6.19"),
    "COFF001": Decimal("13.95"),
}
NEXT = "Next: `conexxus sandbox` to try your own files, `conexxus doctor` to check your settings."


def demo() -> ExitCode:
    """
    See a catalogue arrive and a day of sales go out, on this machine alone.

    A fake back office is started, with 41 articles of a wine shop. Prices
    change, an answer is lost on the way, and in the end the books have to
    agree to the cent. Nothing is kept.

    ```
    conexxus demo
    ```
    """
    from conexxus_client.testing import BackOffice, SandboxServer

    with ExitStack() as stack:
        folder = temporary_folder(stack)
        office = BackOffice(_lines("catalog.ndjson"), ledger=folder / "books.ndjson")
        server = stack.enter_context(SandboxServer(office))
        service = stack.enter_context(closing(_service(server, folder)))
        story = Demonstration(office=office, service=service, url=server.url)

        return ExitCode.SUCCESS if story.play() else ExitCode.FAILED


@attrs.define(kw_only=True)
class Demonstration:
    """
    What happens in the demonstration, step by step.
    """

    office: "BackOffice"
    service: "ConexxusService"
    url: str
    sold: list[bytes] = attrs.field(factory=lambda: _lines("catalog.ndjson"))
    chapter: int = 0

    def play(self) -> bool:
        """
        All of it.

        Returns:
            Whether the books agree to the cent.
        """
        write_lines([f"A fake back office listens on {self.url}. Nothing leaves this machine.", ""])
        self._catalogue_arrives()
        self._prices_change()
        self._sales_go_out()
        self._nothing_is_left()

        return self._books_agree()

    def _title(self, text: str) -> None:
        self.chapter += 1
        write_lines([f"{self.chapter}. {text}"])

    def _tell(self, lines: Iterable[str]) -> None:
        write_lines([*(f"   {line}" for line in lines), ""])

    def _catalogue_arrives(self) -> None:
        self._title("The shop fetches the catalogue for the first time.")
        self._tell(run_lines(self.service.sync_inventory()))

    def _prices_change(self) -> None:
        self._title("The back office changes three prices, and the shop fetches again.")
        before = self._prices()
        self.office.catalog = self.sold = [_repriced(line) for line in self.sold]
        run = self.service.sync_inventory()
        after = self._prices()
        changes = [
            f"  {sku}: {money(before[sku])} → {money(price)}"
            for sku, price in after.items()
            if before[sku] != price
        ]
        self._tell([*run_lines(run), *changes])

    def _sales_go_out(self) -> None:
        sales = _sales()
        total = sum((sale.total for sale in sales), Decimal())
        self._title(
            f"The sales of {long_date(DAY)} go out: {counted(len(sales), 'sale')}, {money(total)}."
        )
        self.office.faults("sales: after_commit(reset)")
        runs = self.service.push_sales(DAY)
        self._tell(
            [
                "The back office books them, but the line breaks before it can answer.",
                "The shop asks again under the same key, and the back office recognises it.",
                *(line for run in runs for line in run_lines(run)),
            ]
        )

    def _nothing_is_left(self) -> None:
        self._title("The shop sends once more, to be sure.")
        runs = self.service.push_sales(DAY)
        self._tell(
            [line for run in runs for line in run_lines(run)]
            or ["Nothing to send: every sale was delivered before."]
        )

    def _books_agree(self) -> bool:
        self._title("The books.")
        ledger, sales = self.office.ledger, _sales()
        total, doubled = ledger.total(LOCATION, DAY), len(ledger.doubled())
        held = {entry.id: entry.total for entry in ledger.transactions(LOCATION, DAY)}
        agree = (
            held == {sale.id: sale.total for sale in sales}
            and not doubled
            and self._prices() == _valid_prices(self.sold)
        )
        self._tell(
            [
                f"The back office holds {counted(len(held), 'sale')} of {long_date(DAY)}:",
                f"{money(total)} in total, {doubled} of them twice.",
                f"It was called {counted(self.office.requests['sales'], 'time')} to book them.",
                f"The shop sells {counted(len(self._prices()), 'item')}.",
                "Everything agrees to the cent." if agree else "The books do NOT agree.",
            ]
        )
        write_lines(["How it is now, as `conexxus status` prints it:"])
        write_in_colour([("   ", ""), *line] for line in status_page(self.service.overview()))
        write_lines([""])
        write_lines([NEXT])

        return agree

    def _prices(self) -> dict[str, Decimal]:
        with self.service.store.read() as state:
            return {entry.item.sku: entry.item.price for entry in state.mirror.items()}


def _service(server: "SandboxServer", folder: Path) -> "ConexxusService":
    """
    What a host would hold, with everything in *folder*.
    """
    from conexxus_sync.config import SyncConfig
    from conexxus_sync.model.calendar import StoreCalendar
    from conexxus_sync.service import ConexxusService
    from conexxus_sync.sources.ndjson import FileOrders
    from conexxus_sync.stores import open_store

    sales = folder / "sales.ndjson"
    sales.write_bytes(b"\n".join(_lines("sales.ndjson")))
    url = f"sqlite:///{folder / 'conexxus.db'}"
    config = SyncConfig(location_id=LOCATION, store=url, timezone=ZoneInfo(ZONE))
    note_new_store(config)
    client = ClientConfig(api_url=server.url, api_key=server.api_key, retry_delay_ms=200)

    return ConexxusService(
        ConexxusClient(client),
        store=open_store(url),
        config=config,
        orders=FileOrders(sales, StoreCalendar(timezone=ZoneInfo(ZONE))),
    )


def _lines(name: str) -> list[bytes]:
    """
    The lines of a file that ships with the package.
    """
    return files("conexxus_sync.cli").joinpath("demo", name).read_bytes().splitlines()


def _sales() -> list[Transaction]:
    return [decode_transaction(line) for line in _lines("sales.ndjson")]


def _valid_prices(lines: Iterable[bytes]) -> dict[str, Decimal]:
    items = (decode_item(line) for line in lines)

    return {item.sku: item.price for item in items if isinstance(item, Item)}


def _repriced(line: bytes) -> bytes:
    item = decode_item(line)

    if not isinstance(item, Item) or item.sku not in NEW_PRICES:
        return line

    return encode_item(attrs.evolve(item, price=NEW_PRICES[item.sku]))
