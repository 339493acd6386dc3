"""
How the page looks: layout, contrast, names of controls.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from browsers import violations
from conexxus_client import ApiProfile, Tax, Tender
from conexxus_sync.http import Access
from conexxus_sync.testing import sale

from .browser import DESKTOP, PHONE, WINE, hidden, overflow


DAY = timedelta(days=1)
SHOTS = Path(__file__).parents[3] / ".screenshots"

SCREENS = {
    f"{screen}-{scheme}": {**options, "color_scheme": scheme}
    for screen, options in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
}


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
    for day in (yesterday - DAY, yesterday):
        reconciled(service, till, day, "1")

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


# State, and where in the page.
SCENES = {
    "well": ("well", ""),
    "fresh": ("fresh", ""),
    "down": ("down", ""),
    "troubled": ("troubled", ""),
    "refused": ("troubled", "Review and apply"),
    "parked": ("parked", "Decide about"),
    "sign-in": ("fresh", ""),
}


@pytest.mark.parametrize("scene", SCENES)
def test_looks(request, open_page, scene):
    """
    On every screen, light and dark, the layout holds, and axe finds nothing; a
    picture is kept.
    """
    name, link = SCENES[scene]
    service = request.getfixturevalue(name)
    access = Access(token="s3cret-of-the-shim") if scene == "sign-in" else None

    for screen, options in SCREENS.items():
        page = open_page(service, access, quiet=access is None, **options)
        if link:
            page.get_by_role("link", name=link).first.click()

        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"page-{scene}-{screen}.png", full_page=True)
        assert overflow(page) <= 0, screen
        assert hidden(page) == [], screen
        assert violations(page) == [], screen
