"""
What becomes of runs that were triggered over HTTP.
"""

import re
import threading
import time
from contextlib import closing

import httpx
import pytest

from conexxus_sync.http import create_app
from conexxus_sync.http._server import serving
from locks import locked


@pytest.mark.parametrize("path", ["/sync", "/push"])
def test_run_that_can_not_be_started(busy_browser, monkeypatch, path):
    """
    Where no thread is to be had, a trigger says when to try again, and the
    next one is not told that a run is in progress.
    """
    start = threading.Thread.start

    def refuse(thread):
        if thread.name.startswith("conexxus-2"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        refused = busy_browser.post(path)
    started = busy_browser.post(path)
    joined(started)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert re.fullmatch(r"That can't be done now, incident [0-9a-f]{8}\.", refused.json()["error"])
    assert (started.status_code, started.json()["message"][-9:]) == (202, "triggered")


@pytest.mark.parametrize("path", ["/sync", "/push"])
def test_store_that_another_process_writes_to(busy_browser, busy, path):
    """
    A trigger answers soon that the store can't be used; once it can be, the
    next one starts.
    """
    with locked(busy.store):
        began = time.monotonic()
        refused = busy_browser.post(path)
        seconds = time.monotonic() - began
    started = busy_browser.post(path)
    joined(started)

    assert seconds < 5
    assert (refused.status_code, list(refused.json())) == (503, ["error"])
    assert refused.headers["retry-after"] == "5"
    assert (started.status_code, started.json()["message"][-9:]) == (202, "triggered")


def test_run_behind_two_workers(browser, service, service_before, server):
    """
    A run that one worker began can be followed at another one.
    """
    reached, go_on = threading.Event(), threading.Event()
    service.client.add_hook(lambda _: (reached.set(), go_on.wait(30)))

    with (
        closing(service_before(server)) as other,
        serving(create_app(other), "127.0.0.1", 0) as url,
        httpx.Client(base_url=f"{url}/integrations/conexxus", trust_env=False) as elsewhere,
    ):
        started = browser.post("/sync")
        run_id = started.json()["runId"]
        assert reached.wait(30)
        again, during = elsewhere.post("/sync"), elsewhere.get(f"/runs/{run_id}")
        go_on.set()
        joined(started)
        ended = elsewhere.get(f"/runs/{run_id}")

    assert (again.json()["runId"], again.json()["message"]) == (run_id, "Sync already running")
    assert during.status_code == 200
    assert (during.json()["status"], during.json()["itemsProcessed"]) == ("processing", 0)
    assert during.json()["endTime"] is None
    assert (ended.json()["status"], ended.json()["id"]) == ("success", run_id)


def test_push_that_finds_nothing(busy_browser):
    """
    Its run has ended well, with nothing sent, and is not among the last ones.
    """
    answer = busy_browser.post("/push")
    joined(answer)

    run = busy_browser.get(f"/runs/{answer.json()['runId']}")

    assert run.status_code == 200
    assert (run.json()["kind"], run.json()["status"]) == ("sales", "success")
    assert (run.json()["itemsProcessed"], run.json()["errors"]) == (0, [])
    assert busy_browser.get("/metrics?kind=sales").json() == {"latest": None, "history": []}


def joined(answer):
    """
    Wait for the run that a trigger has started.
    """
    for thread in threading.enumerate():
        if answer.json()["runId"] in thread.name:
            thread.join(30)
