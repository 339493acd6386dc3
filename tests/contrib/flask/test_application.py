"""
The service in a Flask application, on a real server.
"""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from flask import Flask
from werkzeug.serving import make_server

from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.contrib.flask import Conexxus
from conexxus_sync.http import Access
from conexxus_sync.testing import ListOrders, MemoryCatalog, sale


PREFIX = "/integrations/conexxus"


@pytest.fixture
def back_office():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def settings(back_office, tmp_path):
    return {**back_office.env, "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'state.db'}"}


@pytest.fixture
def app():
    app = Flask("shop")
    app.add_url_rule("/shop", view_func=lambda: "shop", endpoint="shop")
    return app


@contextmanager
def serving(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_routes(app, settings, back_office):
    """
    The blueprint's routes are those of the shim, beside the application's.
    """
    catalog = MemoryCatalog()
    conexxus = Conexxus(lambda: ConexxusService.from_env(settings, catalog=catalog))
    conexxus.init_app(app)

    with serving(app) as client:
        shop = client.get("/shop")
        triggered = client.post(f"{PREFIX}/sync")
        run = triggered.json()["runId"]
        while client.get(f"{PREFIX}/runs/{run}").json()["status"] == "processing":
            pass
        health = client.get(f"{PREFIX}/health")
        wrong = [client.get(f"{PREFIX}/nothing"), client.put(f"{PREFIX}/health")]
    conexxus.close()

    assert (shop.text, triggered.status_code) == ("shop", 202)
    assert health.json()["lastSyncStatus"] == "success"
    assert [answer.status_code for answer in wrong] == [404, 405]
    assert len(catalog.items) == len(back_office.office.catalog)


def test_access(app, settings):
    """
    The rules of the shim hold: with a token, nobody is let in without it.
    """
    access = Access.on("0.0.0.0", token="t" * 40)
    conexxus = Conexxus(lambda: ConexxusService.from_env(settings), access=access)
    conexxus.init_app(app)

    with serving(app) as client:
        refused = client.get(f"{PREFIX}/health")
        given = client.get(f"{PREFIX}/health", headers={"Authorization": f"Bearer {'t' * 40}"})
    conexxus.close()

    assert [refused.status_code, given.status_code] == [401, 200]


def test_schedule(app, settings):
    """
    What is due is done in a thread, until the application ends.
    """
    applied = threading.Event()

    class Catalog(MemoryCatalog):
        def apply(self, changes):
            super().apply(changes)
            applied.set()

    conexxus = Conexxus(lambda: ConexxusService.from_env(settings, catalog=Catalog()))
    conexxus.init_app(app)
    conexxus.start()

    assert applied.wait(30)
    conexxus.close()
    assert "conexxus-schedule" not in {thread.name for thread in threading.enumerate()}


def test_command(app, settings, monkeypatch, capsys):
    """
    `flask conexxus …` is the whole command line; its exit code is Flask's.
    """
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    conexxus = Conexxus(ConexxusService.from_env)
    conexxus.init_app(app)
    runner = app.test_cli_runner()

    pulled = runner.invoke(args=["conexxus", "pull", "--json"])
    helped = runner.invoke(args=["conexxus", "--help"])
    wrong = runner.invoke(args=["conexxus", "pul"])
    conexxus.close()

    assert (pulled.exit_code, helped.exit_code, wrong.exit_code) == (0, 0, 2)
    assert '"status":"success"' in pulled.output.replace(" ", "")
    assert "conexxus pull" in helped.output or "pull" in helped.output


def test_command_with_the_adapters_of_the_application(app, settings, back_office, monkeypatch):
    """
    `flask conexxus pull` and `push` work with the storage and the order source that
    the application gave its service.
    """
    for name, value in {**settings, "CONEXXUS_TIMEZONE": "America/New_York"}.items():
        monkeypatch.setenv(name, value)
    catalog = MemoryCatalog()
    noon = datetime(2026, 1, 2, 17, tzinfo=UTC)
    orders = ListOrders([sale("t1", timestamp=noon)])
    conexxus = Conexxus(lambda: ConexxusService.from_env(catalog=catalog, orders=orders))
    conexxus.init_app(app)
    runner = app.test_cli_runner()

    planned = runner.invoke(args=["conexxus", "pull", "--plan"])
    pulled = runner.invoke(args=["conexxus", "pull"])
    pushed = runner.invoke(args=["conexxus", "push", "--date", "2026-01-02"])
    conexxus.close()

    assert "To apply exactly this: flask conexxus pull --accept" in planned.output
    assert (pulled.exit_code, pushed.exit_code) == (0, 0)
    assert len(catalog.items) == len(back_office.office.catalog)
    assert back_office.office.effective_batches == [{"t1"}]


def test_before_the_start():
    """
    Before `init_app`, there is no service.
    """
    with pytest.raises(RuntimeError, match="the application has not started"):
        _ = Conexxus().service
