"""
What a back office says is wrong, in the forms that are in use.
"""

import copy
import pickle
import traceback

import pytest

from canary import CANARY, everything_about, traces
from conexxus_client import ConexxusError, EnvelopeError, StatusError
from conexxus_client._codec._server_message import MAX_MESSAGE, page_message, server_message

from .matrix.row import answer
from .matrix.test_matrix import batch
from .well_known import ANSWERS


MESSAGES = [
    ({"error": "closed"}, "closed"),
    ({"errors": "all is wrong"}, "all is wrong"),
    ({"errors": ["a is wrong", "b is wrong"]}, "a is wrong; b is wrong"),
    ({"errors": [{"detail": "sku is unknown"}] * 9}, "sku is unknown"),
    ({"errors": ["a", "b", "c"]}, "a; b; c"),
    ({"errors": ["a", "b", "c", "d", "e"]}, "a; b; c; …"),
    ({"message": "Not accepted:", "errors": ["no date"]}, "Not accepted: no date"),
    ({"message": "no date", "errors": ["no date, no id"]}, "no date, no id"),
    ({"message": "E_CLOSED", "errors": {"detail": "the store is closed"}}, "the store is closed"),
    ({"error": {"message": "quota"}}, "quota"),
    ({"error": {"errors": [{"message": "quota", "reason": "x"}], "message": "quota"}}, "quota"),
    ({"error": "E_CLOSED", "message": "the store is closed"}, "the store is closed"),
    ({"error": "Bad Request", "message": "Failed", "detail": "no date"}, "no date"),
    ({"success": False, "error_msg": "closed"}, "closed"),
    ({"error-message": "closed"}, "closed"),
    ({"failureReason": "closed"}, "closed"),
    ({"messages": ["a is wrong", "b is wrong"]}, "a is wrong; b is wrong"),
    ({"status": {"code": 3, "message": "closed"}}, "closed"),
    ({"response": {"result": {"errorText": "closed"}}}, "closed"),
    ({"Message": "Denied for this request."}, "Denied for this request."),
    ({"success": False, "data": {"error": "closed"}}, "closed"),
    ({"error": "line\none\x1b[31m"}, "line one [31m"),
    ({"success": True, "data": {"status": "ok"}}, None),
    *[(nothing, None) for nothing in ({}, [], None, 5, True, {"error": {"code": 5}}, {"error": 1})],
]


@pytest.mark.parametrize(("body", "said"), MESSAGES)
def test_messages(body, said):
    """
    The text that helps most is found; a code or a phrase is the last resort.
    """
    assert server_message(body) == said


def test_length_and_depth():
    """
    Long, deep or wide: the message stays short, and is found in time.
    """
    deep: object = "x"
    for _ in range(90):
        deep = {"error": deep}

    assert server_message({"error": "x" * MAX_MESSAGE}) == "x" * MAX_MESSAGE
    assert len(server_message({"error": "x" * 100_000})) == MAX_MESSAGE
    assert len(server_message({"errors": [{"detail": "y" * 900}] * 10_000})) == MAX_MESSAGE
    assert server_message(deep) is None


@pytest.mark.parametrize("within", [lambda it: {"error": it}, lambda it: [it]], ids=["{}", "[]"])
def test_deepest_message(within):
    """
    Below seven levels nothing is looked for.
    """
    body = "closed"
    for _ in range(7):
        body = within(body)

    assert server_message(body) == "closed"
    assert server_message(within(body)) is None


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"<html><p>\xff gone", "an HTML page: \ufffd gone"),
        (b"<html><script>x</script></html>", "an HTML page"),
        (b"<html><b>a</b><!-- x --><b>b</b>", "an HTML page: a b"),
        (b"<note>a</note>", "a document: a"),
    ],
)
def test_words_of_a_page(page, said):
    """
    What a browser would show, on one line.
    """
    assert page_message(page) == said


def said_of(call):
    """
    The error of *call*.
    """
    with pytest.raises(ConexxusError) as info:
        call()
    return info.value


@pytest.mark.case("B3", "Seventeen well-known systems say no", "what they say is in the error")
@pytest.mark.parametrize("known", ANSWERS, ids=lambda it: it.name)
def test_well_known_answers(connect, raw_server, known):
    """
    A person reads what the system said, after the first sentence of the
    documentation.
    """
    client = connect(raw_server(known.raw).url, retries=0)

    error = said_of(lambda: client.push_sales(batch(), idempotency_key="k"))

    assert error.explanation == known.sentence
    assert error.explanation.startswith(str(error))
    assert error.attempts[-1].message == known.sentence
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert twin.explanation == known.sentence


@pytest.mark.parametrize("known", ANSWERS, ids=lambda it: it.name)
def test_well_known_answers_to_other_calls(connect, raw_server, known):
    """
    The same of health and of a catalogue; nothing printed is a Python object.
    """
    client = connect(raw_server(known.raw).url, retries=0)

    for call in ("health", "fetch_items"):
        if call == "health" and known.name.startswith("GraphQL"):
            # It answers; but it does not say that it is well.
            assert client.health().ok is False
            continue
        error = said_of(getattr(client, call))
        assert not {"{'", "[{", "None"} & set(error.explanation.split())
        assert error.explanation.isprintable()
        if isinstance(error, StatusError):
            assert error.detail in error.explanation
    assert client.test_connection().success is False


@pytest.mark.case("B3", "A page for browsers answers with 200", "it is named as one")
def test_pages_instead_of_a_catalogue(connect, raw_server):
    """
    A page that stands for the catalogue is named with its title.
    """
    server = raw_server(answer(b"\n<!DOCTYPE HTML><title>Wi-Fi</title>"))

    error = said_of(connect(server.url, retries=0).fetch_items)

    assert "found an HTML page: Wi-Fi. A login page of the network" in str(error)


@pytest.mark.case("B3", "A complaint has no text", "it is shown as JSON, and short")
def test_complaints_without_a_text(connect, raw_server):
    """
    No Python dict is printed.
    """
    server = raw_server(answer(b'{"success":true,"error":{"code":[17,null,true]}}'))

    receipt = connect(server.url).push_sales(batch(), idempotency_key="k")

    assert receipt.complaint == '`error` is {"code":[17,null,true]}'


def test_envelope_without_success(connect, raw_server):
    """
    A catalogue without success is explained as a push is.
    """
    body = b'{"success":false,"errors":[{"detail":"no such store"}],"data":null}'
    server = raw_server(answer(body))

    error = said_of(connect(server.url, retries=0).fetch_items)

    assert isinstance(error, EnvelopeError)
    assert str(error) == "the back office did not say success: no such store"


@pytest.mark.parametrize("status", ["401 No", "403 No", "404 No", "429 No", "500 No", "400 No"])
@pytest.mark.parametrize(
    "body",
    [
        '{"error":{"message":"key %s"}}',
        '{"errors":[{"detail":"key %s"}]}',
        '{"detail":[{"loc":["%s"],"msg":"bad %s"}]}',
        "<html><title>key %s</title>",
        "key %s",
    ],
)
def test_keys_in_messages(connect, raw_server, status, body):
    """
    A key that is echoed is in no message, note or attempt.
    """
    # Entities of HTML, and the escapes of JSON.
    odd = "".join(f"&#{ord(char)};" for char in CANARY) if "<" in body else CANARY.upper()
    server = raw_server(answer(body.replace("%s", odd).encode(), status=status))
    client = connect(server.url, api_key=CANARY, retries=0)

    error = said_of(client.health)

    assert traces(CANARY, *everything_about(error), error.explanation) == []
    assert "***" in error.explanation


def test_notes(connect, raw_server):
    """
    The traceback of an error that is not caught has what the back office said.
    """
    server = raw_server(answer(b'{"message":"this key ended yesterday"}', status="401 No"))

    error = said_of(connect(server.url).health)

    assert str(error) == "Conexxus API authentication failed. Check API key."
    assert "The answer said: this key ended yesterday" in "".join(traceback.format_exception(error))


@pytest.mark.case(
    "B3", "An error's body is in another alphabet, or says a code only", "it is shown"
)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Gesch\u00e4ft zu".encode("cp1252"), "Gesch\u00e4ft zu"),
        ('{"error":"Gesch\u00e4ft zu"}'.encode("cp1252"), "Gesch\u00e4ft zu"),
        ("The store is closed".encode("utf-16"), "The store is closed"),
        (f'{{"error":"no {CANARY}"}}'.encode("utf-16"), "no ***"),
        (b'\xef\xbb\xbf{"error":"closed"}', "closed"),
        ('{"error":"Gesch\u00e4'.encode()[:-1], '{"error":"Gesch\ufffd'),
        (b'{"success":false,"code":"E_CLOSED"}', '{"success":false,"code":"E_CLOSED"}'),
        (b'{"a":{"b":[{"c":7}]}}', '{"a":{"b":[{"c":7}]}}'),
        (f'{{"code":"{CANARY}"}}'.encode(), '{"code":"***"}'),
        (b'{"success":false,"timestamp":"2026-01-02","data":null}', None),
        (b"[]", None),
    ],
)
def test_bodies_in_other_words(connect, raw_server, body, said):
    """
    What can't be understood is shown as it came, without the key.
    """
    server = raw_server(answer(body, status="403 Forbidden"))

    error = said_of(connect(server.url, api_key=CANARY, retries=0).health)

    assert error.detail == said


@pytest.mark.case("B3", "A piece of HTML, or HTML behind a comment, answers", "it is named as HTML")
@pytest.mark.parametrize(
    "body",
    [
        b"<center><h1>Blocked</h1></center><hr>",
        b"<!-- gateway 7 --><html><title>Blocked</title></html>",
        b"<?xml version='1.0'?>\n<!DOCTYPE html><html><title>Blocked</title></html>",
        b"\xef\xbb\xbf<HTML><title>Blocked</title></HTML>",
    ],
)
def test_pieces_of_pages(connect, raw_server, body):
    """
    In an error, and where another answer should be.
    """
    refusal, page = raw_server(answer(body, status="403 Forbidden")), raw_server(answer(body))

    assert said_of(connect(refusal.url).health).detail == "an HTML page: Blocked"
    for call in ("health", "fetch_items"):
        assert "an HTML page: Blocked." in str(said_of(getattr(connect(page.url), call)))


@pytest.mark.case("B3", "A push is answered 202 or 206", "body and ApiProfile's setting are shown")
def test_another_success(connect, raw_server):
    """
    A status that is not expected comes with what the back office said of it.
    """
    server = raw_server(answer(b'{"message":"queued as job 7"}', status="202 Accepted"))

    error = said_of(lambda: connect(server.url).push_sales(batch(), idempotency_key="k"))

    assert isinstance(error, EnvelopeError)
    assert error.explanation == (
        "the back office answered 202, not with what was asked for. If it takes sales so, add the "
        "status to ApiProfile.push_success_statuses. The answer said: queued as job 7"
    )
