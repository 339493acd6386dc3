"""
Proxies that are in the way: the message names them, and their variable.
"""

import socket

import pytest

from conexxus_client import (
    ConnectError,
    Delivery,
    HostNotFoundError,
    PermissionDeniedError,
    ServerError,
    StatusError,
)

from .matrix.row import answer
from .matrix.test_matrix import batch


TARGETS = ["http://back-office.example", "https://back-office.example"]


@pytest.fixture
def through(connect):
    """
    A client behind a proxy.
    """

    def make(proxy, target="https://back-office.example", **options):
        return connect(target, proxy=proxy, allow_insecure=True, retries=0, **options)

    return make


@pytest.mark.case("B4", "Nobody listens at CONEXXUS_PROXY", "proxy and variable are named")
@pytest.mark.parametrize("target", TARGETS)
def test_dead_proxy(through, target):
    """
    A refused connection is the proxy's; its password is not shown.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(ConnectError) as info:
        through(f"http://user:pass-word@{address}", target).push_sales(batch(), idempotency_key="k")

    assert str(info.value) == (
        f"Conexxus API proxy http://{address}: connection refused. Check CONEXXUS_PROXY."
    )
    assert info.value.delivery is Delivery.NOT_SENT


@pytest.mark.case("B4", "The proxy's name does not resolve", "proxy and variable are named")
def test_unknown_proxy(through):
    """
    A name that can't exist is the proxy's.
    """
    with pytest.raises(HostNotFoundError) as info:
        through("http://proxy.invalid:3128").health()

    assert str(info.value) == (
        "Conexxus API proxy http://proxy.invalid:3128: host not found. Check CONEXXUS_PROXY."
    )


@pytest.mark.case("B4", "The proxy opens no tunnel", "it is named, with its reason")
@pytest.mark.parametrize("status", ["403 Forbidden", "407 Login", "502 Bad Gateway", "504 Late"])
def test_proxy_without_a_tunnel(through, raw_server, status):
    """
    What a proxy refuses is not refused by the back office, and nothing was
    sent.
    """
    proxy = raw_server(answer(b"", status=status))

    with pytest.raises(ConnectError) as info:
        through(proxy.url).push_sales(batch(), idempotency_key="k")

    assert f"The proxy {proxy.url} did not let us through ({status})." in str(info.value)
    assert "Check CONEXXUS_PROXY" in str(info.value)
    assert ("user:password@host" in str(info.value)) == status.startswith("407")
    assert info.value.delivery is Delivery.NOT_SENT


@pytest.mark.case("B4", "A proxy answers 407 itself", "it is a refusal that names CONEXXUS_PROXY")
def test_proxy_that_wants_a_login(through, raw_server):
    """
    The back office was not asked: nothing is of unknown fate.
    """
    proxy = raw_server(answer(b"<title>Denied</title>", status="407 Proxy Login"))

    with pytest.raises(StatusError) as info:
        through(proxy.url, TARGETS[0]).push_sales(batch(), idempotency_key="k")

    assert "wants a user and a password: check CONEXXUS_PROXY" in str(info.value)
    assert info.value.explanation.endswith(f"It went through {proxy.url} (CONEXXUS_PROXY).")
    assert info.value.delivery is Delivery.REJECTED


@pytest.mark.case("B4", "A proxy may have answered 403 or 503 itself", "it is named as well")
@pytest.mark.parametrize(
    ("status", "error"), [("403 Forbidden", PermissionDeniedError), ("503 No", ServerError)]
)
def test_proxy_that_may_have_answered(through, raw_server, status, error):
    """
    Without TLS a proxy can answer in the back office's name.
    """
    proxy = raw_server(answer(b"blocked by policy", status=status))

    with pytest.raises(error) as info:
        through(proxy.url, TARGETS[0]).health()

    assert info.value.explanation == (
        f"{info.value} The answer said: blocked by policy "
        f"It went through {proxy.url} (CONEXXUS_PROXY)."
    )


def test_without_a_proxy(connect, raw_server):
    """
    Where none is configured, none is named but for 407.
    """
    server = raw_server(answer(b"", status="403 Forbidden"))

    with pytest.raises(PermissionDeniedError) as info:
        connect(server.url).health()

    assert "PROXY" not in info.value.explanation
