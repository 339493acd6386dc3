"""
How the page of a fleet looks, and how it is used.
"""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, WrongStore
from conexxus_sync.http.fleet_pages import create_fleet_app
from conexxus_sync.testing import FakeClock, ListOrders, sale

from .browser import HOSTILE, PHONE
from .test_looks import SCHEMES, SCREENS, assert_looks


LATE = datetime(2026, 1, 3, 0, 1, tzinfo=UTC)
GOOD, DOWN = 6, 8


@pytest.fixture
def new_fleet(server, tmp_path):
    """
    Makes fleets of stores that are given by their rows.
    """
    fleets = []
    environ = {"GOOD": server.api_key, "BAD": "a-key-that-is-wrong"}
    defaults = {
        "api.url": server.url,
        "api.key_env": "GOOD",
        "timezone": "UTC",
        "store": f"sqlite:///{tmp_path / 'conexxus.db'}",
        "retries": 0,
    }

    def make(rows, wrong=()):
        clock = FakeClock(datetime(2026, 1, 2, 12, tzinfo=UTC))
        till = ListOrders()
        till.add(sale("t1", timestamp=clock.now()), business_date=clock.now().date())
        stores = [StoreSettings.of(row, defaults, environ=environ) for row in rows]
        options = FleetOptions(rate=1_000, burst=1_000)
        fleets.append(Fleet(stores, wrong=wrong, orders=till, clock=clock, options=options))
        return fleets[-1]

    yield make

    for fleet in fleets:
        fleet.close()


@pytest.fixture
def troubled(new_fleet):
    """
    A back office that is down for some, a wrong key, a wrong zone, foreign names.
    """
    rows = [{"location": f"{number:04}"} for number in range(GOOD)]
    rows += [
        {"location": f"9{number:03}", "api.url": "http://127.0.0.1:9"} for number in range(DOWN)
    ]
    rows += [{"location": "<script>pwned()</script>", "api.key_env": "BAD"}]
    problem = "timezone in fleet.toml, line 2,004, must be an IANA time zone"
    fleet = new_fleet(rows, [WrongStore(name=HOSTILE[3]["sku"], problems=(problem,))])
    fleet.run_once()
    fleet.clock.advance_to(LATE)
    fleet.run_once()

    return fleet


@pytest.mark.long
def test_looks(troubled, open_page):
    """
    On every screen, light and dark, the layout holds, and axe finds nothing.
    """
    for screen, options in SCREENS.items():
        page = open_page(None, app=create_fleet_app(troubled), **options)

        assert_looks(page, f"fleet-{screen}", SCHEMES)


@pytest.mark.long
def test_from_the_fleet_to_a_store(troubled, open_page):
    """
    By state, by name, to the page of a store, and back; the page renews itself
    where it is.
    """
    page = open_page(None, app=create_fleet_app(troubled), **PHONE)
    expect(page.get_by_role("heading", level=1)).to_have_text("10 of 16 stores need a look")
    page.get_by_role("link", name="6 good").click()
    expect(page.get_by_role("link", name="0000")).to_be_visible()
    page.get_by_label("Part of a store's name").fill("0004")
    page.get_by_role("button", name="Find").click()
    page.evaluate("refresh()")
    page.get_by_role("link", name="0004").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    page.get_by_role("link", name="All stores").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("10 of 16 stores need a look")
