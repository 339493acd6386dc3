"""
What exactly is sent, seen by the mocking libraries that users know.
"""

import errno
import socket
from datetime import date

import attrs
import httpcore
import httpcore2
import httpx
import pytest
import respx

from conexxus_client import (
    ApiProfile,
    ClientConfig,
    ConexxusClient,
    ConnectError,
    ConnectionLostError,
    SalesBatch,
    __version__,
)


CONFIG = ClientConfig(
    api_url="https://api.example/base/", api_key="k-123", retry_delay_ms=1, retries=2
)
BATCH = SalesBatch(date=date(2026, 1, 2), location_id="loc", transactions=[])
HEALTHY = {"success": True, "data": {"status": "ok"}}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """
    A mock that misses fails loudly instead of reaching the network.
    """

    def refuse(*_):
        raise OSError(errno.EPERM, "a unit test wanted to connect")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


def test_the_network_is_closed():
    """
    Without a mock, nothing gets out.
    """
    config = ClientConfig(api_url="http://127.0.0.1:9", api_key="k-123", retries=0)

    with ConexxusClient(config) as client, pytest.raises(ConnectError, match="not permitted"):
        client.health()


@respx.mock
def test_request():
    """
    Method, address and header fields are the documented ones.
    """
    route = respx.get("https://api.example/base/api/v1/health").respond(json=HEALTHY)

    with ConexxusClient(CONFIG) as client:
        assert client.health().ok is True

    sent = route.calls.last.request
    assert sent.headers["X-API-Key"] == "k-123"
    assert sent.headers["User-Agent"] == f"conexxus-sdk/{__version__}"
    assert sent.headers["Accept-Encoding"] == "gzip"
    assert sent.headers["Host"] == "api.example"


@respx.mock
def test_push_is_the_same_on_every_attempt():
    """
    Bytes and key of a push do not change from one attempt to the next.
    """
    route = respx.post("https://api.example/base/api/v1/sales/push").mock(
        side_effect=[
            httpcore.ReadError,
            httpx.Response(503),
            httpx.Response(201, json={"success": True}),
        ]
    )

    with ConexxusClient(CONFIG) as client:
        client.push_sales(BATCH, idempotency_key="the-key")

    sent = {(call.request.content, call.request.headers["Idempotency-Key"]) for call in route.calls}
    assert route.call_count == 3
    assert sent == {(b'{"date":"2026-01-02","locationId":"loc","transactions":[]}', "the-key")}


@respx.mock
def test_catalogue_query():
    """
    A profile's extra parameters are part of every page's address.
    """
    route = respx.get("https://api.example/base/api/v1/inventory/items").mock(
        side_effect=[
            httpx.Response(200, json={"success": True, "data": [], "nextCursor": "a b"}),
            httpx.Response(200, json={"success": True, "data": []}),
        ]
    )

    with ConexxusClient(CONFIG, profile=ApiProfile(catalog_query={"store": "7"})) as client:
        assert client.fetch_items() == []

    assert [str(call.request.url.query, "ascii") for call in route.calls] == [
        "store=7",
        "store=7&cursor=a+b",
    ]


def test_httpx2(httpx2_mock):
    """
    The other family is mocked by its own library.
    """
    httpx2_mock.get("https://api.example/base/api/v1/health").mock(
        side_effect=[httpcore2.ReadError("x"), httpx.Response(200, json=HEALTHY)]
    )

    with ConexxusClient(attrs.evolve(CONFIG, http_backend="httpx2")) as client:
        assert client.health().ok is True


@respx.mock
def test_errors_of_the_core():
    """
    An error of the network has our name.
    """
    respx.get("https://api.example/base/api/v1/health").mock(side_effect=httpcore.ReadError)

    with ConexxusClient(CONFIG) as client, pytest.raises(ConnectionLostError):
        client.health()
