"""
What the page shows: lists, calendar, latency.
"""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import attrs
from playwright.sync_api import expect

from conexxus_client import Tender
from conexxus_sync.health._overview import DayState
from conexxus_sync.http._page._view import MARKS
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.testing import sale

from .browser import WINE


def test_more_than_is_listed(new_service, office, open_page):
    """
    What is left out is counted: no list ends silently.
    """
    office.catalog = [
        *WINE,
        *({"sku": f"B{number}", "name": "b", "price": "free"} for number in range(25)),
    ]
    service = new_service()
    service.sync_inventory()

    page = open_page(service)

    expect(page.locator("section[aria-labelledby=aside]")).to_contain_text("And 15 more")
    page.locator(".runs summary").click()
    expect(page.locator(".runs summary")).to_have_text("25 errors")
    expect(page.locator(".runs details")).to_contain_text("And 15 more.")


def test_calendar(new_service, office, till, open_page):
    """
    A business date that arrived has its mark and its number of sales.
    """
    office.catalog = WINE
    service = new_service()
    service.sync_inventory()
    day = service.sales.ledger.calendar.business_date(service._clock.now())
    for number in range(3):
        till.add(sale(f"t{number}", "2.50", timestamp=service._clock.now()), business_date=day)
    service.push_sales(day)

    page = open_page(service)

    cell = page.locator("td.today")
    expect(cell).to_contain_text("3")
    assert "3 sales, 7.50, accepted" in cell.get_attribute("title")


def test_reconciled_dates(new_service, office, till, open_page):
    """
    The table of the last date stands open, those before are opened by keyboard;
    a name of the till is text.
    """
    service = new_service()
    today = service.sales.ledger.calendar.business_date(service._clock.now())
    for days, tender in ((2, "card"), (1, "<b>cash")):
        day, amount = today - timedelta(days=days), Decimal("2.50")
        paid = attrs.evolve(
            sale(f"t{days}"), total=amount, tenders=[Tender(type=tender, amount=amount)]
        )
        till.add(paid, business_date=day)
        office.faults("forget(t1)")
        service.push_sales(day)
        service.reconcile(day)

    page = open_page(service)

    section = page.locator("section[aria-labelledby=reconciled]")
    expect(section).to_contain_text("t1 was accepted, but is not in the books of the back office")
    shown = section.locator("table").first
    assert [" ".join(row.split()) for row in shown.locator("tr").all_inner_texts()] == [
        "What till sent accepted set aside back office difference",
        "sales 1 1 1 0 0 1 differs",
        "total 2.50 2.50 2.50 0 0 2.50 differs",
        "tender <b>cash 2.50 2.50 2.50 0 0 2.50 differs",
    ]
    expect(section.locator("table").nth(1)).not_to_be_visible()
    section.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(section.locator("table").nth(1)).to_contain_text("tender card")


def test_calendar_shows_each_state(new_service, open_page, monkeypatch):
    """
    How a business date stands is told by its colour and its mark, and the
    mark's meaning by the legend.
    """
    service = new_service()
    found = service.overview()
    page = open_page(service)

    for state in DayState:
        day = attrs.evolve(found.days[-1], state=state, sums=None)
        others = DayState.QUIET if state is not DayState.QUIET else DayState.UNKNOWN
        days = (*(attrs.evolve(each, state=others) for each in found.days[:-1]), day)
        monkeypatch.setattr(service, "overview", partial(attrs.evolve, found, days=days))
        page.reload()

        cells = page.locator(f".calendar td.{state}")
        expect(cells).to_have_count(1)
        expect(cells.locator(".mark")).to_have_text(MARKS[state])


def test_latency(new_service, open_page):
    """
    How long the back office took to answer lately is drawn and told; what it
    did not answer is left out.
    """
    service = new_service()
    known = service._queries.api_monitor
    for milliseconds, reached in ((20, True), (900, False), (80, True), (40, True)):
        known.last = ApiConnection(
            reached=reached,
            checked_at=service._clock.now(),
            latency=timedelta(milliseconds=milliseconds),
        )
        known._recent.append(known.last)

    page = open_page(service)

    line = page.get_by_role("img", name="Latency of the last 3 answers")
    points = line.locator("polyline").get_attribute("points")
    assert points == "0.0,21.5 60.0,2.0 120.0,15.0"
    expect(page.get_by_text("The last 3 answers took at most 80 ms.")).to_be_visible()
