import socket
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import attrs
import httpx
import pytest

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.http import create_app
from conexxus_sync.http._server import serving
from conexxus_sync.testing import FakeClock, ListOrders, sale


@pytest.fixture
def office():
    return BackOffice()


@pytest.fixture
def server(office):
    with SandboxServer(office) as server:
        yield server


@pytest.fixture
def config(tmp_path):
    return SyncConfig(location_id="loc-001", store=f"sqlite:///{tmp_path / 'conexxus.db'}")


@pytest.fixture
def service_before(config):
    """
    Makes a service that speaks to the given sandbox.
    """

    def make(server):
        client = ClientConfig(api_url=server.url, api_key=server.api_key, retries=0)
        return ConexxusService(
            ConexxusClient(client), store=open_store(config.store), config=config
        )

    return make


@pytest.fixture
def service(service_before, server):
    with closing(service_before(server)) as service:
        yield service


@pytest.fixture
def url(service):
    """
    The shim on a real port.
    """
    with serving(create_app(service), "127.0.0.1", 0) as url:
        yield url


@pytest.fixture
def browser(url):
    """
    An HTTP client under the prefix of the integration.
    """
    with httpx.Client(base_url=f"{url}/integrations/conexxus", trust_env=False) as client:
        yield client


@pytest.fixture
def busy(office, server, config):
    """
    A service with something of everything: a bad item, a good sale, and one
    that the back office rejects.
    """
    office.catalog = [*office.catalog, {"sku": "BAD", "name": "Bad", "price": "free"}]
    office.reject = {"t2": "unknown SKU"}
    client = ClientConfig(api_url=server.url, api_key=server.api_key, retries=0)
    zone = attrs.evolve(config, timezone=ZoneInfo("America/New_York"))

    with closing(
        ConexxusService(
            ConexxusClient(client),
            store=open_store(config.store),
            config=zone,
            orders=ListOrders(sale(name, "29.99") for name in ("t1", "t2")),
            clock=FakeClock(datetime(2026, 1, 3, 4, 45, tzinfo=UTC)),
        )
    ) as service:
        yield service


@pytest.fixture
def busy_browser(busy):
    """
    An HTTP client under the prefix of the integration of the busy service.
    """
    with (
        serving(create_app(busy), "127.0.0.1", 0) as url,
        httpx.Client(base_url=f"{url}/integrations/conexxus", trust_env=False) as client,
    ):
        yield client


def connected(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


@pytest.fixture
def connect():
    """
    Opens a bare connection to a URL.
    """
    return connected


@pytest.fixture
def exchange():
    """
    Sends what no HTTP client would: a head, line by line.

    Gives status, headers by lower-case name, and body.
    """

    def exchange(url, *lines, body=b""):
        head = "".join(f"{line}\r\n" for line in (*lines, "Connection: close", ""))

        with connected(url) as sock:
            sock.sendall(head.encode("latin-1") + body)
            answer = b"".join(iter(lambda: sock.recv(65_536), b""))

        head, _, body = answer.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        headers = dict(field.split(": ", 1) for field in fields)

        return int(status.split()[1]), {name.lower(): headers[name] for name in headers}, body

    return exchange
