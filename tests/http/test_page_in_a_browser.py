"""
The page in a real browser, as somebody behind a counter uses it.
"""

import shutil
from contextlib import closing, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.health._overview import DayState
from conexxus_sync.http import Access, create_app, page_routes
from conexxus_sync.http._page._view import MARKS
from conexxus_sync.http._server import serving
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.testing import ListOrders, sale


SHOTS = Path(__file__).parents[2] / ".screenshots"

# As root, and without calls to its maker.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

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


@pytest.fixture(scope="module")
def chromium():
    """
    A real one, of the system.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "there is no chromium: on Debian, apt-get install chromium"

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def till():
    """
    Sells what it is told, by business date.
    """

    return ListOrders()


@pytest.fixture
def new_service(server, tmp_path, till):
    """
    Makes services of one location: the same store, other rules.
    """
    made = []
    config = SyncConfig(
        location_id="loc-001",
        store=f"sqlite:///{tmp_path / 'conexxus.db'}",
        timezone=ZoneInfo("America/New_York"),
    )

    def make(**rules):
        client = ClientConfig(
            api_url=server.url, api_key=server.api_key, retries=0, timeout_ms=20_000
        )
        service = ConexxusService(
            ConexxusClient(client),
            store=open_store(config.store),
            config=attrs.evolve(config, **rules),
            orders=till,
        )
        made.append(service)
        return service

    yield make

    for service in made:
        service.close()


@pytest.fixture
def open_page(chromium):
    """
    Opens the page of a service, and in the end looks whether anything was
    executed, blocked or complained of.
    """
    troubles = []

    with contextmanager(_opener)(chromium, troubles) as open_:
        yield open_

    assert not troubles


def _opener(chromium, troubles):
    closings = []

    def open_(service, access=None, *, quiet=True, **options):
        access = access or Access()
        app = create_app(service, access=access, routes=page_routes(service, access=access))
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


@pytest.fixture
def partial(new_service, office):
    """
    A service whose last pull set something aside.
    """
    office.catalog = [*WINE, {"sku": "GOLD", "name": "Gold bar", "price": 70_000}, *HOSTILE]
    service = new_service(max_price=Decimal(1000))
    service.sync_inventory()

    return service


@pytest.fixture
def troubled(partial, new_service, office, till):
    """
    Everything at once: a refused catalogue, sales that wait, items set aside.
    """
    service = new_service()
    day = service.sales.agenda.calendar.business_date(service._clock.now())
    for name in ("t1", "</td><script>pwned()</script>"):
        till.add(sale(name, timestamp=service._clock.now()), business_date=day)
    office.faults("sales: after_commit(reset)")
    service.push_sales(day)
    office.catalog = [{**item, "price": "1.99"} for item in WINE]
    service.sync_inventory()

    return service


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


def violations(page):
    """
    What axe finds, where.
    """
    found = Axe().run(page).response["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]


def test_sync_now(partial, office, open_page):
    """
    A click on "Sync now" shows the pull at work, and then the new run.
    """
    page = open_page(partial)
    expect(page.get_by_role("heading", level=1)).to_have_text("Working, with something set aside.")
    before = page.locator(".runs tbody tr").count()
    office.catalog = WINE
    office.faults("catalog: slow(2s)")

    page.get_by_role("button", name="Sync now").click()

    expect(page.get_by_text("The pull has started.")).to_be_visible()
    expect(page.locator(".progress")).to_contain_text("Pulling")
    expect(page.get_by_role("button", name="Sync now")).to_be_disabled()
    expect(page.locator(".runs tbody tr")).to_have_count(before + 1)
    expect(page.get_by_role("heading", level=1)).to_have_text("All is well.")
    expect(page.locator(".progress")).to_have_count(0)


def test_replay_of_an_item(partial, new_service, open_page):
    """
    An item that today's rules admit comes back with a click.
    """
    service = new_service(max_price=Decimal(100_000))
    page = open_page(service)

    page.get_by_role("button", name="Replay item GOLD").click()

    expect(page.get_by_text("GOLD is in the catalogue now.")).to_be_visible()
    expect(page.get_by_role("button", name="Replay item GOLD")).to_have_count(0)
    assert service.store.catalog.item("loc-001", "GOLD") is not None


def test_replay_of_an_item_that_is_still_bad(partial, open_page):
    """
    It stays where it is, and the page says why.
    """
    page = open_page(partial)

    page.get_by_role("button", name="Replay item GOLD").click()

    expect(page.locator(".note")).to_contain_text("It stays in quarantine: Item has invalid price")
    expect(page.get_by_role("button", name="Replay item GOLD")).to_be_enabled()


def test_replay_of_a_sale(new_service, office, till, open_page):
    """
    A sale that was set aside goes with the next push.
    """
    service = new_service()
    day = service.sales.agenda.calendar.business_date(service._clock.now())
    till.add(sale("t1", timestamp=service._clock.now()), business_date=day)
    office.faults("sales: 422")
    service.push_sales(day)
    page = open_page(service)

    page.get_by_role("button", name="Replay sale t1").click()

    expect(page.get_by_text(f"t1 of {day} goes with the next push.")).to_be_visible()
    [run] = service.push_sales(day)
    assert run.items_succeeded == 1


def test_refused_catalogue_is_accepted(troubled, open_page):
    """
    The price changes are shown, and exactly they are applied.
    """
    page = open_page(troubled)
    expect(page.get_by_role("region", name="Price changes")).to_contain_text("Cabernet 2000")
    assert troubled.store.catalog.item("loc-001", "WINE010").item.price == Decimal("19.99")

    page.get_by_role("button", name="Apply exactly this").click()

    expect(page.get_by_text("A catalogue waits for your word")).to_have_count(0)
    assert troubled.store.catalog.item("loc-001", "WINE010").item.price == Decimal("1.99")


def test_catalogue_that_changed_again_is_not_applied(troubled, office, open_page):
    """
    What was not looked at is not applied.
    """
    page = open_page(troubled)
    office.catalog = [{**item, "price": "2.99"} for item in WINE]

    page.get_by_role("button", name="Apply exactly this").click()

    expect(page.get_by_text("no longer the one that").first).to_be_visible()
    expect(page.get_by_role("region", name="Price changes")).to_contain_text("2.99")
    assert troubled.store.catalog.item("loc-001", "WINE010").item.price == Decimal("19.99")


def test_without_javascript(troubled, new_service, open_page):
    """
    Every button is a form: the page works with nothing but HTML, and loads
    itself anew.
    """
    page = open_page(troubled, java_script_enabled=False)

    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    page.get_by_role("button", name="Replay item GOLD").click()
    expect(page.get_by_text("GOLD is in the catalogue now.")).to_be_visible()
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator(".note")).to_contain_text("Connection successful")
    page.get_by_role("button", name="Apply exactly this").click()
    expect(page.get_by_text("The pull of exactly this catalogue has started.")).to_be_visible()
    page.get_by_role("button", name="Push sales that are due").click()
    expect(page.get_by_text("The push has started.")).to_be_visible()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("The pull has started.")).to_be_visible()


def test_what_is_executed_is_noticed(partial, chromium):
    """
    These tests see a script that slips through, also one before a reload.
    """
    troubles = []

    with contextmanager(_opener)(chromium, troubles) as open_:
        page = open_(partial)
        page.evaluate("pwned()")
        page.reload()

    assert troubles == ["executed"]


@pytest.mark.parametrize(
    ("name", "options"), [("desktop", DESKTOP), ("phone", PHONE), ("dark", DARK)]
)
@pytest.mark.parametrize("scene", ["well", "troubled"])
def test_looks(request, new_service, office, open_page, scene, name, options):
    """
    On every screen the layout holds, and axe finds nothing; a picture is kept.
    """
    if scene == "well":
        office.catalog = WINE
        service = new_service()
        service.sync_inventory()
    else:
        service = request.getfixturevalue("troubled")

    page = open_page(service, **options)

    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"page-{scene}-{name}.png", full_page=True)
    assert overflow(page) <= 0
    assert hidden(page) == []
    assert violations(page) == []


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
        assert page.goto(f"{page.url}runbooks/{name}").status == 200
        page.go_back()


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


@pytest.mark.parametrize(
    "selector", [".asides summary", ".alerts a", "[aria-label='List of runs']"]
)
def test_focus_stays_while_the_page_renews_itself(partial, open_page, selector):
    """
    Whoever uses the keyboard does not begin anew every quarter of a minute.
    """
    page = open_page(partial)
    page.locator(selector).first.focus()
    page.evaluate("document.getElementById('live').dataset.old = 'yes'")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#live[data-old]")).to_have_count(0)

    assert page.evaluate("(there) => document.activeElement.matches(there)", selector)


def test_more_than_is_listed(new_service, office, open_page):
    """
    What is left out is counted: no list ends silently.
    """
    office.catalog = [
        *WINE,
        *({"sku": f"B{number}", "name": "b", "price": "free"} for number in range(25)),
    ]
    service = new_service()
    service.sync_inventory()

    page = open_page(service)

    expect(page.locator("section[aria-labelledby=aside]")).to_contain_text("And 15 more")
    page.locator(".runs summary").click()
    expect(page.locator(".runs summary")).to_have_text("25 errors")
    expect(page.locator(".runs details")).to_contain_text("And 15 more.")


def test_notes_can_t_be_made_up(partial, open_page):
    """
    An address can't make the page say something.
    """
    page = open_page(partial)

    for note in ("hello", "<script>pwned()</script>", "%00", "x" * 2000):
        page.goto(f"{page.url.partition('?')[0]}?note={note}")
        assert page.locator(".note").count() == 0


def test_calendar(new_service, office, till, open_page):
    """
    A business date that arrived has its mark and its number of sales.
    """
    office.catalog = WINE
    service = new_service()
    service.sync_inventory()
    day = service.sales.agenda.calendar.business_date(service._clock.now())
    for number in range(3):
        till.add(sale(f"t{number}", "2.50", timestamp=service._clock.now()), business_date=day)
    service.push_sales(day)

    page = open_page(service)

    cell = page.locator("td.today")
    expect(cell).to_contain_text("3")
    assert "3 sales, 7.50, accepted" in cell.get_attribute("title")


@pytest.mark.parametrize("state", DayState)
def test_calendar_shows_each_state(new_service, open_page, monkeypatch, state):
    """
    How a business date stands is told by its colour and its mark, and the
    mark's meaning by the legend.
    """
    service = new_service()
    found = service.overview()
    day = attrs.evolve(found.days[-1], state=state, sums=None)
    others = DayState.QUIET if state is not DayState.QUIET else DayState.UNKNOWN
    days = (*(attrs.evolve(each, state=others) for each in found.days[:-1]), day)
    monkeypatch.setattr(service, "overview", lambda: attrs.evolve(found, days=days))

    page = open_page(service)

    cells = page.locator(f".calendar td.{state}")
    expect(cells).to_have_count(1)
    expect(cells.locator(".mark")).to_have_text(MARKS[state])


def test_latency(new_service, open_page):
    """
    How long the back office took to answer lately is drawn and told; what it
    did not answer is left out.
    """
    service = new_service()
    known = service._connection
    for milliseconds, reached in ((20, True), (900, False), (80, True), (40, True)):
        known.last = ApiConnection(
            reached=reached,
            checked_at=service._clock.now(),
            latency=timedelta(milliseconds=milliseconds),
        )
        known._recent.append(known.last)

    page = open_page(service)

    line = page.get_by_role("img", name="Latency of the last 3 answers")
    points = line.locator("polyline").get_attribute("points")
    assert points == "0.0,21.5 60.0,2.0 120.0,15.0"
    expect(page.get_by_text("The last 3 answers took at most 80 ms.")).to_be_visible()
