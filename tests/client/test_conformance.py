"""
The rules of the wire contract: good back offices keep them, each broken one breaks its own.
"""

import json
from contextlib import contextmanager

import attrs
import pytest

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient
from conexxus_client._calls._wire_types import Headers
from conexxus_client.conformance import RuleOutcome, check_reading, check_writing
from conexxus_client.testing import BackOffice, SandboxTransport


ITEMS = [{"sku": f"S{number}", "name": f"Item {number}", "price": 1.25} for number in range(5)]
REFUSED = {"reject": lambda sale: "unknown SKU" if "bad" in sale.id else None}
WITH_SUMMARY = ApiProfile(summary_path="/api/v1/sales/summary")


class Altered:
    """
    A transport that changes answers on their way.
    """

    def __init__(self, office, change):
        self._inner = SandboxTransport(office)
        self._change = change

    @contextmanager
    def open(self, request, limits):
        with self._inner.open(self._change.request(request), limits) as reply:
            answer = Answer(reply.status, dict(reply.headers), b"".join(reply.chunks()))
            yield self._change.answer(request, answer).reply()

    def close(self):
        self._inner.close()


@attrs.define
class Answer:
    status: int
    headers: dict
    body: bytes

    def reply(self):
        return Reply(self.status, Headers(self.headers), self.body)

    @property
    def json(self):
        return json.loads(self.body)

    @json.setter
    def json(self, value):
        self.body = json.dumps(value).encode()
        self.headers.pop("content-length", None)


@attrs.define
class Reply:
    status: int
    headers: Headers
    body: bytes

    def chunks(self):
        yield self.body


class Good:
    """
    Changes nothing.
    """

    def request(self, request):
        return request

    def answer(self, request, answer):
        return answer


class Catalogue(Good):
    """
    Changes the elements of each catalogue that is read.
    """

    reads = 0

    def answer(self, request, answer):
        if request.path.endswith("/items") and answer.status == 200:
            self.reads += 1
            document = answer.json
            self.change(document)
            answer.json = document
        return answer

    def change(self, document):
        raise NotImplementedError


class Down(Good):
    def answer(self, request, answer):
        if request.path.endswith("/health"):
            answer.json = {"success": True, "data": {"status": "starting"}}
        return answer


class Open(Good):
    def request(self, request):
        key = request.secret_headers[0][0]
        good = type(request.secret_headers[0][1])("sandbox-key")
        return attrs.evolve(request, secret_headers=((key, good),))


class Empty(Catalogue):
    def change(self, document):
        document["data"] = []


class Miscounted(Catalogue):
    def change(self, document):
        document["total"] = 7


class Nameless(Catalogue):
    def change(self, document):
        del document["data"][2]["name"]


class Twice(Catalogue):
    def change(self, document):
        document["data"].append(document["data"][0])


class Shuffled(Catalogue):
    def change(self, document):
        if self.reads % 2:
            document["data"].reverse()


class Forgetful(Good):
    """
    Gives an ETag, and knows none.
    """

    def request(self, request):
        headers = tuple(it for it in request.headers if it[0].lower() != "if-none-match")
        return attrs.evolve(request, headers=headers)


class Stubborn(Good):
    """
    Takes every version for the newest.
    """

    def answer(self, request, answer):
        if any(name.lower() == "if-none-match" for name, _ in request.headers):
            return Answer(304, answer.headers, b"")
        return answer


class Late(Good):
    def answer(self, request, answer):
        answer.headers["date"] = "Fri, 02 Jan 2026 10:00:00 GMT"
        return answer


class NoSales(Good):
    def answer(self, request, answer):
        if request.path.endswith("/push") and b"-1" in request.body:
            answer.json = {"success": True, "data": {"accepted": 0}}
        return answer


class Conflict(Good):
    """
    Refuses a batch that it has.
    """

    def answer(self, request, answer):
        if "idempotent-replayed" in answer.headers:
            answer.json = {
                "success": True,
                "data": {
                    "accepted": 0,
                    "rejected": [
                        {
                            "id": json.loads(request.body)["transactions"][0]["id"],
                            "error": "duplicate",
                        }
                    ],
                },
            }
        return answer


def office_of(**options):
    return BackOffice(ITEMS, **options)


def results(office, change, profile=WITH_SUMMARY):
    config = ClientConfig(api_url="http://localhost", api_key="sandbox-key", retries=0)

    def client(key=None):
        named = config if key is None else attrs.evolve(config, api_key=key)
        return ConexxusClient(named, transport=Altered(office, change), profile=profile)

    found = [*check_reading(client(), with_key=client)]
    found += check_writing(client(), location_id="TEST-1", sku="S0", profile=profile)
    return found


def broken(found):
    return [it.rule for it in found if it.outcome is RuleOutcome.BROKEN]


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        (REFUSED, WITH_SUMMARY),
        ({"dedupe": "transaction_id"}, attrs.evolve(WITH_SUMMARY, dedupe="transaction_id")),
        ({**REFUSED, "reject_mode": "batch"}, ApiProfile()),
    ],
    ids=["keys", "ids", "without a summary"],
)
def test_good_back_offices(options, profile):
    """
    What the contract leaves open breaks no rule.
    """
    found = results(office_of(profile=profile, **options), Good(), profile)

    assert broken(found) == []
    assert sum(it.outcome is RuleOutcome.KEPT for it in found) >= 10


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (Down, "health", "health says 'starting'"),
        (Open, "wrong key", "a wrong key reads the catalogue"),
        (Empty, "catalogue", "the catalogue is empty"),
        (Miscounted, "catalogue", "it has 7 items, but 5 came"),
        (Nameless, "items", "1 of 5 items can't be read: S2: "),
        (Twice, "unique SKUs", "1 SKUs come more than once: S0"),
        (Shuffled, "same catalogue twice", "the same items in another order"),
        (Forgetful, "ETag of the version at hand", "must be answered with 304"),
        (Stubborn, "ETag of another version", "changes would be missed"),
        (Late, "clock", "differ by"),
        (NoSales, "sale", "that 0 were accepted"),
        (Conflict, "repeated key", "must be answered as before"),
    ],
)
def test_broken_answers(change, rule, said):
    """
    A back office that breaks one rule breaks no other.
    """
    found = results(office_of(profile=WITH_SUMMARY, **REFUSED), change())
    (message,) = [it.message for it in found if it.rule == rule]

    assert broken(found) == [rule]
    assert said in message


@pytest.mark.parametrize(
    ("options", "profile", "rule", "said"),
    [
        ({"dedupe": "none", **REFUSED}, WITH_SUMMARY, "repeated key", "was booked 2 times"),
        (
            {"dedupe": "key", **REFUSED},
            attrs.evolve(WITH_SUMMARY, dedupe="transaction_id"),
            "repeated id",
            "was booked 2 times",
        ),
        ({**REFUSED, "reject_mode": "blind"}, WITH_SUMMARY, "bad sale", "names no sale"),
    ],
)
def test_broken_books(options, profile, rule, said):
    """
    What is wrong in the books is seen by the summary, or by the refusal.
    """
    found = results(office_of(profile=profile, **options), Good(), profile)
    (message,) = [it.message for it in found if it.rule == rule]

    assert broken(found) == [rule]
    assert said in message


def test_unreadable_catalogue():
    """
    A catalogue that can't be read is said once.
    """

    class Page(Good):
        def answer(self, request, answer):
            if request.path.endswith("/items") and answer.status == 200:
                answer.body = b"<html>Sign in</html>"
            return answer

    found = results(office_of(profile=WITH_SUMMARY, **REFUSED), Page())

    assert broken(found) == ["catalogue"]
