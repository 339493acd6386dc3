"""
Answers that are no valid HTTP: named, with the place, and not asked for again.
"""

import threading

import pytest

from conexxus_client import Delivery, ProtocolError

from .matrix.row import answer
from .matrix.test_matrix import batch


BODY = b'{"success":true,"data":{"status":"ok"}}'
CHUNKED = "Transfer-Encoding: chunked"

INVALID = {
    "blank before the colon": (answer(BODY, "X-Powered-By : PHP"), "X-Powered-By : PHP"),
    "field without a colon": (answer(BODY, "nonsense"), "nonsense"),
    "status line of HTTP/2": (b"HTTP/2 200\r\n\r\n", "HTTP/2 200"),
    "status that is no number": (b"HTTP/1.1 OK 200\r\n\r\n", "HTTP/1.1 OK 200"),
    "status out of range": (b"HTTP/1.1 099 Odd\r\n\r\n", "99"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "SSH-2.0-OpenSSH_9.2"),
    "a line of another protocol": (b"220 mail.example ESMTP\r\n", "220 mail.example ESMTP"),
    "a body alone": (BODY, 'status line: \'{"success"'),
    "a page alone": (b"<html>hello</html>", "<html>hello</html>"),
    "no text": (b"\x00\x01\x02\r\n\r\n", "illegal status line"),
    "negative length": (answer(BODY, "Content-Length: -1", length=False), "bad Content-Length"),
    "two lengths": (answer(BODY, "Content-Length: 5"), "conflicting Content-Length"),
    "two transfer encodings": (
        answer(BODY, CHUNKED, CHUNKED, length=False),
        "multiple Transfer-Encoding",
    ),
    "chunk without a size": (answer(b"zz\r\nxx\r\n", CHUNKED, length=False), "zz"),
    "chunk without an end": (
        answer(b"1\r\n[]x0\r\n", CHUNKED, length=False),
        r"malformed chunk footer: ']x' (expected '\r\n').",
    ),
}


@pytest.mark.case("B2", "An answer is no valid HTTP", "`ProtocolError`, with the place; no retry")
@pytest.mark.parametrize("what", INVALID)
def test_answers_that_are_no_http(connect, raw_server, what):
    """
    The error says that it is no valid HTTP, and where; nothing is sent again.
    """
    raw, where = INVALID[what]
    server = raw_server(raw)
    client = connect(server.url, retries=2)

    for call in (client.health, client.fetch_items):
        server.requests.clear()
        with pytest.raises(ProtocolError) as info:
            call()
        assert "no valid HTTP" in str(info.value)
        assert where in str(info.value)
        assert "bytearray" not in str(info.value)
        assert len(server.requests) == 1


@pytest.mark.case("B2", "So is the answer to a push", "its delivery is `unknown`")
@pytest.mark.parametrize("what", INVALID)
def test_pushes_that_are_answered_so(connect, raw_server, what):
    """
    The sales may have arrived: their fate is unknown, and no retry is made.
    """
    server = raw_server(INVALID[what][0])

    with pytest.raises(ProtocolError) as info:
        connect(server.url, retries=2).push_sales(batch(), idempotency_key="k")

    assert info.value.delivery is Delivery.UNKNOWN
    assert info.value.retryable is False
    assert len(server.requests) == 1


def test_length_of_what_is_shown(connect, raw_server):
    """
    Of a line that is no HTTP, the message shows the beginning, legibly.
    """
    server = raw_server(b"\x1b[31m" + b"x" * 9_000 + b"\r\n\r\n")

    with pytest.raises(ProtocolError) as info:
        connect(server.url).health()

    assert len(str(info.value)) < 300
    assert str(info.value).isprintable()


@pytest.mark.case("B2", "The port is that of another protocol, which waits", "it is named at once")
def test_servers_that_go_on_waiting(connect, raw_server):
    """
    A server that greets and waits for more is no slow back office.
    """

    def greet(send):
        send(b"SSH-2.0-OpenSSH_9.2\r\n")
        waiting.wait(30)

    waiting = threading.Event()
    server = raw_server(greet)

    try:
        with pytest.raises(ProtocolError, match="illegal status line: 'SSH-2"):
            connect(server.url).health()
    finally:
        waiting.set()
