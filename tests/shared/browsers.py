"""
A real browser, and what is wrong with what it shows.
"""

import shutil
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright


# As root, and without calls to its maker.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium_started():
    """
    The one of the system.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "there is no chromium: on Debian, apt-get install chromium"

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def violations(page):
    """
    What axe finds, where.
    """
    # What it describes takes longer than to find it: leave out what is well.
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]
