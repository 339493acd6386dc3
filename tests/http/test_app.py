"""
What the shim decides, apart from sockets and frameworks.
"""

import pytest

from conexxus_sync.http import Access, Answer, HttpRequest, Route
from conexxus_sync.http._app import App
from conexxus_sync.http._messages import inner_path, joined
from conexxus_sync.http._rate_limits import Buckets, Rate, TokenBucket


LOCAL = {"host": "localhost"}


class Watch:
    """
    A clock that is set by hand.
    """

    seconds = 0.0

    def __call__(self):
        return self.seconds


def get(path, method="GET", **options):
    return HttpRequest(method=method, path=path, **{"headers": LOCAL, **options})


def echo(request):
    return Answer(document=dict(request.captured))


def test_burst_then_rate():
    """
    So many at once, then one whenever its time has come, and never more than
    the burst after a long while.
    """
    bucket = TokenBucket(Rate(per_minute=6, burst=2))

    waits = [bucket.wait(now) for now in (0, 0, 0, 5, 10, 10, 1000, 1000, 1000)]

    assert waits == [0, 0, 10, 5, 0, 10, 0, 0, 10]


def test_callers_do_not_use_up_each_other():
    """
    Where each caller has a rate of his own, others are not in his way.
    """
    rate = Rate(per_minute=6, burst=2, per_caller=True)
    app = App([Route("POST", "/in", echo, rate=rate)], monotonic=Watch())

    def statuses(client):
        return [app.handle(get("/in", "POST", client=client)).status for _ in range(3)]

    assert statuses("127.0.0.1") == statuses("127.0.0.2") == [200, 200, 429]


def test_only_so_many_callers_are_known():
    """
    However many callers there are, what is kept of them is bounded; the ones
    that came last are still known.
    """
    buckets = Buckets(Rate(per_minute=6, burst=1, per_caller=True))

    for number in range(5_000):
        assert buckets.wait(str(number), 0) == 0

    assert buckets.wait("4999", 0) == 10
    assert buckets.wait("0", 0) == 0
    assert len(buckets._of) == 1_000


def test_what_was_done_is_logged(caplog):
    """
    The log tells who started what, and who was turned away; reading leaves no
    trace.
    """
    caplog.set_level("INFO")
    app = App([Route(method, "/a", echo) for method in ("GET", "POST")], access=ACCESS)
    bearing = {**LOCAL, "authorization": f"Bearer {ACCESS.token}"}

    app.handle(get("/a", headers=bearing, client="127.0.0.1"))
    app.handle(get("/a", "POST", headers=bearing, client="127.0.0.1"))
    app.handle(get("/a" + "x" * 9_000, "POST", client="127.0.0.9"))

    acted, refused = caplog.records
    assert (acted.message, acted.method, acted.path) == ("Conexxus shim acted", "POST", "/a")
    assert (acted.caller, acted.status, acted.levelname) == ("127.0.0.1", 200, "INFO")
    assert (refused.message, refused.caller) == ("Conexxus shim refused", "127.0.0.9")
    assert (refused.status, refused.levelname, len(refused.path)) == (401, "WARNING", 200)
    assert ACCESS.token not in str([record.__dict__ for record in caplog.records])


def test_knocking_does_not_fill_the_log(caplog):
    """
    However often somebody is turned away, the log says so now and then.
    """
    app = App([Route("GET", "/a", echo)], access=ACCESS, monotonic=Watch())

    assert {app.handle(get("/a")).status for _ in range(1_000)} == {401}
    assert len(caplog.records) == 10


def test_triggers_do_not_use_up_each_other():
    """
    Whoever starts too many pulls can still start a push.
    """
    app = App([Route("POST", path, echo, trigger=True) for path in ("/a", "/b")])

    def statuses(path):
        return [app.handle(get(path, "POST")).status for _ in range(6)]

    assert statuses("/a") == statuses("/b") == [200] * 5 + [429]


def test_refused_triggers_cost_nothing():
    """
    What another site sends does not use up the permits of those who may.
    """
    app = App([Route("POST", "/a", echo, trigger=True)], monotonic=Watch())
    foreign = {**LOCAL, "origin": "https://evil.example"}

    refused = [app.handle(get("/a", "POST", headers=foreign)).status for _ in range(20)]

    assert set(refused) == {403}
    assert app.handle(get("/a", "POST")).status == 200


def test_again_later():
    """
    After a minute the same caller is welcome again.
    """
    watch = Watch()
    app = App([Route("POST", "/a", echo, trigger=True)], monotonic=watch)
    while app.handle(get("/a", "POST")).status == 200:
        pass

    watch.seconds += 60

    assert app.handle(get("/a", "POST")).status == 200


@pytest.mark.parametrize(
    ("pattern", "path", "captured"),
    [
        ("/runs/{id}", "/runs/x", {"id": "x"}),
        ("/runs/{id}", "/runs/\n\x00", {"id": "\n\x00"}),
        ("/runs/{id}", "/runs/", None),
        ("/runs/{id}", "/runs/x/y", None),
        ("/static/{name:path}", "/static/a/b.css", {"name": "a/b.css"}),
        ("/a.b", "/a.b", {}),
        ("/a.b", "/aXb", None),
        ("/a", "/a/", None),
        ("/a", "//a", None),
    ],
)
def test_patterns(pattern, path, captured):
    """
    A path is a route's only as a whole, and only its places vary.
    """
    response = App([Route("GET", pattern, lambda r: Answer(document=r.captured))]).handle(get(path))

    assert response.status == (404 if captured is None else 200)
    if captured is not None:
        assert response == App([Route("GET", "/", lambda _: Answer(document=captured))]).handle(
            get("/")
        )


def test_methods():
    """
    A path says which methods it knows; HEAD is GET without the content.
    """
    app = App([Route("GET", "/a", echo), Route("POST", "/a", echo)])

    answers = {method: app.handle(get("/a", method)) for method in ("HEAD", "OPTIONS", "PATCH")}

    assert {method: answer.status for method, answer in answers.items()} == {
        "HEAD": 200,
        "OPTIONS": 204,
        "PATCH": 405,
    }
    assert answers["HEAD"].body == b""
    assert ("Content-Length", "2") in answers["HEAD"].headers
    assert ("Allow", "GET, HEAD, OPTIONS, POST") in answers["PATCH"].headers


def test_answers_in_ascii():
    """
    What could turn a terminal's text around, and half a surrogate pair, are
    written as escapes.
    """
    hostile = "\u202eevil\x1b[2J</script>\ud800ä"
    app = App([Route("GET", "/", lambda _: Answer(document={"name": hostile}))])

    body = app.handle(get("/")).body

    assert body.isascii()
    assert b"\x1b" not in body


def test_too_many_fields():
    """
    A query of a thousand fields is refused, not read.
    """
    app = App([Route("GET", "/", lambda request: Answer(document=request.parameters))])

    assert app.handle(get("/", query="a=1&" * 1000)).status == 400


ACCESS = Access(token="s3cret")


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


def test_token_is_no_session():
    """
    The token in the cookie's place opens nothing.
    """
    name = ACCESS.session_cookie(now=0).partition("=")[0]

    assert known(ACCESS.session_cookie(now=0).partition(";")[0], now=0)
    assert not known(f"{name}={ACCESS.token}", now=0)


@pytest.mark.parametrize(
    ("path", "root", "inner"),
    [
        ("/p/x/health", "", "/p/x/health"),
        ("/p/x/health", "/p/x", "/p/x/health"),
        ("/health", "/p/x", "/p/x/health"),
        ("/shop/p/x/health", "/shop", "/p/x/health"),
        ("/shop/p/x/health", "/shop/p/x", "/p/x/health"),
        ("/shopping", "/shop", "/shopping"),
        ("/p/x", "/p/x", "/p/x"),
        ("/", "", "/"),
    ],
)
def test_inner_path(path, root, inner):
    """
    Routes are found wherever a host has mounted them, and whether or not it
    takes the root off the path.
    """
    assert inner_path(path, root, "/p/x") == inner


def test_repeated_headers():
    """
    Of a repeated header all values count; two hosts are no host.
    """
    headers = joined(
        [("Host", "localhost"), ("host", "localhost"), ("Cookie", "a=1"), ("cookie", "b=2")]
    )

    assert headers == {"host": "localhost, localhost", "cookie": "a=1; b=2"}
    assert Access().refusal("GET", headers).status == 403
