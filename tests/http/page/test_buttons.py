"""
What the buttons of the page do.
"""

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from conexxus_sync.testing import sale
from peeks import peek

from .browser import WINE


def test_sync_now(partial, office, open_page):
    """
    A click on "Sync now" shows the pull at work, and then the new run.
    """
    page = open_page(partial)
    expect(page.get_by_role("heading", level=1)).to_have_text("Working, with something set aside.")
    before = page.locator(".runs tbody tr").count()
    office.catalog = WINE
    office.faults("catalog: slow(1.5s)")

    page.get_by_role("button", name="Sync now").click()

    expect(page.get_by_text("The pull has started.")).to_be_visible()
    expect(page.locator(".progress")).to_contain_text("Pulling")
    expect(page.get_by_role("button", name="Sync now")).to_be_disabled()
    expect(page.locator(".runs tbody tr")).to_have_count(before + 1)
    expect(page.get_by_role("heading", level=1)).to_have_text("All is well.")
    expect(page.locator(".progress")).to_have_count(0)


def test_replay_of_an_item(partial, new_service, open_page):
    """
    An item that today's rules admit comes back with a click.
    """
    service = new_service(max_price=Decimal(100_000))
    page = open_page(service)

    page.get_by_role("button", name="Replay item GOLD").click()

    expect(page.get_by_text("GOLD is in the catalogue now.")).to_be_visible()
    expect(page.get_by_role("button", name="Replay item GOLD")).to_have_count(0)
    assert peek(service.store).mirror.item("GOLD") is not None


def test_replay_of_an_item_that_is_still_bad(partial, open_page):
    """
    It stays where it is, and the page says why.
    """
    page = open_page(partial)

    page.get_by_role("button", name="Replay item GOLD").click()

    expect(page.locator(".note")).to_contain_text("It stays in quarantine: Item has invalid price")
    expect(page.get_by_role("button", name="Replay item GOLD")).to_be_enabled()


def test_replay_of_a_sale(new_service, office, till, open_page):
    """
    A sale that was set aside goes with the next push.
    """
    service = new_service()
    day = service.sales.ledger.calendar.business_date(service._clock.now())
    till.add(sale("t1", timestamp=service._clock.now()), business_date=day)
    office.faults("sales: 422")
    service.push_sales(day)
    page = open_page(service)

    page.get_by_role("button", name="Replay sale t1").click()

    expect(page.get_by_text(f"t1 of {day} goes with the next push.")).to_be_visible()
    [run] = service.push_sales(day)
    assert run.items_succeeded == 1


def test_refused_catalogue_is_accepted(troubled, open_page):
    """
    The price changes are shown, and exactly they are applied.
    """
    page = open_page(troubled)
    expect(page.get_by_role("region", name="Price changes")).to_contain_text("Cabernet 2000")
    assert peek(troubled.store).mirror.item("WINE010").item.price == Decimal("19.99")

    page.get_by_role("button", name="Apply exactly this").click()

    expect(page.get_by_text("A catalogue needs your decision")).to_have_count(0)
    assert peek(troubled.store).mirror.item("WINE010").item.price == Decimal("1.99")


@pytest.mark.case(
    "A10",
    "a guard refuses a catalogue that lacks known items",
    "the page lists them",
)
def test_absent_items(partial, office, open_page):
    """
    Those in force that are absent, with their price.
    """
    office.catalog = [item for item in WINE if item["sku"] != "WINE010"][:10]
    assert partial.sync_inventory().refused

    absent = open_page(partial).get_by_role("region", name="Absent items")

    expect(absent).to_contain_text("WINE010")
    expect(absent).to_contain_text("19.99")


def test_catalogue_that_changed_again_is_not_applied(troubled, office, open_page):
    """
    What was not looked at is not applied.
    """
    page = open_page(troubled)
    office.catalog = [{**item, "price": "2.99"} for item in WINE]

    page.get_by_role("button", name="Apply exactly this").click()

    expect(page.get_by_text("no longer the one that").first).to_be_visible()
    expect(page.get_by_role("region", name="Price changes")).to_contain_text("2.99")
    assert peek(troubled.store).mirror.item("WINE010").item.price == Decimal("19.99")


def test_without_javascript(troubled, new_service, open_page):
    """
    Every button is a form: the page works with nothing but HTML, and loads
    itself anew.
    """
    page = open_page(troubled, java_script_enabled=False)

    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    page.get_by_role("button", name="Replay item GOLD").click()
    expect(page.get_by_text("GOLD is in the catalogue now.")).to_be_visible()
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator(".note")).to_contain_text("Connection successful")
    page.get_by_role("button", name="Apply exactly this").click()
    expect(page.get_by_text("The pull of exactly this catalogue has started.")).to_be_visible()
    page.get_by_role("button", name="Push sales that are due").click()
    expect(page.get_by_text("The push has started.")).to_be_visible()
    while page.get_by_role("button", name="Sync now").is_disabled():
        page.reload()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("The pull has started.")).to_be_visible()
