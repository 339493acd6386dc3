"""
A page that renews itself is not in the way of whoever reads it.
"""

from contextlib import closing

from playwright.sync_api import expect

from conexxus_sync.http import create_app, page_routes
from conexxus_sync.http._server import serving


def test_page_of_a_server_that_went_away(partial, chromium):
    """
    A page that is left open says that it no longer knows.
    """
    app = create_app(partial, routes=page_routes(partial))

    with closing(chromium.new_context()) as context:
        page = context.new_page()
        with serving(app, "127.0.0.1", 0) as url:
            page.goto(url)

        page.get_by_role("button", name="Test the connection").click()

        expect(page.locator(".note")).to_contain_text("can't reach the SDK just now")
        expect(page.get_by_role("button", name="Sync now")).to_be_visible()


def test_reading_goes_on_while_the_page_renews_itself(partial, office, open_page):
    """
    What is open stays open, and the focus stays where it is.
    """
    page = open_page(partial)
    details = page.locator(".asides details").first
    details.locator("summary").click()
    page.get_by_role("button", name="Test the connection").focus()
    office.faults("catalog: slow(1s)")
    partial.trigger_sync()

    with page.expect_response(lambda answer: "page/probe" in answer.url):
        page.keyboard.press("Enter")
    expect(page.locator(".note")).to_contain_text("Connection successful")

    expect(details).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.textContent") == "Test the connection"


def test_outcome_of_a_click_stays_to_be_read(partial, open_page):
    """
    The page renews itself, and what a click became is still there.
    """
    page = open_page(partial)
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator(".note")).to_contain_text("Connection successful")
    page.evaluate("document.getElementById('live').dataset.old = 'yes'")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#live[data-old]")).to_have_count(0)

    expect(page.locator(".note")).to_contain_text("Connection successful")


def test_focus_stays_while_the_page_renews_itself(partial, open_page):
    """
    Whoever uses the keyboard does not begin anew every quarter of a minute.
    """
    page = open_page(partial)

    for selector in (".asides summary", ".alerts a", "[aria-label='List of runs']"):
        page.locator(selector).first.focus()
        page.evaluate("document.getElementById('live').dataset.old = 'yes'")

        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#live[data-old]")).to_have_count(0)

        assert page.evaluate("(there) => document.activeElement.matches(there)", selector)
