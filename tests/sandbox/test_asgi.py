"""
The sandbox as an ASGI application, driven by httpx and by hand.
"""

import asyncio
import contextlib

import httpx
import pytest

from conexxus_client.testing import BackOffice, SandboxApp
from conexxus_client.testing._asgi import SandboxDisconnectError


def ask(office, *requests):
    async def run():
        transport = httpx.ASGITransport(SandboxApp(office))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            return [await client.request(*args, **kwargs) for args, kwargs in requests]

    return asyncio.run(run())


def drive(office, scope, *received):
    """
    Run the application by hand; returns what it sent before it ended.
    """
    sent = []
    messages = iter(received)

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    async def run():
        await SandboxApp(office)(scope, receive, send)

    with contextlib.suppress(SandboxDisconnectError):
        asyncio.run(run())

    return sent


def scope_of(path="/api/v1/health"):
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"x-api-key", b"sandbox-key")],
    }


def test_the_contract_is_served(office, tools):
    get, push, home = ask(
        office,
        (("GET", tools.ITEMS), {"headers": tools.KEY}),
        (("POST", tools.PUSH), {"headers": tools.KEY, "content": tools.body_of("t1")}),
        (("GET", "/"), {}),
    )

    assert get.json()["data"][0]["sku"] == "WINE001"
    assert push.json()["data"] == {"accepted": 1, "rejected": []}
    assert "fake back office" in home.text
    assert office.effective_batches == [{"t1"}]


def test_a_large_catalogue_and_a_304_are_served(tools):
    office = BackOffice(20_000)
    headers = {**tools.KEY, "If-None-Match": "*"}

    large, unchanged = ask(
        office,
        (("GET", tools.ITEMS), {"headers": tools.KEY}),
        (("GET", tools.ITEMS), {"headers": headers}),
    )

    assert len(large.json()["data"]) == 20_000
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize("fault", ["503", "slow(1ms)", "after_commit(slow(1ms))", "drip(0ms)"])
def test_faults_that_are_answers_are_answered(tools, fault):
    office = BackOffice(faults=fault)

    (answer,) = ask(office, (("GET", "/api/v1/health"), {"headers": tools.KEY}))

    assert answer.status_code == (503 if fault == "503" else 200)


@pytest.mark.parametrize("fault", ["reset", "close", "garbage", "truncate", "truncate(5)"])
def test_a_broken_connection_is_an_exception_in_the_middle_of_the_answer(fault):
    request = {"type": "http.request", "body": b""}

    sent = drive(BackOffice(faults=fault), scope_of(), request)

    assert sent[0]["type"] == "http.response.start"
    assert all(message.get("more_body") for message in sent[1:])


@pytest.mark.parametrize("fault", ["hang", "stall"])
def test_silence_lasts_until_the_client_hangs_up(fault):
    gone = {"type": "http.disconnect"}

    sent = drive(BackOffice(faults=fault), scope_of(), {"type": "http.request"}, gone)

    assert all(message.get("more_body", True) for message in sent)


def test_a_client_that_leaves_in_the_middle_of_its_upload_has_not_pushed(office, tools):
    half = {"type": "http.request", "body": tools.body_of("t1"), "more_body": True}

    drive(office, {**scope_of(tools.PUSH), "method": "POST"}, half, {"type": "http.disconnect"})

    assert office.ledger.pushes == ()


def test_lifespan_is_answered_and_websockets_are_not(office):
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    sent = drive(office, {"type": "lifespan"}, *messages)

    assert [m["type"] for m in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="websocket"):
        drive(office, {"type": "websocket"})
