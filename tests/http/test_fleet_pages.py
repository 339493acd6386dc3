"""
The page of a fleet, and the pages of its stores.
"""

import httpx
import pytest

from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, WrongStore
from conexxus_sync.http import Access
from conexxus_sync.http._server import serving
from conexxus_sync.http.fleet_pages import create_fleet_app


NAMES = ["0001", "0002", "a/b <c>"]


@pytest.fixture
def fleet(server, config):
    """
    Three stores that were pulled; the key of one is wrong. A fourth can't start.
    """
    environ = {"GOOD": server.api_key, "BAD": "a-key-that-is-wrong"}
    rows = [{"location": name, "api.key_env": "GOOD"} for name in NAMES]
    rows[1]["api.key_env"] = "BAD"
    defaults = {"api.url": server.url, "store": config.store, "retries": 0}
    stores = [StoreSettings.of(row, defaults, environ=environ) for row in rows]
    wrong = [WrongStore(name="0009", problems=("timezone in fleet.toml, line 9, must be …",))]

    with Fleet(stores, wrong=wrong, options=FleetOptions(workers=2)) as fleet:
        fleet.run_once()
        yield fleet


@pytest.fixture
def client(fleet):
    app = create_fleet_app(fleet, metrics=lambda: (b"figures", "text/plain"))
    with (
        serving(app, "127.0.0.1", 0) as url,
        httpx.Client(base_url=url, trust_env=False, follow_redirects=True) as client,
    ):
        yield client


def test_worst_first(client):
    """
    What is wrong is said with its cause; what is well is counted.
    """
    answer = client.get("/")
    text = answer.text

    assert answer.url.path == "/fleet"
    assert "2 of 4 stores need a look" in text
    assert text.index("0009") < text.index('<a href="stores/0002/">')
    assert "refuses the key BAD for 1 store" in text
    assert "a-key-that-is-wrong" not in text
    assert 'href="stores/0001/"' not in text


def test_stores_of_one_state_or_name(client):
    """
    Each state lists its stores, and a part of a name those that have it.
    """
    good = client.get("/fleet", params={"state": "good"}).text
    found = client.get("/fleet", params={"q": "A/B"}).text

    assert 'href="stores/0001/"' in good
    assert 'href="stores/0002/"' not in good
    assert "a/b &lt;c&gt;" in found
    assert 'href="stores/0001/"' not in found
    assert "There is no such store" in client.get("/fleet", params={"q": "x"}).text
    assert client.get("/fleet", params={"state": "odd"}).status_code == 200


def test_page_of_a_store(client, office):
    """
    Each store has its own page, with its buttons and a way back, whatever its name.
    """
    text = client.get("/fleet", params={"q": "a/b"}).text
    address = text.partition('<a href="stores/')[2].partition('"')[0]
    page = client.get(f"/stores/{address}")
    before = office.requests["health"]
    answer = client.post(f"/stores/{address}page/probe")

    assert "a/b &lt;c&gt;" in page.text
    assert '<a href="../../fleet">All stores</a>' in page.text
    assert client.get("/stores/0001/static/page.css").status_code == 200
    assert client.get("/stores/0001/runbooks/ConexxusApiDown").status_code == 200
    assert office.requests["health"] == before + 1
    assert answer.url.path.startswith("/stores/a%2Fb")
    assert "Connection successful" in answer.text


@pytest.mark.parametrize("path", ["/stores/0008/", "/stores/0009/", "/stores/0001/none"])
def test_no_such_page(client, path):
    """
    A store that is not there, or can't start, has none.
    """
    assert client.get(path).status_code == 404


def test_process(client):
    """
    A monitor sees the process and its metrics.
    """
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/metrics").text == "figures"


def test_signed_out(fleet):
    """
    Without the token, there is a form and nothing else; with it, all pages.
    """
    app = create_fleet_app(fleet, access=Access(token="open-sesame-1234"))
    with (
        serving(app, "127.0.0.1", 0) as url,
        httpx.Client(base_url=url, trust_env=False, follow_redirects=True) as client,
    ):
        for path in ("/", "/fleet", "/stores/0001/", "/stores/0001/runbooks/ConexxusApiDown"):
            answer = client.get(path)
            assert (answer.status_code, "0001" in answer.text) == (401, False)
        assert 'action="../../page/login"' in client.get("/stores/0001/").text
        assert client.post("/stores/0001/page/sync").status_code in (401, 405)

        answer = client.post("/page/login", data={"token": "open-sesame-1234"})

        assert answer.url.path == "/fleet"
        assert client.get("/stores/0001/").status_code == 200
