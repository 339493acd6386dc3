"""
Sending over a client that the application made.
"""

import asyncio
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
    Delivery,
    RedirectError,
    RequestTimeoutError,
    ServerError,
)
from conexxus_client.testing import SandboxApp


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
        ("garbage*forever", ConnectionLostError, Delivery.UNKNOWN),
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
