"""
Makes the documentation's pictures of the page, from a store beside the sandbox.

    python scripts/docs_pictures.py FOLDER

Needs Playwright and the system's chromium; without it, no picture is made, and
the pages have none.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from contextlib import closing
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs
from playwright.sync_api import sync_playwright

from conexxus_client import ClientConfig, ConexxusClient, Tax, Tender
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.http import create_app, page_routes
from conexxus_sync.http._server import serving
from conexxus_sync.testing import FakeClock, ListOrders, sale


if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from playwright.sync_api import Browser

CATALOGUE = [
    {"sku": f"WINE{number:03}", "name": f"Cabernet {1990 + number}", "price": f"{9 + number}.99"}
    for number in range(30)
]
DAYS = 10
ZONE = ZoneInfo("America/New_York")
WINDOW = {"width": 1000, "height": 700}


@attrs.frozen(kw_only=True)
class Shop:
    """
    A store that sold for some days, with its back office.
    """

    office: BackOffice
    till: ListOrders
    service: ConexxusService
    clock: FakeClock

    def well(self) -> None:
        """
        Catalogue and sales are in step, and yesterday is reconciled.
        """
        today = datetime.combine(datetime.now(ZONE).date(), time(9, 40), ZONE)
        self.clock.set(today - timedelta(days=DAYS, hours=-14))
        for _ in range(1, DAYS):
            self.clock.advance(timedelta(days=1))
            self.service.push_sales(self.sold())
        self.clock.set(today)
        self.service.sync_inventory()
        self.service.reconcile(today.date() - timedelta(days=1))

    def troubled(self) -> None:
        """
        A catalogue is refused, and the fate of a batch is unknown.
        """
        self.office.catalog = [{**item, "price": "1.99"} for item in CATALOGUE]
        self.service.sync_inventory()
        self.office.faults("sales: after_commit(reset)*9")
        self.service.push_sales(self.sold())

    def sold(self) -> date:
        """
        Put sales of the clock's day into the till.
        """
        now = self.clock.now()
        day = now.astimezone(ZONE).date()
        draw = random.Random(day.toordinal())  # noqa: S311 - made-up sales, the same each time
        for number in range(draw.randint(80, 240)):
            total = Decimal(draw.randint(500, 9000)) / 100
            receipt = attrs.evolve(
                sale(f"{day:%m%d}-{number:03}", total, timestamp=now),
                register=str(number % 2 + 1),
                tenders=[Tender(type=draw.choice(["cash", "card"]), amount=total)],
                taxes=[Tax(code="STATE", amount=round(total / 12, 2), included=True)],
            )
            self.till.add(receipt, business_date=day)

        return day


def pictures(browser: Browser, folder: Path, work: Path) -> None:
    """
    One of each scene, light and dark.
    """
    office, till = BackOffice(), ListOrders()
    office.catalog = CATALOGUE
    url = f"sqlite:///{work / 'conexxus.db'}"
    config = SyncConfig(location_id="loc-001", store=url, timezone=ZONE)
    clock = FakeClock()

    with SandboxServer(office) as server:
        settings = ClientConfig(api_url=server.url, api_key=server.api_key, retries=0)
        client = ConexxusClient(settings)
        store = open_store(url)
        service = ConexxusService(client, store=store, config=config, orders=till, clock=clock)
        with closing(service):
            shop = Shop(office=office, till=till, service=service, clock=clock)
            app = create_app(service, routes=page_routes(service))
            with serving(app, "127.0.0.1", 0) as address:
                scenes: dict[str, Callable[[], None]] = {
                    "page-well": shop.well,
                    "page-troubled": shop.troubled,
                }
                for name, happen in scenes.items():
                    happen()
                    _take(browser, address, folder / name)


def _take(browser: Browser, address: str, name: Path) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(
            viewport=WINDOW, device_scale_factor=1.5, color_scheme=scheme, locale="en-US"
        )
        with closing(context):
            page = context.new_page()
            page.goto(address)
            page.screenshot(path=name.with_name(f"{name.name}-{scheme}.png"))


def main(folder: Path) -> int:
    """
    Make all of them anew.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    if program is None:
        print("There is no chromium, so the pages have no pictures: apt-get install chromium")
        return 0

    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        with closing(browser):
            pictures(browser, folder, Path(work))
    print(f"Pictures: {', '.join(sorted(path.name for path in folder.iterdir()))}")

    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
