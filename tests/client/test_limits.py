"""
More than we are willing to read is refused before it fills the memory.
"""

import gzip
import json
import socket
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from functools import cache

import pytest
from bombs import bomb

from conexxus_client import (
    ConexxusError,
    ConnectionLostError,
    DecodeError,
    Headers,
    ResponseTooLargeError,
)
from conexxus_client.transports._body_decoder import BodyDecoder

from .matrix.test_matrix import batch


GZIP = "Content-Encoding: gzip\r\n"
ITEMS = json.dumps({"success": True, "data": [{"sku": "A", "name": "a", "price": 1}]}).encode()


def answer(body: bytes, head: str = "", *, length: bool = True) -> bytes:
    size = f"Content-Length: {len(body)}\r\n" if length else ""
    return f"HTTP/1.1 200 OK\r\n{size}{head}\r\n".encode() + body


def chunked(body: bytes, size: int = 1000) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_gzip(connect, raw_server):
    """
    One gzip is undone, in one piece or in many.
    """
    zipped = gzip.compress(ITEMS)
    server = raw_server(answer(zipped, GZIP))
    pieces = raw_server(
        answer(chunked(zipped, 7), GZIP + "Transfer-Encoding: chunked\r\n", length=False)
    )

    assert connect(server.url).fetch_items() == connect(pieces.url).fetch_items()
    assert connect(server.url).fetch_items()[0].sku == "A"


@pytest.mark.case(
    "B8", "`Content-Encoding: x-gzip`, or a gzip of two members", "the answer is read"
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "X-GZIP"])
@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(ITEMS),
        gzip.compress(ITEMS[:20]) + gzip.compress(ITEMS[20:]),
        gzip.compress(ITEMS) + gzip.compress(b""),
        gzip.compress(ITEMS[:20]) + bytes(3) + gzip.compress(ITEMS[20:]) + bytes(512),
    ],
    ids=["one member", "two members", "an empty member", "padding"],
)
def test_gzip_as_others_write_it(body, encoding, size):
    """
    A gzip may have several members, and zeros after each (RFC 1952).
    """
    decoder = BodyDecoder(Headers([("Content-Encoding", encoding)]), 10**6)
    pieces = [decoder.feed(body[at : at + size]) for at in range(0, len(body), size)]

    assert b"".join(it for piece in pieces for it in piece) == ITEMS
    decoder.finish()


@pytest.mark.case("B8", "A gzip has a member for each item", "the answer is read")
def test_member_for_each_item():
    """
    Items of 40 bytes are no members of nothing.
    """
    decoder = BodyDecoder(Headers([("Content-Encoding", "gzip")]), 10**6)
    item = b'{"sku":"4711","name":"a","price":1.50},'

    assert b"".join(decoder.feed(gzip.compress(item) * 5_000)) == item * 5_000
    decoder.finish()


def test_members_of_nothing():
    """
    Members that hold nothing are not undone for ever.
    """
    decoder = BodyDecoder(Headers([("Content-Encoding", "gzip")]), 10**6)

    with pytest.raises(DecodeError, match="small members"):
        list(decoder.feed(gzip.compress(b"") * 1002))


@pytest.mark.case(
    "B8", "Items of fixed width, 200 times smaller as gzip", "they are read: there is no ratio"
)
def test_fixed_width_blanks(connect, raw_server):
    """
    Texts that are filled up with blanks shrink a lot, and are read.
    """
    one = json.dumps({"sku": "%d", "name": "n", "price": 1, "memo": " " * 30_000}).encode()
    body = b"[" + b",".join(one % n for n in range(100)) + b"]"
    zipped = gzip.compress(body, 9)

    found = connect(raw_server(answer(zipped, GZIP)).url).fetch_items()

    assert len(body) > 250 * len(zipped)
    assert [it.sku for it in found] == [str(n) for n in range(100)]


@cache
def zipped_in_vain(head: bytes, filler: bytes) -> bytes:
    """
    More than may come without an item, a thousandth as long.
    """
    return gzip.compress(head + filler * 17_000_000, 6)


@pytest.mark.parametrize(
    ("head", "filler", "error"),
    [
        (b"[", b" ", DecodeError),
        (b'[{"x":', b" ", ResponseTooLargeError),
        (b'[{"sku":"', b"A", ResponseTooLargeError),
        (b'{"x":"', b"A", ResponseTooLargeError),
    ],
)
@pytest.mark.case(
    "E10", "A few bytes of gzip become megabytes without an item", "they end at a bound"
)
def test_what_a_gzip_may_become_without_an_item(connect, raw_server, head, filler, error):
    """
    What comes out of a gzip is bounded by what it brings, not by its ratio.
    """
    zipped = zipped_in_vain(head, filler)

    with pytest.raises(error):
        connect(raw_server(answer(zipped, GZIP)).url, retries=0).fetch_items()


@pytest.mark.parametrize(
    ("body", "head", "error"),
    [
        (gzip.compress(ITEMS)[:-4], GZIP, DecodeError),
        (gzip.compress(ITEMS)[:20], GZIP, DecodeError),
        (gzip.compress(ITEMS) + b"junk", GZIP, DecodeError),
        (gzip.compress(ITEMS)[:-8] + b"\0" * 8, GZIP, DecodeError),
        (ITEMS, GZIP, DecodeError),
        (gzip.compress(gzip.compress(ITEMS)), "Content-Encoding: gzip, gzip\r\n", DecodeError),
        (gzip.compress(ITEMS), GZIP + GZIP, DecodeError),
        (ITEMS, "Content-Encoding: br\r\n", DecodeError),
        (zlib.compress(ITEMS), "Content-Encoding: deflate\r\n", DecodeError),
        (ITEMS, "X: " + "y" * 1_000_000 + "\r\n", ResponseTooLargeError),
        (ITEMS, "".join(f"X-{n}: y\r\n" for n in range(100_000)), ResponseTooLargeError),
    ],
    ids=[
        "cut off in the trailer",
        "cut off",
        "trailing junk",
        "bad checksum",
        "not gzip",
        "gzip twice",
        "two headers",
        "brotli",
        "deflate",
        "a megabyte of header",
        "100,000 header fields",
    ],
)
def test_refused(connect, raw_server, body, head, error):
    """
    What is not what it says, or too much of it, is named.
    """
    with pytest.raises(error):
        connect(raw_server(answer(body, head)).url, retries=0).fetch_items()


@pytest.mark.parametrize(
    "raw",
    [
        answer(ITEMS[:-10], f"Content-Length: {len(ITEMS)}\r\n", length=False),
        answer(chunked(ITEMS)[:-5], "Transfer-Encoding: chunked\r\n", length=False),
        answer(chunked(ITEMS)[:40], "Transfer-Encoding: chunked\r\n", length=False),
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
    ids=[
        "by length",
        "by chunk, at its end",
        "by chunk",
        "in the header",
    ],
)
def test_broken_off(connect, raw_server, raw):
    """
    An answer that breaks off is a lost connection.
    """
    with pytest.raises(ConnectionLostError):
        connect(raw_server(raw).url, retries=0).fetch_items()


def test_body_without_length_that_ends_at_an_item(connect, raw_server):
    """
    A body without length is believed only if it is a whole document.
    """
    whole = b'[{"sku":"A","name":"a","price":1},{"sku":"B","name":"b","price":2}]'

    assert len(connect(raw_server(answer(whole, length=False)).url).fetch_items()) == 2
    with pytest.raises(DecodeError, match="ended early"):
        connect(raw_server(answer(whole[:33], length=False)).url, retries=0).fetch_items()


def test_longer_than_its_length(connect, raw_server):
    """
    What comes after the announced length is not part of the answer, nor of
    the next.
    """
    server = raw_server(answer(ITEMS) + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    client = connect(server.url)

    assert len(client.fetch_items()) == len(client.fetch_items()) == 1


HEALTHY = b'{"success":true,"data":{"status":"ok"}}'
SURPLUS = answer(b'{"success":true,"data":{"accepted":1}}')


@pytest.fixture
def talkative_server():
    """
    Keeps its connections, and adds to each answer one that nobody asked for.
    """
    asked = []
    threads = []
    connections = []
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(connection):
        with connection, suppress(OSError):
            while request := connection.recv(65_536):
                asked.append(request.partition(b" ")[0])
                connection.sendall(answer(HEALTHY) + SURPLUS)

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=talk, args=(connection,)))
                threads[-1].start()

    serving = threading.Thread(target=serve)
    serving.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked

    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    serving.join()
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()


def test_surplus_is_no_receipt(connect, talkative_server):
    """
    Bytes behind an answer are not taken for the answer to the next push:
    its fate is unknown, and nothing is called accepted.
    """
    url, asked = talkative_server
    client = connect(url, retries=0)
    assert client.health().ok

    with pytest.raises(ConnectionLostError) as info:
        client.push_sales(batch(), idempotency_key="k")

    assert info.value.delivery == "unknown"
    assert asked.count(b"POST") <= 1


def test_surplus_costs_a_get_one_connection(connect, talkative_server):
    """
    A GET is repeated on a new connection and gets its own answer.
    """
    url, asked = talkative_server
    client = connect(url, retries=0)

    assert [client.health().status for _ in range(4)] == ["ok"] * 4
    assert set(asked) == {b"GET"}


# Each call is made in a fork: what one has needed says nothing about the next.
PROGRAM = """
import os, sys, time
from conexxus_client import ClientConfig, ConexxusClient, ConexxusError

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

def client(url, family):
    config = ClientConfig(api_url=url, api_key="sandbox-key", retries=0, http_backend=family)
    return ConexxusClient(config)

def measured(healthy, hostile, call, family):
    with client(healthy, family) as one:
        one.fetch_items()
    before = peak()
    started = time.monotonic()

    with client(hostile, family) as one:
        try:
            one.health() if call == "health" else list(one.iter_items())
            outcome = "success"
        except ConexxusError as exc:
            outcome = type(exc).__name__

    return outcome, (peak() - before) // 1024, time.monotonic() - started

for family in ("httpx", "httpx2"):
    client("http://127.0.0.1:9", family).close()

for line in sys.stdin:
    if not (child := os.fork()):
        try:
            print(*measured(*line.split()), flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    print(flush=True)
"""


@pytest.fixture(scope="module")
def measure():
    """
    Makes a call in a process of its own: its outcome, how many MiB it needed
    more than a healthy one, and its seconds.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def measured(server, hostile, call, backend):
            process.stdin.write(f"{server.url} {hostile.url} {call} {backend}\n")
            process.stdin.flush()
            error, megabytes, seconds = "".join(iter(process.stdout.readline, "\n")).split()
            return error, int(megabytes), float(seconds)

        yield measured


@pytest.fixture(scope="module")
def bombs():
    """
    A gigabyte of zeros in a megabyte, and in two kilobytes.
    """
    return {False: bomb(1024), True: gzip.compress(bomb(1024))}


@pytest.mark.fault(
    "P02",
    "A gigabyte in a megabyte or in two kilobytes, chunked or not",
    "refused, with at most 16 MiB more",
)
@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("health", "single"),
        *(("iter_items", kind) for kind in ("single", "double", "chunked", "doubly announced")),
    ],
)
def test_gzip_bombs(measure, server, raw_server, bombs, backend, call, kind):
    """
    A gigabyte in a few bytes is refused with little memory.
    """
    body = bombs[kind in ("double", "doubly announced")]
    head = GZIP if kind != "doubly announced" else "Content-Encoding: gzip, gzip\r\n"
    if kind == "chunked":
        raw = answer(chunked(body, 65_536), head + "Transfer-Encoding: chunked\r\n", length=False)
    else:
        raw = answer(body, head)

    error, megabytes, seconds = measure(server, raw_server(raw), call, backend)

    assert error in ("ResponseTooLargeError", "DecodeError")
    assert megabytes <= 16
    # Two on an idle machine.
    assert seconds < 5


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"{" + b",".join(b'"k%d":"%s"' % (n, b"x" * 500_000) for n in range(40)) + b"}"),
        answer(b'[{"sku":"A","name":"' + b"\\n" * 400_000 + b'","price":1}]'),
    ],
    ids=["an envelope of much else", "a name of escapes"],
)
def test_other_ways_to_fill_memory(measure, server, raw_server, backend, raw):
    """
    What is not asked for is not kept, and a long text is scanned flat.
    """
    _, megabytes, _ = measure(server, raw_server(raw), "iter_items", backend)

    assert megabytes <= 16


@pytest.mark.fault("P03", "A body of a gigabyte", "refused, with at most 16 MiB more")
@pytest.mark.parametrize("call", ["health", "iter_items"])
@pytest.mark.parametrize("filler", [b" ", b"x", b'["'], ids=["space", "garbage", "text"])
def test_gigabyte_of_body(measure, server, raw_server, backend, call, filler):
    """
    A body of a gigabyte is refused with little memory, too.
    """
    more = b" " * 1_000_000 if filler == b" " else b"x" * 1_000_000

    def endless(send):
        send(b"HTTP/1.1 200 OK\r\nContent-Length: 1100000000\r\n\r\n" + filler)
        for _ in range(1_100):
            send(more)

    error, megabytes, seconds = measure(server, raw_server(endless), call, backend)

    assert error in ("ResponseTooLargeError", "DecodeError", "ConnectionLostError")
    assert megabytes <= 16
    # Two on an idle machine.
    assert seconds < 5


def test_next_call_succeeds(connect, office, server, raw_server):
    """
    After all of that a client still works.
    """
    client = connect(server.url)
    office.faults("close, truncate, reset")

    with pytest.raises(ConexxusError):
        connect(raw_server(answer(gzip.compress(bomb(64)), GZIP)).url, retries=0).fetch_items()

    assert client.fetch_items()
    assert threading.active_count() < 20
