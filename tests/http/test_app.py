"""
What the shim decides, over ASGI and WSGI alike, without sockets.
"""

import time

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from conexxus_sync.http import Access, AccessMiddleware, Answer, Route
from conexxus_sync.http._middleware import _joined
from conexxus_sync.http._rate_limits import Rate, RateLimit
from conexxus_sync.http._routes import application
from conexxus_sync.http._wsgi import WsgiShim


ACCESS = Access(token="s3cret")
SIGNED_OUT = pytest.mark.case(
    "E13",
    "a browser has signed out and somebody has its cookie, or guesses tokens",
    "the session has ended on the server, and an address is slowed after ten wrong tokens",
)
BEARER = {"Authorization": "Bearer s3cret"}


class Watch:
    """
    A clock that is set by hand.
    """

    seconds = 0.0

    def __call__(self):
        return self.seconds


def over_asgi(app, caller):
    return TestClient(
        app, base_url="http://localhost", client=(caller, 50_000), raise_server_exceptions=True
    )


def over_wsgi(app, caller):
    front = httpx.WSGITransport(WsgiShim(app, prefix="/p"), remote_addr=caller)

    return httpx.Client(transport=front, base_url="http://localhost")


@pytest.fixture(params=[over_asgi, over_wsgi], ids=["asgi", "wsgi"])
def client(request):
    """
    Makes clients of an application that has the given routes.
    """

    def make(*routes, access=None, caller="127.0.0.1"):
        return request.param(application(routes, access=access), caller)

    return make


def echo(request):
    return Answer(request.path_params)


def trigger(path):
    """
    A route whose clock stands still until it is set.
    """
    route = Route("POST", path, echo, trigger=True)
    route.limit.monotonic = Watch()

    return route


def test_burst_then_rate():
    """
    So many at once, then one whenever its time has come, and never more than
    the burst after a long while.
    """
    watch = Watch()
    limit = RateLimit(Rate(per_minute=6, burst=2), watch)
    waits = []

    for watch.seconds in (0, 0, 0, 5, 10, 10, 1000, 1000, 1000):
        waits.append(limit.wait())

    assert waits == [0, 0, 10, 5, 0, 10, 0, 0, 10]


def test_callers_do_not_use_up_each_other(client):
    """
    Where each caller has a rate of its own, others are not in its way.
    """
    route = Route("POST", "/in", echo, rate=Rate(per_minute=6, burst=2, per_caller=True))
    route.limit.monotonic = Watch()

    def statuses(caller):
        one = client(route, caller=caller)
        return [one.post("/in").status_code for _ in range(3)]

    assert statuses("127.0.0.1") == statuses("127.0.0.2") == [200, 200, 429]


def test_only_so_many_callers_are_known():
    """
    However many callers there are, what is kept of them is bounded; the ones
    that came last are still known.
    """
    limit = RateLimit(Rate(per_minute=6, burst=1, per_caller=True), Watch())

    for number in range(5_000):
        assert limit.wait(str(number)) == 0

    assert limit.wait("4999") == 10
    assert limit.wait("0") == 0
    assert len(limit._full_at) == 1_000


def test_what_was_done_is_logged(client, caplog):
    """
    The log says who started what, and who was turned away; reading leaves no
    trace.
    """
    caplog.set_level("INFO", "conexxus_sync")
    routes = [Route(method, "/a", echo) for method in ("GET", "POST")]

    client(*routes, access=ACCESS).get("/a", headers=BEARER)
    client(*routes, access=ACCESS).post("/a", headers=BEARER)
    client(*routes, access=ACCESS, caller="127.0.0.9").post("/a" + "x" * 9_000)

    acted, refused = [one for one in caplog.records if one.name.startswith("conexxus_sync")]
    assert (acted.message, acted.method, acted.path) == ("Conexxus shim acted", "POST", "/a")
    assert (acted.caller, acted.status, acted.levelname) == ("127.0.0.1", 200, "INFO")
    assert (refused.message, refused.caller) == ("Conexxus shim refused", "127.0.0.9")
    assert (refused.status, refused.levelname, len(refused.path)) == (401, "WARNING", 200)
    assert ACCESS.token not in str([record.__dict__ for record in (acted, refused)])


def test_knocking_does_not_fill_the_log(caplog):
    """
    However often somebody is turned away, the log says so now and then.
    """
    guarded = AccessMiddleware(PlainTextResponse("stock"), access=ACCESS, monotonic=Watch())
    client = over_asgi(guarded, "127.0.0.1")

    assert {client.get("/a").status_code for _ in range(100)} == {401}
    assert len([one for one in caplog.records if one.name.startswith("conexxus_sync")]) == 10


@SIGNED_OUT
def test_wrong_tokens_are_slowed():
    """
    After ten wrong tokens an address has to wait, with a right one, too, and
    learns nothing meanwhile; other addresses and sessions do not.
    """
    watch = Watch()
    app = AccessMiddleware(PlainTextResponse("stock"), access=ACCESS, monotonic=watch)
    guesser, other = over_asgi(app, "127.0.0.1"), over_asgi(app, "127.0.0.2")
    cookie = ACCESS.session_cookie(now=time.time()).partition(";")[0]

    def guess(token):
        return guesser.get("/", headers={"Authorization": f"Bearer {token}"})

    wrong = [guess("wrong").status_code for _ in range(12)]
    right = guess(ACCESS.token)

    assert wrong == [401] * 10 + [429] * 2
    assert (right.status_code, right.headers["retry-after"]) == (429, "3")
    assert other.get("/", headers=BEARER).status_code == 200
    assert guesser.get("/", headers={"Cookie": cookie}).status_code == 200
    watch.seconds += 3
    assert {guess(ACCESS.token).status_code for _ in range(30)} == {200}


@SIGNED_OUT
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_claimed_addresses_are_slowed(header):
    """
    Behind a server that believes each caller's own word for its address, another
    word does not help: wrong tokens count together, with a limit of their own.
    """
    app = AccessMiddleware(PlainTextResponse("stock"), access=ACCESS, monotonic=Watch())
    direct = over_asgi(app, "127.0.0.1")

    def guess(number, token="wrong"):
        caller = over_asgi(app, f"192.0.2.{number}")
        claim = {header: f"192.0.2.{number}", "Authorization": f"Bearer {token}"}
        return caller.get("/", headers=claim).status_code

    assert guess(1, ACCESS.token) == 200
    assert [guess(number) for number in range(82)] == [401] * 80 + [429] * 2
    assert guess(200, ACCESS.token) == 429
    assert direct.get("/", headers=BEARER).status_code == 200


def test_triggers_do_not_use_up_each_other(client):
    """
    Whoever starts too many pulls can still start a push.
    """
    one = client(trigger("/a"), trigger("/b"))

    def statuses(path):
        return [one.post(path).status_code for _ in range(6)]

    assert statuses("/a") == statuses("/b") == [200] * 5 + [429]


def test_refused_triggers_cost_nothing(client):
    """
    What another site sends does not use up the permits of those who may.
    """
    one = client(trigger("/a"))
    foreign = {"Origin": "https://evil.example"}

    refused = [one.post("/a", headers=foreign).status_code for _ in range(20)]

    assert set(refused) == {403}
    assert one.post("/a").status_code == 200


def test_again_later(client):
    """
    After a minute the same caller is welcome again.
    """
    route = trigger("/a")
    one = client(route)
    while one.post("/a").status_code == 200:
        pass

    route.limit.monotonic.seconds += 60

    assert one.post("/a").status_code == 200


@pytest.mark.parametrize(
    ("pattern", "path", "captured"),
    [
        ("/runs/{id}", "/runs/x", {"id": "x"}),
        ("/runs/{id}", "/runs/%0A%00", {"id": "\n\x00"}),
        ("/runs/{id}", "/runs/", None),
        ("/runs/{id}", "/runs/x/y", None),
        ("/runs/{id}", "/runs/x%2Fy", None),
        ("/static/{name:path}", "/static/a/b.css", {"name": "a/b.css"}),
        ("/a.b", "/a.b", {}),
        ("/a.b", "/a%2Eb", {}),
        ("/a.b", "/aXb", None),
        ("/a", "/a/", None),
        ("/a", "/b//a", None),
    ],
)
def test_patterns(client, pattern, path, captured):
    """
    A path is a route's only as a whole, and only its places vary; it is
    decoded before.
    """
    answer = client(Route("GET", pattern, echo)).get(path)

    assert answer.status_code == (404 if captured is None else 200)
    assert captured is None or answer.json() == captured


def test_methods(client):
    """
    A path says which methods it knows; HEAD is GET without the content.
    """
    one = client(Route("GET", "/a", echo), Route("POST", "/b", echo))

    head, options, patch = one.head("/a"), one.options("/b"), one.patch("/a")

    assert [each.status_code for each in (head, options, patch)] == [200, 204, 405]
    assert (head.content, head.headers["content-length"]) == (b"", "2")
    assert (options.content, options.headers["allow"]) == (b"", "OPTIONS, POST")
    assert patch.headers["allow"] == "GET, HEAD, OPTIONS"


def test_answers_in_ascii(client):
    """
    What could turn a terminal's text around, and half a surrogate pair, are
    written as escapes.
    """
    hostile = "\u202eevil\x1b[2J</script>\ud800ä"

    body = client(Route("GET", "/", lambda _: Answer({"name": hostile}))).get("/").content

    assert body.isascii()
    assert b"\x1b" not in body


def test_too_many_fields(client):
    """
    A form of a thousand fields is refused.
    """
    one = client(Route("POST", "/", lambda request: Answer(request.fields)))

    assert one.post("/", data={f"a{number}": "1" for number in range(1000)}).status_code == 400
    assert one.post("/", data={"a": "1"}).json() == {"a": "1"}


def known(cookie, now, access=ACCESS):
    return access.is_authenticated({"cookie": cookie}, now=now)


def test_session_holds_twelve_hours():
    """
    A session opens until its end, among other cookies, too.
    """
    cookie = ACCESS.session_cookie(now=1000).partition(";")[0]

    assert known(f"a=1; {cookie}; b=2", now=1000 + 12 * 3600 - 1)
    assert not known(cookie, now=1000 + 12 * 3600)
    assert not ACCESS.is_authenticated({"cookie": cookie})


def test_session_of_another_token():
    """
    A new token ends all sessions.
    """
    cookie = ACCESS.session_cookie(now=1000).partition(";")[0]

    assert not known(cookie, now=1000, access=Access(token="other"))


def test_session_can_not_be_extended():
    """
    Whoever changes the end, or anything else, has no session.
    """
    cookie = ACCESS.session_cookie(now=1000).partition(";")[0]
    name, _, value = cookie.partition("=")
    end, _, signature = value.partition(".")

    for forged in (
        f"{int(end) + 1}.{signature}",
        f"{end}.",
        end,
        f".{signature}",
        "",
        "ä.ö",
        value[:-1],
    ):
        assert not known(f"{name}={forged}", now=1000)


@SIGNED_OUT
def test_ended_session():
    """
    A session that was ended opens nothing, whoever has a copy of its cookie;
    the others go on, and what is remembered of it ends with its time.
    """
    access = Access(token="s3cret")
    ended, other = (access.session_cookie(now=now).partition(";")[0] for now in (1000, 1000.5))

    access.end_session({"cookie": f"a=1; {ended}"}, now=2000)

    assert not known(ended, now=2000, access=access)
    assert known(other, now=2000, access=access)
    access.end_session({"cookie": f"{ended}x"}, now=1000 + 12 * 3600)
    assert access._ended == {}


def test_token_is_no_session():
    """
    The token in the cookie's place opens nothing.
    """
    name = ACCESS.session_cookie(now=0).partition("=")[0]

    assert known(ACCESS.session_cookie(now=0).partition(";")[0], now=0)
    assert not known(f"{name}={ACCESS.token}", now=0)


def test_repeated_headers():
    """
    Of a repeated header all values count; two hosts are no host.
    """
    raw = [(b"host", b"localhost"), (b"host", b"localhost"), (b"cookie", b"a=1"), (b"cookie", b"b")]
    headers = _joined(Headers(raw=raw))

    assert headers == {"host": "localhost, localhost", "cookie": "a=1; b"}
    assert Access().refusal("GET", headers).status == 403
