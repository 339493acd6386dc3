"""
Signing in, and out.
"""

from playwright.sync_api import expect

from browsers import violations
from conexxus_sync.http import Access


def test_signing_in(partial, open_page):
    """
    Where there is a token, a browser shows it once; before, it learns nothing.
    """
    page = open_page(partial, Access(token="open-sesame"), quiet=False)
    assert "loc-001" not in page.content()
    assert violations(page) == []

    page.get_by_label("Token of this shim").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")

    page.get_by_label("Token of this shim").fill("open-sesame")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert "open-sesame" not in cookie["value"]

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token of this shim")).to_be_visible()
    page.context.add_cookies([cookie])
    page.reload()
    expect(page.get_by_label("Token of this shim")).to_be_visible()
