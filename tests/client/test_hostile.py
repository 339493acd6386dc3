"""
What a careless or hostile counterpart says, and what is made of it.
"""

import asyncio
import json
import ssl

import httpx
import pytest

from canary import CANARY, everything_about, spelled, traces
from conexxus_client import (
    ApiProfile,
    AsyncConexxusClient,
    AuthenticationError,
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    ConfigurationError,
    ConnectError,
    EnvelopeError,
    InvalidItem,
    Item,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
)
from conexxus_client._catalogue._links import next_link
from conexxus_client.transports._tls import ssl_context

from .matrix.row import GOOD, answer, items
from .matrix.test_matrix import batch


# What says something of the key, however that is spelled.
ECHOES = {
    "refusal": lambda key: answer(b'{"error":"bad key %s"}' % key, status="422 No"),
    "refused sale": lambda key: answer(
        b'{"error":"no","rejected":[{"id":"t1","error":"for %s"}]}' % key, status="422 No"
    ),
    "page": lambda key: answer(b"<h1>key %s is unknown</h1>" % key, status="400 No"),
    "request id": lambda key: answer(b"no", f"X-Request-Id: {key.decode()}", status="401 No"),
    "redirect": lambda key: answer(b"", f"Location: https://{key.decode()}/", status="302 Go"),
    "health": lambda key: answer(b'{"success":true,"data":{"status":"%s"}}' % key),
    "failure": lambda key: answer(b'{"success":false,"error":"%s"}' % key),
    "receipt": lambda key: answer(
        b'{"success":true,"data":{"accepted":0,"rejected":[{"id":"%s","error":"%s"}]}}' % (key, key)
    ),
    "text": lambda key: answer(b"%s is no JSON" % key),
    "item": lambda key: answer(b'[{"sku":"A","name":"%s"' % key),
    "later": lambda key: items(*[GOOD] * 2_000, b'{"sku" oops %s}' % key),
}


@pytest.mark.parametrize("body", [b"null", b"true", b"5", b'"no"', b"[]", b"[1]", b"{}", b"\xff"])
@pytest.mark.parametrize("status", ["401 No", "422 No", "503 No", "302 Go"])
def test_error_bodies_of_any_kind(connect, raw_server, body, status):
    """
    Whatever JSON an error's body is, the status decides.
    """
    client = connect(raw_server(answer(body, status=status)).url, retries=0)

    for call in (client.health, client.fetch_items):
        with pytest.raises(StatusError) as info:
            call()
        assert info.value.status == int(status[:3])
    assert client.test_connection().success is False


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [
        ("401 No", AuthenticationError, 1),
        ("429 Slow", RateLimitError, 1),
        ("413 Large", StatusError, 1),
        ("503 Busy", ServerError, 3),
    ],
)
@pytest.mark.parametrize("what", ["cut off", "unknown encoding", "huge"])
def test_broken_error_bodies(connect, raw_server, status, error, requests, what):
    """
    A status counts even if its explanation can't be read.
    """
    raw = {
        "cut off": answer(b'{"err', "Content-Length: 500", status=status, length=False),
        "unknown encoding": answer(b"x", "Content-Encoding: br", status=status),
        "huge": answer(b"x" * 5_000_000, status=status),
    }[what]
    server = raw_server(raw)

    with pytest.raises(error):
        connect(server.url, retries=2).fetch_items()
    assert len(server.requests) == requests

    server.requests.clear()
    with pytest.raises(error):
        connect(server.url, retries=2).health()
    assert len(server.requests) == min(requests, 2)


# The other ways are those of `test_redaction_of_other_spellings`.
@pytest.mark.parametrize("way", ["plain", "JSON of PHP", "some code points", "Base64 after a user"])
@pytest.mark.parametrize("echo", ECHOES)
def test_echoed_key(connect, raw_server, caplog, echo, way):
    """
    A counterpart that echoes the key, in whatever spelling, does not get it
    into results, errors or logs.
    """
    caplog.set_level("DEBUG")
    client = connect(raw_server(_echoing(echo, way)).url, api_key=CANARY, retries=0)
    said = []

    for call in (
        client.test_connection,
        client.health,
        client.fetch_items,
        lambda: client.push_sales(batch(), idempotency_key="k"),
    ):
        try:
            said += everything_about(call())
        except ConexxusError as exc:
            said += everything_about(exc)

    # httpcore's own log of what it receives is not ours to change.
    logged = [it.getMessage() for it in caplog.records if not it.name.startswith("httpcore")]
    assert traces(CANARY, *said, *logged) == []


def _echoing(echo: str, way: str) -> bytes:
    # In capitals where there are none, which no escape of JSON survives.
    key = spelled(CANARY)[way].swapcase().replace("\\U", "\\u")

    return ECHOES[echo](key.encode())


@pytest.mark.parametrize(
    ("field", "target"),
    [
        ('</items?after=a,b>; rel="next"', "/items?after=a,b"),
        ('</p2>; rel = "next"', "/p2"),
        ('</p2>; title="a, b; rel=x"; rel="next"', "/p2"),
        ("</p2>;rel=next", "/p2"),
        ('</p2>; rel="prev next"', "/p2"),
        ('</p1>; rel="prev", </p2>; rel="next"', "/p2"),
        ('</p2>; REL="NEXT";', "/p2"),
        ('</p1>; rel="prev"', None),
        ("</p1>", None),
        ("", None),
    ],
)
def test_link_fields(field, target):
    """
    A link to the next page is found in every form that RFC 8288 allows.
    """
    assert next_link([field]) == target


@pytest.mark.parametrize("field", ["p2; rel=next", "</p2", '</p2>; rel="next', "<a> <b>; rel=next"])
def test_link_fields_that_are_none(field):
    """
    A field that can't be read is refused: it may hide the next page.
    """
    with pytest.raises(EnvelopeError):
        next_link([field])


@pytest.mark.fault(
    "H10", "The next page has a password, an odd letter or another scheme", "`EnvelopeError`"
)
@pytest.mark.parametrize(
    "target", ["http://u:p@HOST/p2", "/p\u00e9", "http://[bad/p2", "https://HOST/p2"]
)
def test_next_pages_that_are_refused(connect, raw_server, target):
    """
    A next page with a password, an odd letter or another scheme is refused.
    """
    body = b'[{"sku":"A","name":"a","price":1}]'
    server = raw_server(b"")
    link = f'Link: <{target.replace("HOST", server.url[7:])}>; rel="next"'
    server._script = answer(body, link)

    with pytest.raises(EnvelopeError):
        connect(server.url).fetch_items()


@pytest.mark.fault(
    "H18", "The ETag differs from page to page", "no tag is kept: the next read is a whole one"
)
def test_one_tag_for_each_page(connect, office, raw_server):
    """
    Tags that differ from page to page name no version of the whole.
    """
    body = '{"success":true,"data":[],"nextCursor":"c%d"}'
    pages = iter([answer(body.encode() % n, f'ETag: "{n}"') for n in range(2)])
    last = answer(b'{"success":true,"data":[]}', 'ETag: "2"')
    server = raw_server(lambda send: send(next(pages, last)))

    read, _ = connect(server.url).pages()

    assert read.etag is None


@pytest.mark.fault("H18", "An ETag with odd letters", "counts as none")
def test_tag_that_can_not_be_sent_back(connect, raw_server):
    """
    A tag with odd letters counts as none.
    """
    read, _ = connect(raw_server(answer(b"[]", 'ETag: "\u00e9"')).url).pages()

    assert read.etag is None


@pytest.mark.parametrize(
    "value",
    [b'"caf\xe9"', b"[" * 120 + b"]" * 120, b"1E+99999999999999999999", b'"\\ud800"'],
)
def test_one_bad_extra_value_among_many(connect, raw_server, value):
    """
    A bad value under a key that nobody knows costs its item, wherever the
    windows end.
    """
    good = b'{"sku":"%d","name":"n","price":1.00,"note":"fine"}'
    parts = [good % n for n in range(6_000)]
    parts[4_321] = b'{"sku":"4321","name":"n","price":1.00,"note":' + value + b"}"
    client = connect(raw_server(items(*parts)).url)

    elements = [element for page in client.pages()[1] for element in page]

    assert len(elements) == 6_000
    assert [type(e) for n, e in enumerate(elements) if n != 4_321] == [Item] * 5_999
    assert isinstance(elements[4_321], InvalidItem)


def test_test_connection_never_raises(office, server):
    """
    Not even over a transport that breaks its promises.
    """

    class Broken:
        def open(self, request, limits):
            raise ZeroDivisionError

        def close(self):
            pass

    config = ClientConfig(api_url=server.url, api_key="sandbox-key")

    assert ConexxusClient(config, transport=Broken()).test_connection().success is False


def test_closed_or_wrong_injected_clients(server):
    """
    An injected client that is closed, or of the other kind, is named.
    """
    config = ClientConfig(api_url=server.url, api_key="sandbox-key")
    closed = httpx.Client(trust_env=False)
    closed.close()

    with pytest.raises(ConfigurationError, match="closed"):
        ConexxusClient(config, http_client=closed).health()

    async def wrong():
        async with httpx.AsyncClient() as other:
            with pytest.raises(ConfigurationError, match="Client of httpx"):
                ConexxusClient(config, http_client=other)
        with httpx.Client() as other, pytest.raises(ConfigurationError, match="AsyncClient"):
            AsyncConexxusClient(config, http_client=other)

    asyncio.run(wrong())


def test_injected_client_that_raises_by_itself(office, server):
    """
    A hook that raises for a status does not hide which one it was.
    """
    office.faults("401")
    config = ClientConfig(api_url=server.url, api_key="sandbox-key")
    hooks = {"response": [httpx.Response.raise_for_status]}

    with (
        httpx.Client(event_hooks=hooks, trust_env=False) as http_client,
        pytest.raises(AuthenticationError),
    ):
        ConexxusClient(config, http_client=http_client).health()


def test_proxy_with_a_password(connect, raw_server):
    """
    User and password of a proxy go to the proxy, and to nobody else.
    """
    proxy = raw_server(answer(b'{"success":true,"data":{"status":"ok"}}'))
    address = proxy.url.replace("http://", "http://user:p%40ss@")

    assert connect("http://back-office.example", allow_insecure=True, proxy=address).health().ok

    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in proxy.requests[0]
    assert b"user:" not in proxy.requests[0].partition(b"Proxy-Authorization")[0]


def test_proxy_that_refuses(connect, raw_server):
    """
    A proxy that does not let us through is named.
    """
    proxy = raw_server(answer(b"", status="407 Proxy Authentication Required"))

    with pytest.raises(ConnectError, match="proxy"):
        connect("https://back-office.example", proxy=proxy.url, retries=0).health()


@pytest.mark.parametrize("path", ["@evil.example/x", "items", "/p\u00e9", "/a b"])
def test_profile_can_not_lead_elsewhere(connect, server, path):
    """
    A path of the profile stays a path on the configured host.
    """
    with pytest.raises(ConfigurationError, match="plain path"):
        connect(server.url, profile=ApiProfile(health_path=path)).health()


def test_error_bodies_that_drip(connect, office, raw_server):
    """
    An error's explanation has to come in time, too.
    """

    def drip(send):
        send(b"HTTP/1.1 503 Busy\r\nContent-Length: 60000\r\n\r\n")
        while True:
            send(b"x" * 10)

    client = connect(raw_server(drip).url, timeout_ms=300, retries=0)

    with pytest.raises(ServerError):
        client.fetch_items()


def test_time_until_headers_counts_for_the_catalogue(connect, office, server, monkeypatch):
    """
    A catalogue whose every page takes long to begin ends at its deadline.
    """
    monkeypatch.setattr("conexxus_client._catalogue._catalog_stream.CATALOG_SECONDS", 0.5)
    office.page_size = 1
    office.faults("slow(200ms)*forever")

    with pytest.raises((RequestTimeoutError, ConexxusError)) as info:
        connect(server.url, retries=0).fetch_items()

    assert type(info.value).__name__ in ("DeadlineExceededError", "RequestTimeoutError")
    assert server.requests["catalog"] <= 4


def test_answers_are_named_in_catalogue_errors(connect, office, server):
    """
    An error about a catalogue that came tells which answer it was.
    """
    office.faults('status(200, body="{}")')

    with pytest.raises(EnvelopeError) as info:
        connect(server.url).fetch_items()

    assert info.value.request_id
    assert info.value.delivery == "unknown"


def test_health_that_says_no(connect, raw_server):
    """
    Healthy is who says success and ok, both.
    """
    for envelope in (
        {"success": False, "data": {"status": "ok"}},
        {"success": True, "data": {"status": "degraded"}},
        {"success": True, "data": None},
    ):
        client = connect(raw_server(answer(json.dumps(envelope).encode())).url)
        assert client.health().ok is False
        assert client.test_connection().success is False


def test_tls_is_at_least_1_2():
    """
    The context that we bring admits nothing older, and verifies.
    """
    context = ssl_context(ClientConfig(api_url="https://x.example", api_key="k"))

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname is True
