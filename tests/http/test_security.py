"""
Who is let in, over real sockets.
"""

import hmac
import itertools
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from starlette.applications import Starlette
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync import ConexxusService, SyncConfig, open_store
from conexxus_sync.http import Access, Answer, Route, create_app, integration, page_routes, wsgi_app
from conexxus_sync.http._server import serving


PREFIX = "/integrations/conexxus"
TOKEN = "s3cret"
# What a browser says when somebody follows a link on another site.
LINK = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


FORWARDED = pytest.mark.case(
    "E12",
    "a shim without a token is behind a proxy that forwards whatever address a caller claims",
    "every request that was forwarded gets 403, under ASGI and WSGI",
)


@contextmanager
def shim(service, token=None, routes=()):
    """
    A client of a shim on a real port.
    """
    access = Access.on("127.0.0.1", token=token)

    with (
        serving(create_app(service, access=access, routes=routes), "127.0.0.1", 0) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """
    The URL of a shim, and the back office behind it, for requests that reach
    nothing or only read.
    """
    office = BackOffice()
    store = f"sqlite:///{tmp_path_factory.mktemp('shim') / 'conexxus.db'}"
    config = SyncConfig(location_id="loc-001", store=store)

    with (
        SandboxServer(office) as server,
        closing(
            ConexxusService(
                ConexxusClient(ClientConfig(api_url=server.url, api_key=server.api_key)),
                store=open_store(store),
                config=config,
            )
        ) as service,
        serving(create_app(service), "127.0.0.1", 0) as url,
    ):
        yield url, office


@pytest.fixture
def caller(refusing):
    """
    An HTTP client under the prefix of that shim.
    """
    with httpx.Client(base_url=f"{refusing[0]}{PREFIX}", trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    [
        "localhost:3000",
        "127.0.0.1",
        "[::1]",
        "[::1]:3000",
        "LOCALHOST",
        "localhost.",
        "localhost.:80",
    ],
)
def test_our_names(refusing, exchange, host):
    """
    Every way to write a loopback name is ours.
    """
    url, _ = refusing

    status, *_ = exchange(url, f"GET {PREFIX}/health HTTP/1.1", f"Host: {host}")

    assert status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost:3000@evil.example",
        "localhost:3000:80",
        "localhost/evil.example",
        "localhost, evil.example",
        "loc%61lhost",
        "127.0.0.1.evil.example",
        "127.1",
        "0.0.0.0",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "[::1",
        "",
        "..",
    ],
)
def test_names_of_others(refusing, exchange, host):
    """
    A name that somebody else's DNS can point at us opens nothing, not even
    `/health`.
    """
    url, office = refusing
    requests = [
        "GET /health",
        "GET /nothing",
        f"GET {PREFIX}/health",
        f"GET {PREFIX}/test-connection",
        f"POST {PREFIX}/sync",
    ]

    answers = [exchange(url, f"{request} HTTP/1.1", f"Host: {host}") for request in requests]

    assert {status for status, *_ in answers} <= {400, 403}
    assert office.requests.total() == 0


def test_no_host(refusing, exchange):
    """
    HTTP/1.0 without a host is refused, too.
    """
    url, _ = refusing

    assert exchange(url, "GET /health HTTP/1.0")[0] == 403


@pytest.mark.parametrize("second", ["evil.example", "localhost"])
def test_two_hosts(refusing, exchange, second):
    """
    Two hosts are one too many, whatever they are.
    """
    url, _ = refusing

    status, *_ = exchange(
        url, f"GET {PREFIX}/health HTTP/1.1", "Host: localhost", f"Host: {second}"
    )

    assert status in (400, 403)


def test_host_in_the_target(refusing, exchange):
    """
    A target with a host in it does not get around the header.
    """
    url, _ = refusing
    target = f"http://localhost{PREFIX}/health"

    status, _, body = exchange(url, f"GET {target} HTTP/1.1", "Host: evil.example")

    assert status in (403, 404)
    assert b"healthy" not in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin, cross-site"},
        LINK | {"Origin": "https://evil.example"},
        LINK,
    ],
)
@pytest.mark.parametrize("path", ["/sync", "/push"])
def test_forms_of_other_sites(caller, refusing, headers, path):
    """
    A form on another site's page starts nothing.
    """
    _, office = refusing

    answer = caller.post(path, data={"date": "2026-01-02"}, headers=headers)

    assert answer.status_code == 403
    assert office.requests["catalog"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        LINK | {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        LINK | {"Sec-Fetch-Dest": "iframe"},
    ],
)
def test_reads_of_other_sites(caller, refusing, headers):
    """
    Another site's page can't make a browser call the back office, either.
    """
    _, office = refusing

    assert caller.get("/test-connection", headers=headers).status_code == 403
    assert office.requests["health"] == 0


def test_link_from_another_site(caller):
    """
    A link in an e-mail leads here.
    """
    assert caller.get("/health", headers=LINK).status_code == 200


def test_our_own_page(browser):
    """
    What a page of ours makes a browser send goes through, whatever policy for
    referrers it has.
    """
    origin = str(browser.base_url.copy_with(path="/")).rstrip("/")

    assert browser.get("/health", headers={"Origin": origin}).status_code == 200
    for headers in (
        {"Origin": origin},
        {"Origin": origin, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    ):
        assert browser.post("/sync", headers=headers).status_code == 202


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
def test_wrong_token(service, office, given):
    """
    Without the token nothing is told, not even what there is.
    """
    headers = {} if given is None else {"Authorization": given}
    paths = ["health", "test-connection", "metrics", "runs/x", "quarantine", "outbox", "nothing"]

    with shim(service, TOKEN) as client:
        answers = [client.get(f"{PREFIX}/{path}", headers=headers) for path in paths]

    for answer in answers:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json() == {"error": "A valid bearer token is needed."}
    assert office.requests.total() == 0


def test_right_token(service):
    """
    With the token everything is open.
    """
    with shim(service, TOKEN) as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        answers = [client.get(f"{PREFIX}/health"), client.post(f"{PREFIX}/sync")]

    assert [answer.status_code for answer in answers] == [200, 202]


def test_token_and_another_site(service, office):
    """
    The token does not help a page of another site.
    """
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}

    with shim(service, TOKEN) as client:
        answer = client.post(f"{PREFIX}/sync", headers=headers)

    assert answer.status_code == 403
    assert office.requests["catalog"] == 0


def test_alive_without_a_token(service):
    """
    Whoever watches the process needs no token, and learns nothing else.
    """
    with shim(service, TOKEN) as client:
        assert client.get("/health").json() == {"status": "ok"}


def test_tokens_are_compared_in_constant_time(service, monkeypatch):
    """
    How long the comparison takes does not tell how much of a token is right.
    """
    compared = []
    genuine = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *two: compared.append(two) or genuine(*two))

    with shim(service, TOKEN) as client:
        client.get(f"{PREFIX}/health", headers={"Authorization": "Bearer s3cre"})

    assert compared == [(b"s3cre", TOKEN.encode())]


def test_no_token_beyond_this_machine(tmp_path):
    """
    Where others can knock, nothing is served without a token; which addresses
    those are is in `test_access`.
    """
    command = [sys.executable, "-m", "conexxus_sync.cli", "run", "--serve", "[::]:0"]

    ended = subprocess.run(
        command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 2
    assert "CONEXXUS_SHIM_TOKEN" in ended.stderr


def test_clicks_go_through_and_floods_do_not(browser):
    """
    A few triggers in a row are fine; then the caller is told when to come
    back, and other routes go on.
    """
    answers = [browser.post("/sync") for _ in range(8)]
    last = answers[-1]

    assert [answer.status_code for answer in answers[:5]] == [202] * 5
    assert last.status_code == 429
    assert 1 <= int(last.headers["retry-after"]) <= 6
    assert "try again" in last.json()["error"]
    assert browser.get("/health").status_code == 200
    assert browser.post("/push").status_code == 409


def test_session(service):
    """
    A browser that has shown the token once goes on with a cookie that no
    script can read and no other site can send, and that is not the token.
    """
    access = Access.on("127.0.0.1", token=TOKEN)

    with shim(service, TOKEN) as client:
        cookie = access.session_cookie(now=1_000_000_000_000)
        name, _, rest = cookie.partition("=")
        client.cookies.set(name, rest.partition(";")[0])
        answer = client.get(f"{PREFIX}/health")

    assert answer.status_code == 200
    assert TOKEN not in cookie
    assert cookie.endswith("; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict")


def test_signed_out(service):
    """
    A page may show a form instead of an error to who has no token, and takes
    it without one.
    """

    def form(request):
        return Answer({"form": request.url.path}, status=401)

    pages = [
        Route("GET", "/", lambda _: Answer({"page": True}), signed_out=form),
        Route("POST", "/login", lambda request: Answer(request.fields), public=True),
    ]

    with shim(service, TOKEN, pages) as client:
        out, known = client.get("/"), client.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
        login = client.post("/login", data={"token": "ä&=<"})
        foreign = client.post("/login", data={"token": "x"}, headers={"Origin": "null"})

    assert (out.status_code, out.json()) == (401, {"form": "/"})
    assert known.json() == {"page": True}
    assert login.json() == {"token": "ä&=<"}
    assert foreign.status_code == 403


# What a server on this machine says of a caller elsewhere, who claims a name.
NEIGHBOUR = {"Host": "localhost", "X-Forwarded-For": "192.0.2.77"}


@pytest.fixture
def elsewhere(service):
    """
    The address of a shim that is mounted in an application for all.
    """
    app = Starlette(routes=[integration(service)])

    with serving(app, "0.0.0.0", 0) as url:
        yield f"http://127.0.0.1:{url.rpartition(':')[2]}{PREFIX}"


@pytest.mark.parametrize("path", ["health", "outbox", "quarantine"])
def test_no_token_no_neighbours(elsewhere, path):
    """
    A shim without a token answers this machine alone, whatever name is claimed.
    """
    local = httpx.get(f"{elsewhere}/{path}", trust_env=False)
    forwarded = httpx.get(f"{elsewhere}/{path}", headers=NEIGHBOUR, trust_env=False)

    assert local.status_code == 200
    assert forwarded.status_code == 403
    assert forwarded.json() == {"error": "Without a token, only this machine may call."}


@FORWARDED
@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}]
)
def test_forwarding_headers_open_nothing(service, office, headers):
    """
    Where the server takes every caller's own word for its address, the shim
    does not.
    """
    trusting = ProxyHeadersMiddleware(create_app(service), trusted_hosts="*")

    with serving(trusting, "127.0.0.1", 0) as url:
        answer = httpx.post(f"{url}{PREFIX}/sync", headers=headers, trust_env=False)

    assert answer.status_code == 403
    assert not office.requests


@FORWARDED
def test_server_that_trusts_every_proxy(service, office, monkeypatch):
    """
    The same for uvicorn with --forwarded-allow-ips='*'; with a token, wrong ones
    are slowed although each claims another address.
    """
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    claims = ({"X-Forwarded-For": f"192.0.2.{number % 250}"} for number in itertools.count())

    with shim(service) as client:
        assert client.get(f"{PREFIX}/health").status_code == 200
        assert client.get(f"{PREFIX}/health", headers={"X-Forwarded-For": "::1"}).status_code == 403
    pages = page_routes(service, access=Access(token=TOKEN))
    with shim(service, token=TOKEN, routes=pages) as client:
        guesses = (
            client.get(f"{PREFIX}/health", headers={**claim, "Authorization": "Bearer wrong"})
            for claim in itertools.islice(claims, 1000)
        )
        assert any(answer.status_code == 429 for answer in guesses)
        logins = (
            client.post("/page/login", data={"token": "wrong"}, headers=claim)
            for claim in itertools.islice(claims, 1000)
        )
        assert any(answer.status_code == 429 for answer in logins)
    assert not office.requests


@FORWARDED
def test_forwarding_headers_open_nothing_on_a_wsgi_server(service, office):
    """
    The same on the sockets of a WSGI server.
    """
    server = make_server("127.0.0.1", 0, wsgi_app(service), handler_class=QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    try:
        url = f"http://127.0.0.1:{server.server_port}{PREFIX}"
        local = httpx.get(f"{url}/health", trust_env=False)
        forwarded = [
            httpx.post(f"{url}/sync", headers={name: "127.0.0.1"}, trust_env=False)
            for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded")
        ]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert local.status_code == 200
    assert {answer.status_code for answer in forwarded} == {403}
    assert not office.requests


class QuietHandler(WSGIRequestHandler):
    """
    Writes no log.
    """

    def log_message(self, *args):
        pass


@FORWARDED
def test_forwarding_headers_open_nothing_under_wsgi(service, office):
    """
    The same for WSGI, where a server may put the claimed address into its
    environment.
    """
    front = httpx.WSGITransport(wsgi_app(service), remote_addr="127.0.0.1")

    with httpx.Client(transport=front, base_url="http://localhost") as client:
        local = client.get(f"{PREFIX}/health")
        forwarded = client.post(f"{PREFIX}/sync", headers={"X-Forwarded-For": "127.0.0.1"})

    assert (local.status_code, forwarded.status_code) == (200, 403)
    assert not office.requests


def test_neighbour_starts_nothing(elsewhere, office):
    """
    Nor does another machine start anything.
    """
    answer = httpx.post(elsewhere + "/sync", headers=NEIGHBOUR, trust_env=False)

    assert answer.status_code == 403
    assert not office.requests
