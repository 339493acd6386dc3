"""
How the page looks: layout, contrast, names of controls.
"""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from databases import IS_SMALL
from playwright.sync_api import expect

from browsers import violations
from conexxus_client import ApiProfile, Tax, Tender
from conexxus_sync.http import Access
from conexxus_sync.testing import sale

from .browser import DESKTOP, PHONE, WINE, hidden, overflow


DAY = timedelta(days=1)
SHOTS = Path(__file__).parents[3] / ".screenshots"
SCREENS = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ("light", "dark")


def assert_looks(page, name, schemes):
    """
    The layout holds, light and dark, and axe finds nothing in these schemes;
    CONEXXUS_SCREENSHOTS keeps pictures.
    """
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        if os.environ.get("CONEXXUS_SCREENSHOTS"):
            page.screenshot(path=SHOTS / f"page-{name}-{scheme}.png", full_page=True)
        assert overflow(page) <= 0, (name, scheme)
        assert hidden(page) == [], (name, scheme)
        assert scheme not in schemes or violations(page) == [], (name, scheme)


def sold(service, till, *ids):
    day = service.sales.ledger.calendar.business_date(service._clock.now())
    for number, name in enumerate(ids):
        till.add(sale(name, f"{number + 2}.50", timestamp=service._clock.now()), business_date=day)
    service.push_sales(day)

    return service


@pytest.fixture
def well(new_service, office, till):
    office.catalog = WINE[:10]
    service = new_service()
    service.sync_inventory()
    office.catalog = WINE
    service.sync_inventory()

    yesterday = service.sales.ledger.calendar.business_date(service._clock.now()) - DAY
    # Of one register, in one second, they would be the same sales, moved.
    reconciled(service, till, yesterday - DAY, "3")
    reconciled(service, till, yesterday, "1")

    return sold(service, till, *(f"t{number}" for number in range(7)))


def reconciled(service, till, day, register):
    """
    A date with receipts.
    """
    moment = service._clock.now()
    for number, tender in enumerate(("cash", "card", "gift_card")):
        receipt = attrs.evolve(
            sale(f"{register}-{number}", "1200.50", timestamp=moment),
            register=register,
            tenders=[Tender(type=tender, amount=Decimal("1200.50"))],
            taxes=[Tax(code="STATE", amount=Decimal("99.12"), included=True)],
        )
        till.add(receipt, business_date=day)
    service.push_sales(day)
    service.reconcile(day)


@pytest.fixture
def down(well, office, till):
    office.faults("forget(2-1)")
    yesterday = well.sales.ledger.calendar.business_date(well._clock.now()) - DAY
    reconciled(well, till, yesterday, "2")
    office.faults("503*50")
    well.sync_inventory()

    return sold(well, till, "late1", "late2")


@pytest.fixture
def parked(new_service, office, till):
    service = new_service(profile=ApiProfile(dedupe="none"))
    service.sync_inventory()
    office.faults("sales: after_commit(reset)")

    return sold(service, till, "t1", "t2")


@pytest.fixture
def fresh(new_service):
    return new_service()


# State, where in the page, and its headline there.
SCENES = {
    "well": ("well", "", "All is well."),
    "fresh": ("fresh", "", "Nothing was pulled yet."),
    "down": ("down", "", "The back office gives no good answer."),
    "troubled": ("troubled", "", "The last push of sales failed."),
    "refused": ("troubled", "Review and apply", "Apply this catalogue?"),
    "parked": ("parked", "Decide about", "Does the back office have these sales?"),
    "sign-in": ("fresh", "", "Sign in"),
}


# Which scheme axe examines on the desktop, and on the phone.
SHORT = {"desktop": "light", "phone": "dark"}
LONG = {"desktop": "dark", "phone": "light"}
LATER = ["troubled"] if IS_SMALL else SCENES


@pytest.mark.parametrize(
    ("scene", "schemes"),
    [
        *((scene, SHORT) for scene in SCENES),
        *(pytest.param(scene, LONG, marks=pytest.mark.long) for scene in LATER),
    ],
)
def test_looks(request, open_page, scene, schemes):
    """
    On every screen, light and dark, the layout holds, and axe finds nothing.
    """
    name, link, headline = SCENES[scene]
    service = request.getfixturevalue(name)
    access = Access(token="s3cret-of-the-shim") if scene == "sign-in" else None

    for screen, options in SCREENS.items():
        page = open_page(service, access, quiet=access is None, **options)
        if link:
            page.get_by_role("link", name=link).first.click()

        expect(page.locator("h1")).to_have_text(headline)
        assert_looks(page, f"{scene}-{screen}", schemes[screen])
