"""
From an alert to its runbook.
"""

from playwright.sync_api import expect

from browsers import violations
from conexxus_sync.model.alerts import AlertName


def test_every_alert_has_its_runbook(partial, open_page):
    """
    From an alert it is one click to what to do, and one back.
    """
    page = open_page(partial)

    page.get_by_role("link", name="What to do about ConexxusItemsSetAside").click()

    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    for name in AlertName:
        assert page.request.get(f"{page.url}runbooks/{name}").ok
