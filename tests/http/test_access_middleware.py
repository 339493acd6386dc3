"""
The rules of the shim in front of routes of one's own.
"""

import time

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from conexxus_sync.http import Access, AccessMiddleware


ACCESS = Access(token="s3cret-of-the-gate")
BEARER = {"Authorization": "Bearer s3cret-of-the-gate"}


async def prices(websocket):
    await websocket.accept()
    await websocket.send_text("prices")
    await websocket.close()


async def stock(request):
    return PlainTextResponse("stock")


SHOP = Starlette(routes=[WebSocketRoute("/prices", prices), Route("/stock", stock)])


@pytest.fixture
def client():
    """
    A client on this machine.
    """
    return TestClient(
        AccessMiddleware(SHOP, access=ACCESS),
        base_url="http://localhost",
        client=("127.0.0.1", 50_000),
    )


def session():
    return {"Cookie": ACCESS.session_cookie(now=time.time()).partition(";")[0]}


@pytest.mark.parametrize("known", [BEARER, session()], ids=["token", "session"])
def test_known_callers(client, known):
    """
    Token and session open routes and websockets.
    """
    with client.websocket_connect("ws://localhost/prices", headers=known) as websocket:
        assert websocket.receive_text() == "prices"

    assert client.get("/stock", headers=known).text == "stock"


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("localhost", {}, 401),
        ("localhost", {"Authorization": "Bearer wrong"}, 401),
        ("evil.example", BEARER, 403),
        ("localhost", BEARER | {"Origin": "https://evil.example"}, 403),
        ("localhost", BEARER | {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_websockets_of_others(client, host, headers, status):
    """
    A websocket is judged like a request that changes something.
    """
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect(f"ws://{host}/prices", headers=headers),
    ):
        pass

    assert refused.value.status_code == status
    assert "error" in refused.value.json()


def test_websocket_where_the_server_knows_no_denial():
    """
    A server that can't answer a handshake is told to close the websocket.
    """

    async def without_extensions(scope, receive, send):
        await AccessMiddleware(SHOP, access=ACCESS)({**scope, "extensions": {}}, receive, send)

    client = TestClient(
        without_extensions, base_url="http://localhost", client=("127.0.0.1", 50_000)
    )

    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect("ws://localhost/prices"),
    ):
        pass

    assert closed.value.code == 1008
