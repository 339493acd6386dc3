"""
The pages of the admin in a real browser, as an operator uses them.
"""

import os
import re
import shutil
import sqlite3
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from browsers import chromium_started, violations
from conexxus_client.testing import BackOffice, SandboxServer

from .conftest import new_program


SHOTS = Path(__file__).parents[2] / ".screenshots"
WINE = [
    {"sku": f"WINE{number:03}", "name": f"Cabernet {1990 + number}", "price": f"{9 + number}.99"}
    for number in range(30)
]
SIZE = {"width": 1200, "height": 900}
LOOKS = {"desktop": (1200, "light"), "phone": (390, "dark")}
# States that call for a decision, wherever the operator is.
ON_PHONES = ("runs", "refused", "quarantine", "item", "outbox", "batch", "confirm-replay")
LOOKED_AT = set()
BROKEN_BUTTONS = """[...document.querySelectorAll("#content .button")]
    .filter(it => it.getClientRects().length > 1).map(it => it.innerText)"""
GOLD = {"sku": "GOLD/<b>1", "name": "Gold bar", "price": 70_000}
# Prints what signs them in: to check a password takes longer than a page.
USERS = """
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
boss = User.objects.create_superuser("boss")
clerk = User.objects.create_user("clerk", is_staff=True)
clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_run", "view_batch"]))
for user in (boss, clerk):
    client = Client()
    client.force_login(user)
    print("session of", user.username, client.cookies["sessionid"].value)
"""
# On two dates; the second one has no SKU, and is set aside.
SALES = """
from contextlib import suppress
from datetime import UTC, datetime
from django.core.management import CommandError, call_command
call_command("conexxus", "pull", "--create-store")
from shop.models import Product, Sale, SaleLine
wine = Product.objects.get(code="WINE001")
sale = Sale.objects.create(closed_at=datetime(2026, 1, 2, 17, tzinfo=UTC), total="10.99")
SaleLine.objects.create(sale=sale, product=wine, quantity=1, price="10.99")
sale = Sale.objects.create(closed_at=datetime(2026, 1, 3, 17, tzinfo=UTC), total="1.00")
nameless = Product.objects.create(code="", title="?", price=1)
SaleLine.objects.create(sale=sale, product=nameless, quantity=1, price="1.00")
for date in ("2026-01-02", "2026-01-03"):
    with suppress(CommandError):
        call_command("conexxus", "push", "--date", date)
"""


# A test starts up to six processes of Django, on a machine that may be busy.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def chromium():
    with chromium_started() as browser:
        yield browser


@pytest.fixture
def office():
    return BackOffice([*WINE, GOLD])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """
    A database with users, and the sessions in which they are signed in.
    """
    folder = tmp_path_factory.mktemp("prepared")
    made = new_program(folder, "django_shop/manage.py", DATABASE=str(folder / "shop.db"))
    done = made.run("shell", "-c", USERS)
    assert done.returncode == 0, done.stderr

    return folder / "shop.db", dict(re.findall(r"session of (\w+) (\w+)", done.stdout))


@pytest.fixture
def manage(program, office, tmp_path, prepared):
    shutil.copy(prepared[0], tmp_path)
    with SandboxServer(office) as server:
        made = program(
            "django_shop/manage.py",
            **server.env,
            CONEXXUS_STORE=f"sqlite:///{tmp_path / 'state.db'}",
            CONEXXUS_API_DEDUPE="none",
            CONEXXUS_RETRIES="0",
            DATABASE=str(tmp_path / "shop.db"),
            PYTHONUNBUFFERED="1",
        )
        yield made


@pytest.fixture
def open_admin(manage, chromium, prepared):
    """
    Opens the admin of a server of the project, with a user signed in.
    """

    @contextmanager
    def open_(user="boss", **environ):
        server = manage.start("runserver", "--noreload", "127.0.0.1:0", **environ)
        try:
            lines = iter(server.stdout.readline, "")
            url = next(filter(None, (re.search(r"http://\S+?:\d+/", line) for line in lines)))[0]
            context = chromium.new_context(viewport=SIZE)
            context.set_default_timeout(20_000)
            context.add_cookies([{"name": "sessionid", "value": prepared[1][user], "url": url}])
            page = context.new_page()
            page.goto(f"{url}admin/")
            yield page
            context.close()
        finally:
            server.terminate()
            server.communicate(timeout=20)

    return open_


def listed(page, model):
    """
    The rows of a list, each as one text.
    """
    page.goto(re.sub(r"/admin/.*", f"/admin/conexxus/{model}/", page.url))
    return [
        " | ".join(row.locator("td").all_inner_texts())
        for row in page.locator("#result_list tbody tr").all()
    ]


def looked_at(page, name):
    """
    The layout holds, and axe finds nothing, when a page first comes;
    CONEXXUS_SCREENSHOTS keeps pictures.
    """
    if name in LOOKED_AT:
        return
    LOOKED_AT.add(name)
    for look, (width, scheme) in LOOKS.items():
        if look == "desktop" or name in ON_PHONES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if os.environ.get("CONEXXUS_SCREENSHOTS"):
                page.screenshot(path=SHOTS / f"django-{name}-{look}.png", full_page=True)
            assert violations(page) == [], (name, look)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, look)
            assert page.evaluate(BROKEN_BUTTONS) == [], (name, look)
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="light")


def do(page, label):
    """
    An action, and the question before it.
    """
    page.get_by_role("link", name=label, exact=True).click()
    looked_at(page, f"confirm-{label.replace(' ', '-').lower()}")
    page.get_by_role("button", name=label, exact=True).click()
    return page.locator(".messagelist").inner_text()


def pulled(page, tmp_path, count):
    """
    Pull, and wait until so many runs have ended; their rows.
    """
    listed(page, "run")
    assert "The pull has started" in do(page, "Pull the catalogue")
    return ended(page, tmp_path, count)


def ended(page, tmp_path, count):
    for _ in range(200):
        with closing(sqlite3.connect(tmp_path / "state.db")) as store:
            if store.execute("SELECT count(ended_at) FROM runs").fetchone() == (count,):
                return listed(page, "run")
        page.wait_for_timeout(50)
    raise AssertionError(listed(page, "run"))


def prices(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        rows = database.execute("SELECT code, CAST(price AS TEXT) FROM shop_product").fetchall()
    return {code: Decimal(price) for code, price in rows}


def test_item_in_quarantine(open_admin, tmp_path):
    """
    An item that a pull set aside is seen, and replayed once the rules admit it.
    """
    with open_admin(CONEXXUS_MAX_PRICE="1000") as page:
        (run,) = pulled(page, tmp_path, 1)
        assert "partial" in run
        looked_at(page, "runs")
        (row,) = listed(page, "setaside")
        assert row.endswith("item | GOLD/<b>1 | Item has invalid price")
        assert page.locator("code").inner_text() == "python manage.py conexxus quarantine list"
        looked_at(page, "quarantine")
        page.locator("#result_list a").click()
        assert '"price":70000' in page.locator("pre").inner_text()
        looked_at(page, "item")
        assert "It stays in quarantine" in do(page, "Replay")

    assert GOLD["sku"] not in prices(tmp_path)
    with open_admin() as page:
        listed(page, "setaside")
        page.locator("#result_list a").click()
        assert "is in the catalogue." in do(page, "Replay")
        assert listed(page, "setaside") == []
        looked_at(page, "no-quarantine")
        page.goto(re.sub(r"/admin/.*", "/admin/", page.url))
        assert page.locator("#recent-actions-module a").inner_text() == f"item:{GOLD['sku']}"
        looked_at(page, "index")

    assert prices(tmp_path)[GOLD["sku"]] == 70_000


def test_refused_catalogue(open_admin, office, tmp_path):
    """
    A catalogue that a guard refused is applied once an operator has accepted it.
    """
    office.catalog = WINE
    with open_admin() as page:
        pulled(page, tmp_path, 1)
        office.catalog = [{**item, "price": "1.99"} for item in WINE]
        refused, _ = pulled(page, tmp_path, 2)
        assert "failed" in refused
        assert prices(tmp_path)["WINE001"] == Decimal("10.99")

        page.locator("#result_list a").first.click()
        looked_at(page, "refused")
        assert "30 prices would change" in page.locator("#content").inner_text()
        assert "has started" in do(page, "Apply this catalogue")
        assert "success" in ended(page, tmp_path, 3)[0]

    assert set(prices(tmp_path).values()) == {Decimal("1.99")}


def test_sales(open_admin, manage, office):
    """
    A parked batch is settled, and a sale that was set aside is dismissed.
    """
    office.catalog = WINE
    office.faults("sales: after_commit(reset)")
    assert manage.run("shell", "-c", SALES).returncode == 0

    with open_admin() as page:
        (batch,) = listed(page, "batch")
        assert "2026-01-02" in batch
        assert "parked" in batch
        looked_at(page, "outbox")
        page.locator("#result_list a").click()
        looked_at(page, "batch")
        assert "could be doubled" in do(page, "Send it again")
        page.locator("#result_list a").click()
        assert do(page, "The back office has it") == "1 sale marked as delivered."
        (batch,) = listed(page, "batch")
        assert "delivered" in batch

        (sale,) = listed(page, "setaside")
        assert "sale of 2026-01-03 | 2 |" in sale
        page.locator("#result_list a").click()
        looked_at(page, "sale")
        assert do(page, "Dismiss") == "2 of 2026-01-03 is dismissed: not sent."
        assert listed(page, "setaside") == []


def test_permissions(open_admin, office):
    """
    Who may only view sees no action and can do none; other models are not there.
    """
    with open_admin("clerk") as page:
        listed(page, "run")
        assert page.locator("#content a.button").count() == 0
        looked_at(page, "clerk")
        base = re.sub(r"/admin/.*", "/admin/conexxus", page.url)
        token = {
            "X-CSRFToken": next(
                it["value"] for it in page.context.cookies() if it["name"] == "csrftoken"
            )
        }
        for path in ("run/do/pull/", "setaside/"):
            assert page.request.get(f"{base}/{path}").status == 403
        assert page.request.post(f"{base}/run/do/pull/", headers=token).status == 403
        assert page.request.post(f"{base}/run/do/pull/").status == 403
        page.context.clear_cookies()
        page.goto(f"{base}/run/")
        assert "/admin/login/" in page.url

    assert not office.requests
