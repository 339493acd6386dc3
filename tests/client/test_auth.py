"""
Other ways to authorize calls, and other words for success.
"""

import json
import re

import pytest

from canary import CANARY, everything_about, traces
from conexxus_client import (
    ApiProfile,
    AuthenticationError,
    AuthRequest,
    ConfigurationError,
    ConnectError,
    Delivery,
    EnvelopeError,
    ServerError,
)

from .matrix.row import answer
from .matrix.test_matrix import batch


WELL = answer(b'{"success":true,"data":{"status":"ok"}}')
ITEMS = answer(b'[{"sku":"A","name":"a","price":1}]')
TAKEN = answer(b'{"success":true,"data":{"accepted":1}}')
ENDED = answer(b'{"error":"token ended"}', status="401 No")


class Login:
    """
    Logs in once, and again when it is refused.
    """

    def __init__(self, url="/login"):
        self.url = url
        self.token = None

    def flow(self, key):
        if self.token is None:
            got = yield AuthRequest(
                url=self.url,
                headers={"Content-Type": "application/json"},
                body=json.dumps({"password": key.reveal()}).encode(),
            )
            self.token = json.loads(got)["token"]

        return {"Authorization": f"Bearer {self.token}"}

    def refused(self):
        self.token = None
        return True


@pytest.fixture
def office(raw_server):
    """
    A back office that wants a token; it ends tokens, and refuses logins.
    """

    class Office:
        good = "token-canary-1"
        issued = ("token-canary-1",)
        login = None

        def __init__(self):
            self.tokens = iter(self.issued)
            self.server = raw_server(lambda send: send(self.answer()))

        def answer(self):
            asked = self.server.requests[-1]
            path = asked.split(b" ")[1].decode()
            if path == "/login":
                return self.login or answer(self.token())
            if f"Authorization: Bearer {self.good}".encode() not in asked:
                return ENDED
            return {"health": WELL, "items": ITEMS, "push": TAKEN}[path.rpartition("/")[2]]

        def token(self):
            return json.dumps({"token": next(self.tokens)}).encode()

        @property
        def paths(self):
            found = [one.split(b" ")[1].decode() for one in self.server.requests]
            return [path.rpartition("/")[2] for path in found]

    return Office


@pytest.mark.case("B11", "Calls need a login", "`ApiProfile.auth` makes it, once for all calls")
def test_login(connect, office):
    """
    Every call of both clients has the token, and not the key.
    """
    site = office()
    client = connect(site.server.url, profile=ApiProfile(auth=Login()), api_key="pass-word")

    assert client.health().ok
    assert len(client.fetch_items()) == 1
    assert client.push_sales(batch(), idempotency_key="k").accepted == 1

    assert site.paths == ["login", "health", "items", "push"]
    keyed = [b"pass-word" in one for one in site.server.requests]
    assert keyed == [True, False, False, False]


@pytest.mark.case("B11", "The token has ended", "a new one is fetched, and the call sent once more")
@pytest.mark.parametrize("call", ["health", "items", "push"])
def test_renewal(connect, office, call):
    """
    A 401 renews the token within the attempt; a push keeps key and bytes.
    """
    office.issued = ("token-canary-0", "token-canary-1")
    site = office()
    client = connect(site.server.url, profile=ApiProfile(auth=Login()), retries=0)

    {
        "health": client.health,
        "items": client.fetch_items,
        "push": lambda: client.push_sales(batch(), idempotency_key="k"),
    }[call]()

    assert site.paths == ["login", call, "login", call]
    first, second = (site.server.requests[number] for number in (1, 3))
    assert first.replace(b"canary-0", b"canary-1") == second


def test_two_refusals(connect, office):
    """
    A token that is refused anew is an error, not a circle.
    """
    office.issued = ("token-a", "token-b", "token-c")
    site = office()

    with pytest.raises(AuthenticationError) as info:
        connect(site.server.url, profile=ApiProfile(auth=Login())).health()

    assert site.paths == ["login", "health"] * 2
    assert info.value.delivery is Delivery.REJECTED


@pytest.mark.case("B11", "The login of a push fails", "nothing was sent, and the error says why")
@pytest.mark.parametrize(
    ("status", "error", "logins"), [("401 No", AuthenticationError, 1), ("503 No", ServerError, 3)]
)
def test_logins_that_fail(connect, office, status, error, logins):
    """
    The push itself has not begun, whatever becomes of the login.
    """
    site = office()
    site.login = answer(b'{"error":"at night"}', status=status)
    client = connect(site.server.url, profile=ApiProfile(auth=Login()), retries=2)

    with pytest.raises(error) as info:
        client.push_sales(batch(), idempotency_key="k")

    assert info.value.delivery is Delivery.NOT_SENT
    assert info.value.detail == "at night"
    assert site.paths == ["login"] * logins


def test_login_that_can_not_be_reached(connect, office, server):
    """
    A login elsewhere that gets no answer is an error of the network.
    """
    site = office()
    with server.refusing():
        client = connect(
            site.server.url, profile=ApiProfile(auth=Login(f"{server.url}/login")), retries=1
        )
        with pytest.raises(ConnectError) as info:
            client.push_sales(batch(), idempotency_key="k")

    assert info.value.delivery is Delivery.NOT_SENT
    assert site.paths == []


@pytest.mark.parametrize("url", ["http://other.example/login", "login", "ftp://x/", "https://"])
def test_logins_at_odd_addresses(connect, office, url):
    """
    A password is sent to a plain address, and never in clear beyond loopback.
    """
    site = office()

    with pytest.raises(ConfigurationError, match=r"ApiProfile\.auth|plain URL"):
        connect(site.server.url, profile=ApiProfile(auth=Login(url))).health()

    assert site.paths == []


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'{"token":null,"x":1}'])
def test_auths_that_raise(connect, office, body):
    """
    What an `Auth` raises is an error of the client, without the key.
    """
    site = office()
    site.login = answer(body)

    with pytest.raises((ConfigurationError, AuthenticationError)) as info:
        connect(site.server.url, profile=ApiProfile(auth=Login()), api_key=CANARY).health()

    assert info.value.delivery in (Delivery.NOT_SENT, Delivery.REJECTED)
    assert traces(CANARY, *everything_about(info.value)) == []


def test_auth_that_logs_in_for_ever(connect, office):
    """
    A flow without an end ends.
    """

    class Endless(Login):
        def flow(self, key):
            while True:
                yield AuthRequest(url="/login", body=b"{}")

    site = office()
    site.login = answer(b"{}")

    with pytest.raises(ConfigurationError, match="more than 10 logins"):
        connect(site.server.url, profile=ApiProfile(auth=Endless())).health()


def test_tokens_are_secret(connect, office, caplog):
    """
    A token that is echoed, raised or logged is redacted as the key is.
    """
    caplog.set_level("DEBUG")
    site = office()
    site.good = "another"
    site.tokens = iter([CANARY] * 9)
    echo = answer(json.dumps({"error": f"no {CANARY}"}).encode(), status="422 No")
    site.server._script = lambda send: send(site.answer() if site.paths == ["login"] else echo)
    auth = Login()

    with pytest.raises(Exception, match=re.escape("no ***")) as info:
        connect(site.server.url, profile=ApiProfile(auth=auth)).health()

    logged = [it.getMessage() for it in caplog.records if not it.name.startswith("httpcore")]
    assert auth.token == CANARY
    assert traces(CANARY, *everything_about(info.value), *logged) == []
    assert CANARY not in repr(ApiProfile(auth=auth))


@pytest.mark.case("B11", "`Authorization: Bearer` is wanted", "`ApiProfile(auth_scheme=…)`")
@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (ApiProfile(), b"X-API-Key: "),
        (ApiProfile(api_key_header="X-Token"), b"X-Token: "),
        (ApiProfile(auth_scheme="Bearer"), b"Authorization: Bearer "),
        (ApiProfile(auth_scheme="Token", api_key_header="X-Auth"), b"X-Auth: Token "),
    ],
)
def test_headers_of_the_key(connect, raw_server, profile, field):
    """
    The key is in the header that the profile says, with its scheme.
    """
    server = raw_server(WELL)

    assert connect(server.url, profile=profile, api_key=CANARY).health().ok

    head = server.requests[0]
    assert b"\r\n" + field + CANARY.encode() + b"\r\n" in head
    assert head.count(CANARY.encode()) == 1


@pytest.mark.case("B11", 'A health check says `{"status":"UP"}`', "`healthy_statuses` names it")
@pytest.mark.parametrize(
    ("words", "body", "ok"),
    [
        (None, {"success": True, "data": {"status": "ok"}}, True),
        (None, {"success": True, "data": {"status": "UP"}}, False),
        (None, {"status": "ok"}, False),
        (None, {"success": True, "status": "ok"}, False),
        (("UP",), {"status": "UP"}, True),
        ("UP", {"status": "up"}, True),
        (("UP",), {"success": True, "data": {"status": "UP"}}, True),
        (("UP",), {"success": False, "data": {"status": "UP"}}, False),
        (("UP",), {"success": False, "status": "UP"}, False),
        (("UP",), {"status": "DOWN"}, False),
        (("UP",), {}, False),
        (("ok", "pass"), {"status": "pass"}, True),
    ],
)
def test_healthy_statuses(connect, raw_server, words, body, ok):
    """
    Without them, only the documented answer is healthy.
    """
    server = raw_server(answer(json.dumps(body).encode()))

    health = connect(server.url, profile=ApiProfile(healthy_statuses=words)).health()

    assert health.ok is ok
    assert health.status != "None"


@pytest.mark.case("B11", "A push is answered 202", "`push_success_statuses` admits it")
@pytest.mark.parametrize(
    "body", [b'{"success":true}', b"", b'{"success":true,"note":"%s"}' % (b"x" * 100_000)]
)
def test_push_success_statuses(connect, raw_server, body):
    """
    A status that the profile names is a success, also without a body.
    """
    server = raw_server(answer(body, status="202 Accepted"))
    profile = ApiProfile(push_success_statuses=(202,))

    receipt = connect(server.url, profile=profile).push_sales(batch(), idempotency_key="k")

    assert (receipt.accepted, receipt.rejected, receipt.complaint) == (None, (), None)
    with pytest.raises(EnvelopeError) as info:
        connect(server.url).push_sales(batch(), idempotency_key="k")
    assert info.value.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize(
    "raw",
    [
        answer(b'{"success":false,"error":"no"}', status="202 Accepted"),
        answer(b"{}", status="202 Accepted"),
        answer(b"", status="200 OK"),
    ],
)
def test_pushes_that_are_still_not_taken(connect, raw_server, raw):
    """
    What the body says counts; an empty 200 is no assent.
    """
    profile = ApiProfile(push_success_statuses=(200, 202))

    with pytest.raises(EnvelopeError) as info:
        connect(raw_server(raw).url, profile=profile).push_sales(batch(), idempotency_key="k")

    assert info.value.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize(
    "fields",
    [
        {"Authorization": "caf\u00e9"},
        {"Authorization": "one\r\nX: two"},
        {"Authorization": ""},
        {"Authorization": " x"},
        {"Odd name": "x"},
        {"": "x"},
        {"Authorization": None},
        {"Authorization": b"x"},
        None,
        "x",
    ],
)
def test_fields_that_can_not_be_sent(connect, raw_server, fields):
    """
    What an `Auth` returns is checked before anything is sent.
    """

    class Odd(Login):
        def flow(self, key):
            return fields

    server = raw_server(WELL)

    with pytest.raises(ConfigurationError, match=r"ApiProfile\.auth") as info:
        connect(server.url, profile=ApiProfile(auth=Odd())).push_sales(batch(), idempotency_key="k")

    assert info.value.delivery is Delivery.NOT_SENT
    assert server.requests == []


def test_refused_that_raises(connect, raw_server):
    """
    An exception of `refused` is an error of the client as well.
    """

    class Odd(Login):
        def flow(self, key):
            return {"Authorization": "x"}

        def refused(self):
            raise ZeroDivisionError

    client = connect(raw_server(ENDED).url, profile=ApiProfile(auth=Odd()))

    for call in (client.health, client.fetch_items):
        with pytest.raises(ConfigurationError, match=r"ApiProfile\.auth failed: ZeroDivision"):
            call()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"auth_scheme": "Bearer\r\nX: y"}, "auth_scheme must be one word"),
        ({"auth_scheme": ""}, "auth_scheme must be one word"),
        ({"api_key_header": "X-K\u00e9y"}, "api_key_header must be one word"),
        ({"idempotency_header": "X Y"}, "idempotency_header must be one word"),
        ({"push_success_statuses": (200, 409)}, "push_success_statuses must be from 200 to 299"),
        ({"push_success_statuses": ()}, "push_success_statuses must be from 200 to 299"),
        ({"push_success_statuses": ("200",)}, "push_success_statuses must be from 200 to 299"),
    ],
)
def test_profiles_that_can_not_be_used(parts, problem):
    """
    A part that can't be sent, or that would take a refusal for a success, is
    refused when the profile is made.
    """
    with pytest.raises(ConfigurationError, match=problem):
        ApiProfile(**parts)
