"""
What comes from elsewhere is shown as text, and does nothing.
"""

from contextlib import contextmanager

import pytest

from .browser import opener, overflow


def test_what_is_executed_is_noticed(partial, chromium):
    """
    These tests see a script that slips through, also one before a reload.
    """
    troubles = []

    with contextmanager(opener)(chromium, troubles) as open_:
        page = open_(partial)
        page.evaluate("pwned()")
        page.reload()

    assert troubles == ["executed"]


@pytest.mark.fault(
    "P16", "The same names, on the page", "shown as text: no script, no turned text, no torn layout"
)
def test_hostile_names(partial, open_page):
    """
    Names are shown as they are, and do nothing: no script, no turned text, no
    torn layout.
    """
    page = open_page(partial)

    shown = page.inner_text("main")

    assert "abc\\u202ecba\\x1b[2J" in shown
    assert "\u202e" not in page.content()
    assert "(10,000 characters)" in shown
    assert page.locator("main script, main img").count() == 0
    assert overflow(page) <= 0


def test_notes_can_t_be_made_up(partial, open_page):
    """
    An address can't make the page say something.
    """
    page = open_page(partial)

    for note in ("hello", "<script>pwned()</script>", "%00", "x" * 2000):
        page.goto(f"{page.url.partition('?')[0]}?note={note}")
        assert page.locator(".note").count() == 0
