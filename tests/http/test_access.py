from http.cookies import SimpleCookie

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync.http import Access


CURL = {"host": "localhost:3000", "user-agent": "curl/8"}
LOCAL = Access.on("127.0.0.1", token=None)


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST"])
def test_loopback_names_are_allowed(host):
    """
    On a loopback address every loopback name is ours, whatever the port.
    """
    assert LOCAL.refusal("GET", {"host": host}) is None


@pytest.mark.parametrize("host", ["evil.example:3000", "localhost.evil.example", "", "[", "a@b"])
def test_other_names_are_refused(host):
    """
    A name that somebody else's DNS points at us is refused, even for reading.
    """
    assert LOCAL.refusal("GET", {"host": host}).status == 403


def test_plain_curl_may_post():
    """
    A program on this machine needs no ceremony.
    """
    assert LOCAL.refusal("POST", CURL) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:5173"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_may_not_post(headers):
    """
    What another page makes a browser send is refused.
    """
    assert LOCAL.refusal("POST", CURL | headers).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:3000"},
        {"origin": "http://localhost:3000", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_our_own_page_may_post(headers):
    """
    What our own page makes a browser send goes through.
    """
    assert LOCAL.refusal("POST", CURL | headers) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "pos.example"])
def test_reachable_address_needs_a_token(host):
    """
    Where others can knock, there has to be a key.
    """
    with pytest.raises(ConfigurationError, match="CONEXXUS_SHIM_TOKEN"):
        Access.on(host, token=None)


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", "Basic s3cret-s3cret-s3cret", "s3cret-s3cret-s3cret"]
)
def test_wrong_token_is_refused(given):
    """
    Anything but the token is 401.
    """
    access = Access.on("0.0.0.0", token="s3cret-s3cret-s3cret")

    assert access.refusal("GET", {"host": "pos.example", "authorization": given}).status == 401


def test_token_opens():
    """
    The token is asked for, and suffices, also on a loopback address.
    """
    for host in ("0.0.0.0", "127.0.0.1"):
        access = Access.on(host, token="s3cret-s3cret-s3cret")
        headers = {"host": "localhost", "authorization": "bearer s3cret-s3cret-s3cret"}

        assert access.refusal("POST", headers) is None


@pytest.mark.parametrize("token", ["with space", "tab\t", "line\n", "schlüssel", "\x7f", "€"])
def test_token_that_is_none(token):
    """
    What can't be sent in a header is no token; the message does not show it.
    """
    with pytest.raises(ConfigurationError, match="printable ASCII") as caught:
        Access(token=token)

    assert token not in str(caught.value)


def test_short_token():
    """
    Beyond this machine a token has to be long.
    """
    with pytest.raises(ConfigurationError, match="of 16 characters or more") as caught:
        Access.on("0.0.0.0", token="s3cret-s3cret-s")

    assert "s3cret" not in str(caught.value)
    assert Access.on("0.0.0.0", token="s3cret-s3cret-s3").token
    assert Access.on("127.0.0.1", token="s3cret").token


@pytest.mark.parametrize(
    ("host", "hosts", "name", "allowed"),
    [
        ("0.0.0.0", (), "till-1", True),
        ("192.0.2.7", (), "till-1", True),
        ("192.0.2.7", ["till-1"], "till-1:3000", True),
        ("192.0.2.7", ["till-1"], "192.0.2.7", True),
        ("192.0.2.7", ["till-1"], "till-2", False),
        ("127.0.0.1", ["shop.example"], "SHOP.example", True),
        ("127.0.0.1", (), "shop.example", False),
    ],
)
def test_names(host, hosts, name, allowed):
    """
    On this machine alone, its names and those that were given; elsewhere the
    token decides, unless names were given.
    """
    access = Access.on(host, token="s3cret-s3cret-s3cret", hosts=hosts)

    assert (access.foreign_refusal("GET", {"host": name}) is None) == allowed


def test_two_shims_under_one_name():
    """
    Browsers keep cookies by host name: those of two shims do not meet.
    """
    one, two = (Access(token=token) for token in ("s3cret-1", "s3cret-2"))
    jar = SimpleCookie()

    for access in (one, two):
        jar.load(access.session_cookie(now=0))

    cookies = [f"{name}={morsel.value}" for name, morsel in jar.items()]
    for sent in ("; ".join(cookies), "; ".join(reversed(cookies))):
        assert one.is_authenticated({"cookie": sent}, now=0)
        assert two.is_authenticated({"cookie": sent}, now=0)
    assert not one.is_authenticated({"cookie": cookies[1]}, now=0)


def test_token_is_not_shown():
    """
    The token is in no repr.
    """
    assert "s3cret-s3cret-s3cret" not in repr(Access.on("0.0.0.0", token="s3cret-s3cret-s3cret"))


@pytest.mark.parametrize("client", ["", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine(client):
    """
    Without a token this machine may call; where there is no address, as on a
    Unix socket, the file's rights decide.
    """
    assert LOCAL.refusal("POST", CURL, client=client) is None


@pytest.mark.parametrize("client", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "fe80::1", "pos"])
def test_other_machines(client):
    """
    Others may not, under whatever name they call; with a token they may.
    """
    guarded = Access(token="a-token-that-is-long")
    bearing = CURL | {"authorization": "Bearer a-token-that-is-long"}

    assert LOCAL.refusal("POST", CURL, client=client).status == 403
    assert guarded.refusal("POST", bearing, client=client) is None


@pytest.mark.parametrize(
    "header",
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"],
)
def test_through_another_server(header):
    """
    Without a token nothing that another server forwards gets in, whatever
    address it names; with a token it does.
    """
    guarded = Access(token="a-token-that-is-long")
    forwarded = CURL | {header: "127.0.0.1"}
    bearing = forwarded | {"authorization": "Bearer a-token-that-is-long"}

    assert LOCAL.refusal("GET", forwarded, client="127.0.0.1").status == 403
    assert guarded.refusal("GET", bearing, client="127.0.0.1") is None
