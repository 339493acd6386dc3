"""
Measure how far one changed item, and one sale, travel through the code.

A pull of a catalogue of 100 items in which one changed, applied to the mirror
and to a host's own storage; and a push of a business date with one sale. Both
go from the real engines by the sandbox's transport to a store on disk. What is
counted is work, not time: the same on every machine.

It measures the packages that are first on the path, today's or those of an
older revision, and imports what has moved by its old name, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs

import conexxus_client
import conexxus_sync.sales
import conexxus_sync.stores
from conexxus_client import ClientConfig, ConexxusClient, Transaction, TransactionLine
from conexxus_client.testing import BackOffice, SandboxTransport
from conexxus_sync.config import SyncConfig
from conexxus_sync.inventory import InventorySync
from conexxus_sync.sales import SalesPush
from conexxus_sync.stores import open_store


try:
    from conexxus_sync.engines import EngineContext
except ModuleNotFoundError:
    # An older revision, whose engines take all of it one by one.
    EngineContext = None  # type: ignore[assignment,misc]  # there is none

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


SOURCES = str(Path(conexxus_client.__file__).parents[1])

LOCATION = "loc-001"
# What is imported when it is first needed is no part of a journey.
for _package in (conexxus_client, conexxus_sync.sales, conexxus_sync.stores):
    for _found in walk_packages(_package.__path__, f"{_package.__name__}."):
        if ".testing" not in _found.name:
            import_module(_found.name)

DAY = date(2026, 1, 2)
# What each count is, for people.
SAID = {
    "moves": "calls from one file to another",
    "entered": "calls",
    "functions": "different functions",
    "files": "files",
    "connections": "SQLite connections opened",
}

NIGHT = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)


class Clock:
    """
    A clock that stands still.
    """

    def now(self) -> datetime:
        return NIGHT

    def monotonic(self) -> float:
        return NIGHT.timestamp()


class Orders:
    """
    A till with one sale.
    """

    def transactions(self, location_id: str, business_date: date) -> list[Transaction]:
        line = TransactionLine(sku="SKU001", quantity=1, price=Decimal("1.50"))
        sale = Transaction(id="t1", timestamp=NIGHT, total=Decimal("1.50"), items=[line])

        return [sale] if business_date == DAY else []


class Storage:
    """
    A host that takes what is new and what changed; nothing is removed here.
    """

    def apply(self, changes: Any) -> None:
        self.items = [*list(changes.created), *list(changes.updated)]


@attrs.define
class Trace:
    """
    Counts what one piece of work does in this thread.

    Attributes:
        moves: Calls from one file below `src/` to another, be it by way of a
            library or of a generated `__init__`.
        entered: Calls of functions below `src/`, from wherever.
        functions: The different ones of these.
        files: The files that they are in.
        connections: SQLite connections that were opened, in any thread.
    """

    moves: int = 0
    entered: int = 0
    functions: set[tuple[str, int]] = attrs.field(factory=set)
    files: set[str] = attrs.field(factory=set)
    connections: int = 0
    _is_on: bool = False

    def __attrs_post_init__(self) -> None:
        # A hook can't be taken off again.
        sys.addaudithook(self._audit)

    def of(self, work: Callable[[], object]) -> dict[str, int]:
        """
        Do *work*, and return the counts.
        """
        self._is_on = True
        sys.setprofile(self._profile)
        try:
            work()
        finally:
            sys.setprofile(None)
            self._is_on = False

        return {
            "moves": self.moves,
            "entered": self.entered,
            "functions": len(self.functions),
            "files": len(self.files),
            "connections": self.connections,
        }

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(SOURCES):
            return

        file = frame.f_code.co_filename
        self.entered += 1
        self.functions.add((file, frame.f_code.co_firstlineno))
        self.files.add(file)
        self.moves += _caller(frame) not in ("", file)

    def _audit(self, event: str, _: tuple[object, ...]) -> None:
        self.connections += self._is_on and event == "sqlite3.connect"


def _caller(frame: FrameType) -> str:
    """
    The file below `src/` that the call came from.
    """
    back = frame.f_back
    while back and not back.f_code.co_filename.startswith(SOURCES):
        back = back.f_back

    return back.f_code.co_filename if back else ""


def changed_item(folder: Path) -> dict[str, int]:
    """
    A pull that changes one of 100 items, after one that brought them all.
    """
    catalog = [{"sku": f"SKU{n:03}", "name": f"item {n}", "price": n + 1} for n in range(100)]
    office = BackOffice(catalog, etag="off")
    engine = InventorySync(storage=Storage(), **_context(office, folder))
    engine.pull()
    office.catalog = [*catalog[:50], {**catalog[50], "price": 999}, *catalog[51:]]
    runs = []

    counts = Trace().of(lambda: runs.append(engine.pull()))

    assert runs[0].updated == 1, runs[0]
    return counts


def one_sale(folder: Path) -> dict[str, int]:
    """
    A push of a business date with one sale, on a fresh store.
    """
    office = BackOffice([], etag="off")
    context = _context(office, folder)
    engine = SalesPush(orders=Orders(), released=datetime(2000, 1, 1, tzinfo=UTC), **context)
    push = {"business_date": DAY, "since": date(2026, 1, 1), "honour_past": True}

    counts = Trace().of(lambda: engine.push(**push))

    assert [sale.id for sale in office.ledger.sales(LOCATION)] == ["t1"]
    return counts


def _context(office: BackOffice, folder: Path) -> dict[str, Any]:
    """
    What both engines are made of.
    """
    config = ClientConfig(api_url="http://127.0.0.1:9", api_key=office.api_key, retries=0)
    folder.mkdir()

    client = ConexxusClient(config, transport=SandboxTransport(office))
    store = open_store(f"sqlite:///{folder}/store.db")
    given = {
        "config": SyncConfig(location_id=LOCATION, timezone=ZoneInfo("UTC")),
        "clock": Clock(),
    }

    if EngineContext is None:
        return {"client": client, "store": store, **given}

    return {"client": client, "context": EngineContext(store=store.at(LOCATION), **given)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "one changed item of 100": changed_item(Path(folder) / "item"),
            "one sale": one_sale(Path(folder) / "sale"),
        }

    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    for work, counts in figures.items():
        print(f"{work}:")
        for name, count in counts.items():
            print(f"  {count:6,}  {SAID[name]}")


if __name__ == "__main__":
    main()
