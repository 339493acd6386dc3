"""
How the page looks: layout, contrast, names of controls.
"""

from pathlib import Path

import pytest

from .browser import DARK, DESKTOP, PHONE, WINE, hidden, overflow, violations


SHOTS = Path(__file__).parents[3] / ".screenshots"


SCREENS = {"desktop": DESKTOP, "phone": PHONE, "dark": DARK}


@pytest.mark.parametrize("scene", ["well", "troubled"])
def test_looks(request, new_service, office, open_page, scene):
    """
    On every screen the layout holds, and axe finds nothing; a picture is kept.
    """
    if scene == "well":
        office.catalog = WINE
        service = new_service()
        service.sync_inventory()
    else:
        service = request.getfixturevalue("troubled")

    for name, options in SCREENS.items():
        page = open_page(service, **options)

        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"page-{scene}-{name}.png", full_page=True)
        assert overflow(page) <= 0, name
        assert hidden(page) == [], name
        assert violations(page) == [], name
