"""
What the buttons of the page do.
"""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from conexxus_client import ApiProfile
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


@pytest.mark.parametrize("javascript", [True, False])
def test_replay_of_a_sale(new_service, office, till, open_page, javascript):
    """
    A sale that was set aside goes with the next push; by keyboard, and without
    JavaScript.
    """
    service = new_service()
    day = service.sales.ledger.calendar.business_date(service._clock.now())
    till.add(sale("t1", timestamp=service._clock.now()), business_date=day)
    office.faults("sales: 422")
    service.push_sales(day)
    page = open_page(service, java_script_enabled=javascript)

    page.get_by_role("button", name="Replay sale t1").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text(f"t1 of {day} goes with the next push.")).to_be_visible()
    [run] = service.push_sales(day)
    assert run.items_succeeded == 1


@pytest.mark.case(
    "D11",
    "a person applies a refused catalogue that cuts 30 prices by 90 %",
    "the terminal and the page ask first, with counts and the largest change",
)
def test_refused_catalogue_is_accepted(troubled, open_page):
    """
    The price changes are shown, and exactly they are applied.
    """
    page = open_page(troubled)
    expect(page.get_by_role("region", name="Price changes")).to_contain_text("Cabernet 2000")
    assert peek(troubled.store).mirror.item("WINE010").item.price == Decimal("19.99")

    page.get_by_role("link", name="Review and apply").click()
    expect(page.locator("main")).to_contain_text("30 prices would change; 1 item in force")
    expect(page.locator("main")).to_contain_text("The largest change: WINE029")
    expect(page.locator("main")).to_contain_text("38.99 → 1.99 -95 %")
    page.get_by_role("button", name="Apply exactly this").click()

    expect(page.get_by_text("The pull of exactly this catalogue has started.")).to_be_visible()
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

    page.get_by_role("link", name="Review and apply").click()
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
    page.get_by_role("link", name="Review and apply").click()
    page.get_by_role("button", name="Apply exactly this").click()
    expect(page.get_by_text("The pull of exactly this catalogue has started.")).to_be_visible()
    page.get_by_role("button", name="Push sales that are due").click()
    expect(page.get_by_text("The push has started.")).to_be_visible()
    while page.get_by_role("button", name="Sync now").is_disabled():
        page.reload()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("The pull has started.")).to_be_visible()


@pytest.fixture
def parked(new_service, till, office):
    """
    A service with a batch of one sale whose fate an operator has to decide.
    """
    service = new_service(profile=ApiProfile(dedupe="none"))
    day = service.sales.ledger.calendar.business_date(service._clock.now())
    till.add(sale("t1", timestamp=service._clock.now()), business_date=day)
    office.faults("sales: after_commit(reset)")
    service.push_sales(day)

    return service


YES = ("Yes, it has all of them", "1 sale marked as delivered.")
NO = ("No, it has none of them", "1 sale will be sent with the next push, in a new batch.")


@pytest.mark.parametrize(
    ("javascript", "answer", "note"),
    [
        (True, *YES),
        (False, *NO),
        pytest.param(True, *NO, marks=pytest.mark.long),
        pytest.param(False, *YES, marks=pytest.mark.long),
    ],
)
def test_parked_sales_are_decided(parked, open_page, javascript, answer, note):
    """
    The first button leads to the question, by keyboard and without JavaScript;
    each answer settles the batch.
    """
    page = open_page(parked, java_script_enabled=javascript)
    first = page.locator(".hero .buttons").locator("a, button").first
    expect(first).to_have_text("Decide about 1 parked sale")
    first.focus()

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Does the back office have this sale?"
    )
    page.get_by_role("button", name=answer).focus()
    page.keyboard.press("Enter")

    expect(page.locator(".note")).to_have_text(note)
    assert len(parked.outbox()) == 0


def test_first_button_is_the_most_urgent_action(troubled, new_service, office, open_page):
    """
    Where all is well, that is a pull; else, what mends the gravest alert.
    """
    page = open_page(troubled)
    buttons = page.locator(".hero .buttons").locator("a, button")

    assert buttons.first.inner_text() == "Push sales that are due"
    assert "Review the refused catalogue" in buttons.all_inner_texts()
    assert len(set(buttons.all_inner_texts())) == buttons.count()


def test_consequences_are_under_their_cause(new_service, office, open_page):
    """
    A dead back office is one entry, and a test of the connection comes first.
    """
    service = new_service()
    office.faults("503*20")
    service.sync_inventory()

    page = open_page(service)

    expect(page.locator(".alerts > li")).to_have_count(1)
    expect(page.locator(".alerts .effects li")).to_contain_text("The last pull failed")
    expect(page.locator(".hero .main")).to_have_text("Test the connection")


def test_next_runs(new_service, office, open_page):
    """
    The page says when the schedule pulls and pushes next.
    """
    office.catalog = WINE
    service = new_service()
    service.sync_inventory()

    shown = open_page(service).locator(".hero").inner_text()

    assert re.search(r"Next pull: ([A-Z][a-z]+ [0-9]+ [A-Z][a-z]+, )?[0-9:]{5}[.]", shown)
    assert "Next push: " in shown
