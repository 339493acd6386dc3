"""
Pushes, runs, quarantine and outbox over HTTP.
"""

import threading
from datetime import date

import pytest


def test_push_answers_at_once(busy_browser, busy, office):
    """
    A push is started like a pull; its run can be followed to its end.
    """
    answer = busy_browser.post("/push?date=2026-01-02")
    joined(answer)
    run = busy_browser.get(f"/runs/{answer.json()['runId']}").json()

    assert answer.status_code == 202
    assert list(answer.json()) == ["message", "status", "runId"]
    assert (answer.json()["message"], answer.json()["status"]) == ("Push triggered", "processing")
    assert (run["kind"], run["status"], run["itemsSucceeded"]) == ("sales", "partial", 1)
    assert office.effective_batches == [{"t1"}]


@pytest.mark.parametrize(
    "how", [{"params": {"date": "2026-01-02"}}, {"json": {"date": "2026-01-02"}}]
)
def test_push_of_one_date(busy_browser, how):
    """
    The date is told in the query or in the body.
    """
    answer = busy_browser.post("/push", **how)
    joined(answer)

    assert busy_browser.get("/metrics?kind=sales").json()["latest"]["businessDate"] == "2026-01-02"


@pytest.mark.parametrize(
    "how",
    [
        {"params": {"date": "2026-02-30"}},
        {"params": {"date": "20260102"}},
        {"params": {"date": ""}},
        {"json": {"date": 20260102}},
        {"params": {"date": "2026-01-02"}, "json": {"date": "yesterday"}},
        {"json": {"day": "2026-01-02"}},
        {"json": ["2026-01-02"]},
        {"content": b"{"},
        {"content": b"[" * 60_000},
        {"content": b"\xff"},
        {"data": {"date": "2026-01-02"}},
    ],
)
def test_push_of_no_date(busy_browser, office, how):
    """
    What is no date is refused in words, and nothing starts.
    """
    answer = busy_browser.post("/push", **how)

    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert office.requests["sales"] == 0


def test_push_of_what_is_due(busy_browser, office):
    """
    Without a date, whatever is due is pushed: on a new store, nothing yet.
    """
    answer = busy_browser.post("/push")
    joined(answer)

    assert answer.status_code == 202
    assert office.requests["sales"] == 0


def test_push_of_a_closed_date(busy_browser, busy):
    """
    A date that takes no push any more is told so.
    """
    busy.sales.adopt(date(2026, 1, 1))

    answer = busy_browser.post("/push?date=2025-12-01")

    assert answer.status_code == 409
    assert answer.json()["message"].startswith("Push skipped: business date 2025-12-01 is closed")


@pytest.mark.parametrize("path", ["/push?dat=2026-01-02", "/push?Date=2026-01-02", "/sync?dry=1"])
def test_misspelt_parameter(busy_browser, office, path):
    """
    A parameter that means nothing is not taken for none.
    """
    answer = busy_browser.post(path)

    assert answer.status_code == 400
    assert "is unknown here" in answer.json()["error"]
    assert office.requests.total() == 0


def test_long_item(office, busy_browser):
    """
    Of what was set aside, the beginning is shown, and how long it is.
    """
    office.catalog = [{"sku": "BAD", "name": "x" * 50_000, "price": "free"}, *office.catalog]
    joined(busy_browser.post("/sync"))

    entry = min(busy_browser.get("/quarantine").json()["items"], key=lambda entry: entry["item"])

    assert len(entry["raw"]) == 4_096
    assert entry["rawLength"] > 50_000
    assert entry["raw"].startswith('{"sku":"BAD","name":"xxx')


def test_push_without_sales(browser):
    """
    Without an order source there is nothing to push, and that is said.
    """
    answer = browser.post("/push")

    assert answer.status_code == 409
    assert answer.json() == {
        "message": "Push skipped: there is no order source",
        "status": "skipped",
        "runId": None,
    }


def test_run_that_is_none(browser):
    """
    An unknown id is 404, as JSON.
    """
    answer = browser.get("/runs/nothing")

    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no run with this id."}


def test_quarantine(busy_browser):
    """
    What was set aside is shown as it came, with the reason.
    """
    joined(busy_browser.post("/sync"))
    joined(busy_browser.post("/push?date=2026-01-02"))

    found = busy_browser.get("/quarantine").json()

    assert [(one["item"], one["reason"]) for one in found["items"]] == [
        ("BAD", "Item has invalid price")
    ]
    assert [one["item"] for one in found["sales"]] == ["t2"]
    assert busy_browser.get("/quarantine?limit=1").json() == found


def test_outbox(busy_browser, office):
    """
    A batch of unknown fate is shown until it is settled, and then when it is
    asked for.
    """
    office.faults("sales: after_commit(reset)")
    joined(busy_browser.post("/push?date=2026-01-02"))
    (unknown,) = busy_browser.get("/outbox").json()["batches"]
    joined(busy_browser.post("/push?date=2026-01-02"))
    (settled,) = busy_browser.get("/outbox?all=true&limit=1").json()["batches"]

    assert busy_browser.get("/outbox").json() == {"batches": []}
    assert (unknown["state"], unknown["transactions"]) == ("unknown", 2)
    assert (settled["state"], settled["key"]) == ("delivered", unknown["key"])


@pytest.mark.parametrize("path", ["/quarantine", "/outbox"])
def test_limits(browser, path):
    """
    A limit is a number from 1 to 1000.
    """
    for limit in ("0", "1001", "-1", "1.0", "x", "", "\u0663", "9" * 5000):
        answer = browser.get(path, params={"limit": limit})

        assert answer.status_code == 400, limit
        assert answer.json() == {"error": "limit must be a whole number from 1 to 1000."}


def test_flags(browser):
    """
    What is neither true nor false is not guessed.
    """
    assert browser.get("/health?strict=1").json() == {"error": "strict must be true or false."}


def joined(answer):
    """
    Wait for the run that a trigger has started.
    """
    for thread in threading.enumerate():
        if answer.json()["runId"] in thread.name:
            thread.join(30)
