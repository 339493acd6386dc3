"""
A browser, what it shows, and what is wrong with it.
"""

from conexxus_sync.http import Access, create_app, page_routes
from conexxus_sync.http._server import serving


DESKTOP = {"viewport": {"width": 1200, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DARK = {**DESKTOP, "color_scheme": "dark"}
WINE = [
    {"sku": f"WINE{number:03}", "name": f"Cabernet {1990 + number}", "price": f"{9 + number}.99"}
    for number in range(30)
]
HOSTILE = [
    {"sku": "<script>pwned()</script>", "name": "</script><img src=x onerror=pwned()>", "price": 1},
    {"sku": "x" * 10_000, "name": "y" * 10_000, "price": "free"},
    {"sku": "abc\u202ecba\x1b[2J", "name": "\u2066left\u2069", "price": "free"},
    {"sku": "'\"><svg onload=pwned()>", "name": "`backticks`", "price": "<b onclick=pwned()>"},
]
# Would be called by markup that slips through.
WATCH = """
window.pwned = () => hurt("executed");
addEventListener("securitypolicyviolation", (event) => hurt(event.violatedDirective));
"""


def opener(chromium, troubles):
    closings = []

    def open_(service, access=None, *, app=None, quiet=True, **options):
        access = access or Access()
        routes = page_routes(service, access=access)
        app = app or create_app(service, access=access, routes=routes)
        serve = serving(app, "127.0.0.1", 0)
        url = serve.__enter__()
        context = chromium.new_context(**(options or DESKTOP))
        context.set_default_timeout(20_000)
        # Outside of the page, it survives when the page is loaded anew.
        context.expose_function("hurt", lambda what: troubles.append(what))
        context.add_init_script(WATCH)
        page = context.new_page()
        if quiet:
            page.on("console", lambda said: troubles.append(said.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        closings.append((page, context, serve))
        page.goto(url)
        return page

    yield open_

    for page, context, serve in closings:
        if not page.is_closed():
            # What it has called until now is heard of with its next answer.
            page.evaluate("null")
        context.close()
        serve.__exit__(None, None, None)


def overflow(page):
    """
    By how much the page is wider than its window.
    """
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def hidden(page):
    """
    The parts of which some is to be seen only by scrolling to the side.
    """
    return page.eval_on_selector_all(
        ".scroll",
        "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)",
    )
