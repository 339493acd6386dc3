"""
What answers that are read as a whole mean, word for word.
"""

import json

import pytest

from conexxus_client import (
    ApiHealth,
    ApiProfile,
    DecodeError,
    EnvelopeError,
    Headers,
    PushReceipt,
    RejectedTransaction,
)
from conexxus_client._calls._response_reader import (
    error_detail,
    read_health,
    read_receipt,
    rejected_transactions,
)
from conexxus_client._calls._wire_types import Response


PROFILE = ApiProfile()


def response(body, *, status=200, **fields):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=Headers(fields), body=raw, seconds=0.25)


@pytest.mark.case(
    "B10",
    "A byte order mark before a health answer, a receipt or an error",
    "it is passed over, as before a catalogue",
)
def test_byte_order_mark():
    """
    A byte order mark is no part of an answer, whatever that is.
    """
    marked = {
        name: response(b"\xef\xbb\xbf" + json.dumps(body).encode())
        for name, body in {
            "health": {"success": True, "data": {"status": "ok"}},
            "receipt": {"success": True, "data": {"accepted": 2}},
            "error": {"error": "no", "rejected": [{"id": "t1", "error": "bad"}]},
        }.items()
    }

    assert read_health(marked["health"], PROFILE).ok is True
    assert read_receipt(marked["receipt"], PROFILE).accepted == 2
    assert error_detail(marked["error"]) == "no"
    assert [it.id for it in rejected_transactions(marked["error"])] == ["t1"]


def test_nothing_but_a_byte_order_mark():
    """
    An answer that is a byte order mark alone is empty.
    """
    with pytest.raises(EnvelopeError, match="the answer is empty"):
        read_receipt(response(b"\xef\xbb\xbf"), PROFILE)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "a", "message": "b", "detail": "c", "title": "d"}, "a"),
        ({"message": "b", "detail": "c", "title": "d"}, "b"),
        ({"detail": "c", "title": "d"}, "c"),
        ({"title": "d"}, "d"),
        ({"error": {"message": "inner", "code": 7}}, "inner"),
        ({"error": {"code": 7}, "message": "b"}, "b"),
        ({"error": "", "message": "b"}, "b"),
        ({"error": 5}, '{"error": 5}'),
        ({}, None),
        ({"error": "two\nlines \x1b[31m"}, "two lines [31m"),
        ({"error": "x" * 600}, "x" * 199 + "…"),
        ([1], None),
        ("text", "text"),
        (b"<h1>no</h1>", "an HTML page: no"),
        (b"x" * 201, "x" * 199 + "…"),
        (b"  ", None),
        (b"", None),
    ],
)
def test_details(body, said):
    """
    An error's body is searched for the words that explain it.
    """
    assert error_detail(response(body)) == said


A = RejectedTransaction(id="a", error="no")
B = RejectedTransaction(id="b", error="no further explanation")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"rejected": [{"id": "a", "error": "no"}]}, (A,)),
        ({"data": {"rejected": [{"id": "a", "error": "no"}, {"id": "b"}]}}, (A, B)),
        ({"data": {"rejected": [{"id": "a", "error": "no"}]}, "rejected": [{"id": "b"}]}, (A, B)),
        ({"data": {}, "rejected": [{"id": "b"}]}, (B,)),
        ({"data": [], "rejected": [{"id": "b"}]}, (B,)),
        ({"rejected": "all"}, ()),
        ({"rejected": [{"error": "no"}]}, ()),
        ({"rejected": [5]}, ()),
        ({}, ()),
        ([], ()),
        (b"no JSON", ()),
    ],
)
def test_the_blamed(body, named):
    """
    The transactions that a refusal blames, wherever it names them.
    """
    assert rejected_transactions(response(body)) == named


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        ({"success": True}, PushReceipt(request_id="r")),
        ({"success": True, "data": None}, PushReceipt(request_id="r")),
        ({"success": True, "data": [1]}, PushReceipt(request_id="r")),
        ({"success": True, "data": {"accepted": 0}}, PushReceipt(accepted=0, request_id="r")),
        (
            {"success": True, "data": {"accepted": 3, "rejected": [{"id": "a", "error": "no"}]}},
            PushReceipt(accepted=3, rejected=(A,), request_id="r"),
        ),
    ],
)
def test_receipts(body, receipt):
    """
    What the back office took is what its answer says.
    """
    assert read_receipt(response(body, **{"X-Request-Id": "r"}), PROFILE) == receipt


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        (b"", EnvelopeError, "the answer is empty (status 200)"),
        ([], EnvelopeError, "the answer is no envelope, like {'success': true, …}"),
        (
            {"error": "closed"},
            EnvelopeError,
            "the back office did not confirm the push: closed",
        ),
        (
            {"success": 1},
            EnvelopeError,
            "the back office did not confirm the push: no further explanation",
        ),
        (
            {"success": True, "data": {"accepted": "3"}},
            EnvelopeError,
            "the back office's `accepted` is not a count",
        ),
        (
            {"success": True, "data": {"accepted": True}},
            EnvelopeError,
            "the back office's `accepted` is not a count",
        ),
    ],
)
def test_what_is_no_receipt(body, error, text):
    """
    An answer that confirms nothing says what is wrong with it.
    """
    with pytest.raises(error) as info:
        read_receipt(response(body), PROFILE)

    assert str(info.value) == text


def test_health():
    """
    Well is who says success and ok; what else it says is kept short.
    """
    good = response({"success": True, "data": {"status": "ok"}})
    long = response({"success": True, "data": {"status": "x" * 300}})
    unwell = response({"success": True, "data": {"status": "degraded"}})
    unsuccessful = response({"success": False, "data": {"status": "ok"}})

    assert read_health(good, PROFILE) == ApiHealth(ok=True, status="ok", latency=0.25)
    assert read_health(long, PROFILE).status == "x" * 100
    assert read_health(unwell, PROFILE).ok is False
    assert read_health(unsuccessful, PROFILE).ok is False
    assert read_health(response({}), PROFILE) == ApiHealth(
        ok=False, status="no status", latency=0.25
    )
    with pytest.raises(DecodeError):
        read_health(response(b"<html>"), PROFILE)
