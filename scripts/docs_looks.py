"""
Looks at pages of the built site with the system's chromium.

    python scripts/docs_looks.py site .screenshots

Twelve pages, on a desktop and a phone, light and dark: a picture of each is kept.
What is printed is wrong, and the exit code is 1: a finding of axe, a page that is
wider than its window, a request to another host, an error of the console, or a
text whose page the search does not show.
"""

from __future__ import annotations

import shutil
import sys
import threading
from contextlib import closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright


if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

PAGES = [
    *("", "tutorial/", "how-to/docker/", "how-to/recover-from-a-bad-catalogue/"),
    *("how-to/check-the-status/", "reference/configuration/", "reference/errors/"),
    *("reference/sync/service/", "explanation/guarantees/", "explanation/security/"),
    *("explanation/alternatives/", "runbooks/ConexxusSalesParked/"),
]
SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
# What is typed into the search, and a page that it has to show.
SEARCHES = {
    "Conexxus API rate limit exceeded. Try again later.": "reference/errors/",
    "docker": "how-to/docker/",
    "gunicorn": "how-to/docker/",
    "celery": "how-to/choose-a-schedule/",
    "NAXML": "how-to/migrate-from-naxml/",
    "restore backup": "how-to/back-up-the-store/",
    "CONEXXUS_PUSH_AT": "reference/configuration/",
    "run_forever": "reference/sync/service/",
}


class Handler(SimpleHTTPRequestHandler):
    """
    Serves the site, and does not print what was asked for.
    """

    def log_message(self, *args: object) -> None: ...


@contextmanager
def served(site: Path) -> Iterator[str]:
    """
    The site on a free port of this machine.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def faults(page: Page, address: str) -> Iterator[str]:
    """
    What is wrong with the page that is shown.
    """
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wider > 0:
        yield f"is {wider} pixels wider than its window"

    for rule in Axe().run(page).response["violations"]:
        for node in rule["nodes"]:
            yield f"{rule['id']}: {node['html'][:200]}"

    if not page.url.startswith(address):
        yield f"leads to {page.url}"


def look(browser: Browser, address: str, shots: Path) -> Iterator[str]:
    """
    Each page on each screen, in each scheme.
    """
    for screen, options in SCREENS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, **options)
            with closing(context):
                page = context.new_page()
                said: list[str] = []
                page.on("console", lambda it, said=said: said.append(f"console: {it.text}"))
                page.on("pageerror", lambda it, said=said: said.append(f"error: {it}"))
                page.on("request", lambda it, said=said: said.append(it.url))
                for path in PAGES:
                    said.clear()
                    page.goto(address + path)
                    page.wait_for_load_state("networkidle")
                    name = path.strip("/").replace("/", "-") or "home"
                    page.screenshot(path=shots / f"docs-{name}-{screen}-{scheme}.png")
                    own = (address, "data:", "blob:")
                    heard = [it for it in said if not it.startswith(own)]
                    for fault in (*faults(page, address), *heard):
                        yield f"{path or '/'} ({screen}, {scheme}) {fault}"


def search(browser: Browser, address: str) -> Iterator[str]:
    """
    Each text leads to its page.
    """
    results = "li.md-search-result__item a"

    with closing(browser.new_context()) as context:
        page = context.new_page()
        for text, wanted in SEARCHES.items():
            page.goto(f"{address}?q={quote(text)}")
            page.locator(results).first.wait_for(state="attached")
            shown = page.locator(results).evaluate_all("all => all.map(one => one.href)")
            if not any(urlsplit(link).path == f"/{wanted}" for link in shown):
                yield f"The search for {text!r} shows {shown}"


def main(site: Path, shots: Path) -> int:
    """
    Print what is wrong.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("There is no chromium, so nothing was looked at: apt-get install chromium")
        return 1

    shots.mkdir(exist_ok=True)
    with sync_playwright() as playwright, served(site) as address:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        with closing(browser):
            found = [*look(browser, address, shots), *search(browser, address)]

    for line in found:
        print(line)
    print(f"{len(PAGES)} pages on {len(SCREENS) * 2} screens: {len(found)} faults found.")

    return bool(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
