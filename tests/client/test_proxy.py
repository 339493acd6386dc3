"""
Proxies that are in the way: the message names them, and their variable.
"""

import socket

import pytest

from conexxus_client import (
    ClientConfig,
    ConfigurationError,
    ConnectError,
    Delivery,
    HostNotFoundError,
    PermissionDeniedError,
    ServerError,
    StatusError,
    TlsError,
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


@pytest.mark.case("B4", "No proxy listens at CONEXXUS_PROXY", "proxy and variable are named")
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
        f"{info.value} The answer said: blocked by policy. "
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


@pytest.mark.case("B4", "CONEXXUS_PROXY can't be used as it is", "what is wrong with it is said")
@pytest.mark.parametrize(
    ("written", "flaw"),
    [
        ("http://proxy.example:3128 ", "has a blank before or behind it: remove it"),
        ("http://proxy.example:3128\n", "has a blank before or behind it: remove it"),
        ("'http://proxy.example'", "is in quotes: remove them"),
        ("proxy.example:3128", "must start with http:// or https://"),
        ("socks5://proxy.example", "must start with http:// or https://"),
        ("http://proxy.example:99999", "is not a valid URL: its port is no number from 1 to 65535"),
        (
            "http://us\u00e9r:pass-word@proxy.example",
            "is not a valid URL: character 10 is a blank or no ASCII: write it as %XX",
        ),
    ],
)
def test_proxies_that_are_refused(written, flaw):
    """
    In the words that the base URL has; a password is not shown.
    """
    with pytest.raises(ConfigurationError) as info:
        ClientConfig(api_url="https://back-office.example", api_key="k", proxy=written)

    assert info.value.problems == (f"CONEXXUS_PROXY {flaw}",)


@pytest.mark.case("B4", "User, password and host of a proxy have letters beyond ASCII", "they work")
def test_letters_of_a_proxy(through, raw_server):
    """
    User and password are UTF-8 (RFC 7617), the host is in punycode.
    """
    proxy = raw_server(answer(b'{"success":true,"data":{"status":"ok"}}'))
    address = proxy.url.replace("http://", "http://us%C3%A9r:p%20w@")

    assert through(address, TARGETS[0]).health().ok
    assert b"Proxy-Authorization: Basic dXPDqXI6cCB3\r\n" in proxy.requests[0]
    with pytest.raises(HostNotFoundError, match=r"http://xn--prxy-6qa\.invalid:80"):
        through("HTTP://pr\u00f6xy.invalid").health()


@pytest.mark.case("B5", "A proxy is reached by TLS", "CONEXXUS_CA_FILE admits its authority")
def test_authority_of_a_proxy(through, tls_server, authority, ca_file):
    """
    What fails there names the proxy, which no certificate of ours is shown.
    """
    proxy = tls_server(authority.issue_cert("localhost"))

    assert through(proxy, TARGETS[0], ca_file=ca_file).health().ok
    with pytest.raises(TlsError, match="Set CONEXXUS_CA_FILE") as info:
        through(proxy).health()
    assert info.value.explanation.endswith(f"It goes through {proxy} (CONEXXUS_PROXY).")


def test_proxy_in_a_file(connect, raw_server, tmp_path):
    """
    It may hold a password, so it can be in a file, which is read again when it
    changes; what is no address does not replace the last one.
    """
    first, second = (raw_server(answer(b'{"success":true,"data":{"status":"ok"}}')) for _ in "12")
    file = tmp_path / "proxy"
    file.write_text(first.url.replace("//", "//user:pass-word@") + "\n")
    environ = {
        "CONEXXUS_API_URL": "http://back-office.example",
        "CONEXXUS_API_KEY": "k",
        "CONEXXUS_PROXY_FILE": str(file),
    }
    config = ClientConfig.from_env(environ, allow_insecure=True)
    client = connect(config.api_url, allow_insecure=True, proxy=config.proxy)

    assert client.health().ok
    file.write_text("nonsense")
    assert client.health().ok
    file.write_text(second.url)
    assert client.health().ok

    assert [len(first.requests), len(second.requests)] == [2, 1]
    assert b"Proxy-Authorization" in first.requests[0]
    assert "pass-word" not in repr(config)


@pytest.mark.parametrize("text", ["proxy.example:3128", "http://proxy.example:x"])
def test_files_that_hold_no_proxy(tmp_path, text):
    """
    Each is a problem of the configuration, named by its variable.
    """
    file = tmp_path / "proxy"
    file.write_text(text)

    with pytest.raises(ConfigurationError, match=r"CONEXXUS_PROXY_FILE (must|is not)"):
        ClientConfig.from_env({"CONEXXUS_PROXY_FILE": str(file)})
