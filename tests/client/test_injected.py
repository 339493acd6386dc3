"""
Sending over a client that the application made.
"""

import asyncio
import gzip
import logging

import httpx
import httpx2
import pytest
from starlette.testclient import TestClient

from conexxus_client import (
    AsyncConexxusClient,
    ClientConfig,
    ConexxusClient,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    Delivery,
    ProtocolError,
    RedirectError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
)
from conexxus_client.testing import SandboxApp

from .matrix.row import answer
from .matrix.test_matrix import batch


FAMILIES = [httpx, httpx2]


def config(url, **settings):
    return ClientConfig(
        api_url=url, api_key="sandbox-key", **{"retry_delay_ms": 1, "retries": 1} | settings
    )


@pytest.fixture(params=FAMILIES, ids=lambda family: family.__name__)
def family(request):
    return request.param


@pytest.fixture
def http_client(family):
    """
    As an application would make it; it follows redirects.
    """
    with family.Client(follow_redirects=True, timeout=0.3, trust_env=False) as client:
        yield client


def test_everything_works(server, http_client):
    """
    All calls go over the injected client, which stays open.
    """
    with ConexxusClient(config(server.url), http_client=http_client) as client:
        assert client.health().ok is True
        assert len(client.fetch_items()) == 5

    assert http_client.is_closed is False


def test_async(server, family):
    """
    An async client of either family works, too.
    """

    async def talk():
        async with (
            family.AsyncClient(trust_env=False) as http_client,
            AsyncConexxusClient(config(server.url), http_client=http_client) as client,
        ):
            return len(await client.fetch_items())

    assert asyncio.run(talk()) == 5


def test_subclasses(server, family):
    """
    A subclass belongs to the family of its base.
    """

    class Ours(family.Client):
        pass

    with Ours(trust_env=False) as http_client:
        assert ConexxusClient(config(server.url), http_client=http_client).health().ok


def test_in_process_app(office, family):
    """
    A client in front of an ASGI application needs no socket.
    """

    async def talk():
        transport = family.ASGITransport(app=SandboxApp(office))
        async with family.AsyncClient(transport=transport) as http_client:
            client = AsyncConexxusClient(config("http://localhost"), http_client=http_client)
            return len(await client.fetch_items())

    assert asyncio.run(talk()) == 5


def test_starlette_test_client(office):
    """
    Starlette's TestClient is a client of whichever family it is built on.
    """
    with TestClient(SandboxApp(office), base_url="http://localhost") as http_client:
        client = ConexxusClient(config("http://localhost"), http_client=http_client)

        assert client.health().ok
        assert len(client.fetch_items()) == 5


def test_strangers():
    """
    A client of another library is refused, and named.
    """
    with pytest.raises(ConfigurationError, match="not object"):
        ConexxusClient(config("http://localhost"), http_client=object())


def test_redirects_stay_refused(office, server, http_client):
    """
    A client that follows redirects does not follow them for us.
    """
    office.faults("redirect(https://other.example/)")

    with pytest.raises(RedirectError, match="other"):
        ConexxusClient(config(server.url), http_client=http_client).health()


@pytest.mark.parametrize(
    ("fault", "error", "delivery"),
    [
        ("503*forever", ServerError, Delivery.UNKNOWN),
        ("reset*forever", ConnectionLostError, Delivery.UNKNOWN),
        ("garbage*forever", ProtocolError, Delivery.UNKNOWN),
        ("hang*forever", RequestTimeoutError, Delivery.UNKNOWN),
    ],
)
def test_errors_have_our_names(office, server, http_client, fault, error, delivery):
    """
    No error of either family reaches the caller.
    """
    office.faults(fault)

    with pytest.raises(error) as info:
        ConexxusClient(config(server.url), http_client=http_client).health()

    assert info.value.delivery == delivery
    assert info.value.__cause__ is None
    assert info.value.__suppress_context__ is True or info.value.__context__ is None


def test_refused(server, http_client):
    """
    Nor when nobody listens.
    """
    with server.refusing(), pytest.raises(ConnectError, match="refused"):
        ConexxusClient(config(server.url), http_client=http_client).health()


def test_the_key_leaves_no_trace(server, http_client, caplog):
    """
    The key is on the wire, but not in the client's headers or logs.
    """
    caplog.set_level(logging.DEBUG)

    assert ConexxusClient(config(server.url), http_client=http_client).health().ok

    assert "sandbox-key" not in repr(http_client.headers)
    assert "sandbox-key" not in caplog.text


ITEMS = b'{"success":true,"data":[{"sku":"A","name":"a","price":1.50}]}'
ZIPPED = gzip.compress(ITEMS, mtime=0)


def answering(family, body, *, status=200, headers=()):
    """
    A transport of the family whose answers are read already.
    """
    return family.MockTransport(
        lambda request: family.Response(status, content=body, headers=dict(headers))
    )


def reading(response):
    response.read()


async def reading_async(response):
    await response.aread()


@pytest.mark.case("B1", "A hook of `http_client` reads each answer", "the answer is used as it is")
def test_answers_that_a_hook_has_read(server, family):
    """
    Every call works, and an accepted push is accepted, once.
    """
    hooks = {"response": [reading]}

    with family.Client(event_hooks=hooks, trust_env=False) as http_client:
        client = ConexxusClient(config(server.url), http_client=http_client)

        assert client.health().ok
        assert len(client.fetch_items()) == 5
        assert client.push_sales(batch(), idempotency_key="k").accepted == 1

    assert server.requests["sales"] == 1


@pytest.mark.case("B1", "So does a hook of an asynchronous one", "the answer is used as it is")
def test_answers_that_an_async_hook_has_read(server, family):
    """
    The asynchronous client uses what was read, too.
    """

    async def talk():
        hooks = {"response": [reading_async]}
        async with family.AsyncClient(event_hooks=hooks, trust_env=False) as http_client:
            client = AsyncConexxusClient(config(server.url), http_client=http_client)
            receipt = await client.push_sales(batch(), idempotency_key="k")
            return receipt.accepted, len(await client.fetch_items())

    assert asyncio.run(talk()) == (1, 5)
    assert server.requests["sales"] == 1


@pytest.mark.case(
    "B1", "A transport gives answers that it has read", "they are not decoded a second time"
)
@pytest.mark.parametrize(
    ("body", "headers"),
    [(ITEMS, ()), (ZIPPED, [("Content-Encoding", "gzip")])],
    ids=["plain", "gzip"],
)
def test_transports_whose_answers_are_read(family, body, headers):
    """
    What httpx has decoded is not decoded again.
    """
    with family.Client(transport=answering(family, body, headers=headers)) as http_client:
        client = ConexxusClient(config("http://localhost"), http_client=http_client)

        assert [item.sku for item in client.fetch_items()] == ["A"]


def test_bound_of_answers_that_were_read(family):
    """
    An answer that was read may be as large as another, and no larger.
    """
    with family.Client(transport=answering(family, b"[" + b" " * 5_000_000)) as http_client:
        client = ConexxusClient(config("http://localhost"), http_client=http_client)

        with pytest.raises(ResponseTooLargeError):
            client.health()


@pytest.mark.parametrize("use", ["iter_raw", "iter_bytes", "close"])
def test_answers_that_a_hook_used_up(server, family, use):
    """
    Of an answer that is gone the error says why, and that its effect is unknown.
    """

    def consume(response):
        for _ in getattr(response, use)() or ():
            pass

    with family.Client(event_hooks={"response": [consume]}, trust_env=False) as http_client:
        client = ConexxusClient(config(server.url), http_client=http_client)

        with pytest.raises(DecodeError, match="hooks call `read`") as info:
            client.push_sales(batch(), idempotency_key="k")

    assert info.value.delivery == Delivery.UNKNOWN
    assert server.requests["sales"] == 1


def test_hooks_that_read_broken_answers(raw_server, family):
    """
    A broken encoding is named, in whichever layer it is decoded.
    """
    server = raw_server(answer(b"no gzip at all", "Content-Encoding: gzip"))
    hooks = {"response": [reading]}

    with family.Client(event_hooks=hooks, trust_env=False) as http_client:
        client = ConexxusClient(config(server.url), http_client=http_client)

        with pytest.raises(DecodeError, match="encoding is broken"):
            client.health()


def test_hooks_that_raise_for_a_status(raw_server, family):
    """
    The explanation of an answer that was read, and its Retry-After, are kept.
    """
    server = raw_server(answer(b'{"error":"at night"}', "Retry-After: 7", status="503 No"))
    hooks = {"response": [reading, family.Response.raise_for_status]}

    with family.Client(event_hooks=hooks, trust_env=False) as http_client:
        client = ConexxusClient(config(server.url, retries=0), http_client=http_client)

        with pytest.raises(ServerError) as info:
            client.health()

    assert info.value.detail == "at night"
    assert info.value.retry_after == 7
