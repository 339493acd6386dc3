"""
Signing in, and out.
"""

import pytest
from playwright.sync_api import expect

from conexxus_sync.http import Access


@pytest.mark.parametrize("javascript", [True, False])
def test_signing_in(partial, open_page, javascript):
    """
    Where there is a token, a browser shows it once; before, it learns nothing.
    It works by keyboard, and without JavaScript.
    """
    access = Access(token="open-sesame")
    page = open_page(partial, access, quiet=False, java_script_enabled=javascript)
    assert "loc-001" not in page.content()

    page.get_by_label("Token of this shim").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")

    page.get_by_label("Token of this shim").fill("open-sesame")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert "open-sesame" not in cookie["value"]

    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Token of this shim")).to_be_visible()
    page.context.add_cookies([cookie])
    page.reload()
    expect(page.get_by_label("Token of this shim")).to_be_visible()
