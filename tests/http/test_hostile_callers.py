"""
Callers who mean no good, or are just very slow, over real sockets: the others
are answered all the same.
"""

import http.client
import threading
import time
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest

from conexxus_sync.http import PREFIX, Answer, Route, create_app
from conexxus_sync.http._server import serving


def end_of(sock):
    """
    All that comes until the other side hangs up.
    """
    received = b""

    try:
        while data := sock.recv(65_536):
            received += data
    except ConnectionError:
        pass

    return received


def drip(sock, data):
    """
    Send *data* a byte at a time, until the other side has hung up.
    """
    try:
        for at in range(len(data)):
            sock.sendall(data[at : at + 1])
            time.sleep(0.01)
    except OSError:
        return


def asked(url, path="/integrations/conexxus/health"):
    """
    How many seconds an answer took, over a connection of its own.
    """
    parts = urlsplit(url)
    began = time.monotonic()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == 200

    return time.monotonic() - began


def test_body_that_does_not_arrive(service, connect):
    """
    A body has to arrive in time, too; nothing is started without it.
    """
    started = []
    route = Route("POST", "/act", lambda _: started.append(1) or Answer({}), body_seconds=0.2)
    app = create_app(service, routes=[route])
    head = "POST /act HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n{"

    with serving(app, "127.0.0.1", 0) as url, connect(url) as sock:
        sock.sendall(head.encode())
        received = end_of(sock)

    assert received.startswith(b"HTTP/1.1 408 ")
    assert not started


def test_endless_body(url, connect):
    """
    A body that is too long is refused at once, announced or not, and what
    still comes of it is not waited for.
    """
    head = f"POST {PREFIX}/push HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"

    with connect(url) as sock:
        sock.sendall(head.encode() + chunk * 3)
        threading.Thread(target=drip, args=(sock, chunk)).start()
        received = end_of(sock)

    assert received.startswith(b"HTTP/1.1 413 ")


def test_caller_who_does_not_read(url, connect):
    """
    A caller that asks and asks and never reads the answers is no longer read
    from, and holds up only itself.
    """
    request = f"GET {PREFIX}/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    with connect(url) as sock:
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):  # noqa: PT012  # whichever of the requests it is
            while True:
                sock.sendall(request * 100)

        assert asked(url) < 5


@pytest.mark.parametrize(
    "head",
    [
        ["GET /health HTTP/1.1", "Host: localhost", "X-Long: " + "x" * 70_000],
        ["GET /" + "x" * 70_000 + " HTTP/1.1", "Host: localhost"],
        ["GET /health HTTP/1.1", "Host: localhost", *(f"X-{n}: x" for n in range(10_000))],
        ["GET /health HTTP/1.1", "Host: localhost", "Content-Length: 1", "Content-Length: 2"],
        ["GET /health HTTP/1.1", "Host: localhost", "Transfer-Encoding: gzip"],
        ["GET /health HTTP/1.1", "Host : localhost"],
        ["GET /he\x00alth HTTP/1.1", "Host: localhost"],
        ["nonsense"],
        ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ],
    ids=range(9),
)
def test_heads_that_are_none(url, exchange, head, caplog):
    """
    What is too long, ambiguous, or no HTTP at all is answered in the 400s,
    and does not fill the log.
    """
    status, *_ = exchange(url, *head)

    assert status in (400, 431, 501)
    assert not caplog.records


def test_the_end_does_not_wait_for_a_slow_answer(service, connect, monkeypatch, caplog):
    """
    A server that is stopped answers whom it can't serve any more, and is not
    held up by a back office that is slow.
    """
    begun, go_on = threading.Event(), threading.Event()
    check = service.test_connection
    monkeypatch.setattr(
        service, "test_connection", lambda: (begun.set(), go_on.wait(60), check())[-1]
    )
    request = f"GET {PREFIX}/test-connection HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with ExitStack() as stack:
        with serving(create_app(service), "127.0.0.1", 0) as url:
            sock = stack.enter_context(connect(url))
            sock.sendall(request.encode())
            assert begun.wait(30)
        received = end_of(sock)
        assert not go_on.is_set()
        go_on.set()

    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"try again later" in received
    assert not [record for record in caplog.records if record.exc_info]


def test_whole_url_as_target(url, exchange):
    """
    A target may be a whole URL, as proxies write it.
    """
    for target in (f"{url}/health", f"{url}/health?x=1", "http://localhost/health"):
        assert exchange(url, f"GET {target} HTTP/1.1", "Host: localhost")[0] == 200

    status, _, body = exchange(url, "GET http://localhost HTTP/1.1", "Host: localhost")
    assert (status, body) == (404, b'{"error": "There is nothing at this path."}')


def test_many_idle_slow_and_greedy_callers(service, connect):
    """
    2,000 silent connections, 50 heads that drip and bodies of a megabyte: the
    others are answered soon.
    """
    with serving(create_app(service), "127.0.0.1", 0) as url, ExitStack() as stack:
        idle = [stack.enter_context(connect(url)) for _ in range(2_000)]
        slow = [stack.enter_context(connect(url)) for _ in range(50)]
        over = threading.Event()
        noise = [
            threading.Thread(target=keep_dripping, args=(slow, over)),
            threading.Thread(target=keep_uploading, args=(url, over)),
        ]
        for thread in noise:
            thread.start()

        took = [asked(url) for _ in range(20)]
        over.set()
        for thread in noise:
            thread.join()

    assert len(idle) == 2_000
    assert sorted(took)[len(took) // 2] < 1
    assert max(took) < 5


def keep_dripping(socks, over):
    while not over.wait(0.05):
        for sock in socks:
            with suppress(OSError):
                sock.sendall(b"G")


def keep_uploading(url, over):
    parts = urlsplit(url)

    while not over.is_set():
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        try:
            connection.request("POST", f"{PREFIX}/push", body=b"x" * 1_000_000)
            assert connection.getresponse().status in (413, 429)
        except ConnectionError:
            pass  # the answer came, and the rest was not waited for
        finally:
            connection.close()
