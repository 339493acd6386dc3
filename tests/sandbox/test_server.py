"""
The server on a real port; what is sent is read from a raw socket.
"""

import contextlib
import gzip
import http.client
import json
import socket
import threading

import pytest

from conexxus_client.testing import BackOffice, SandboxServer


COMMITTING = [
    "ok",
    "slow(1ms)",
    "truncate",
    "drip(0ms, bytes=50)",
    "drip_head(0ms, bytes=50)",
    "interim(2)",
    "goodbye",
    "after_commit(reset)",
    "after_commit(close)",
    "after_commit(garbage)",
    "after_commit(503)",
    "after_commit(truncate)",
    "after_commit(slow(1ms))",
    "after_commit(redirect(https://other.example/))",
]
PREVENTING = [
    "503",
    "429(retry_after=3)",
    "redirect(https://other.example/)",
    "refuse",
    "reset",
    "reset_upload(10)",
    "close",
    "garbage",
]


def connection(server):
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=20)


def answered(received):
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head, body


@pytest.fixture
def wire(server, tools):
    with tools.Wire(server) as raw:
        yield raw


def test_one_connection_serves_many_requests(server, tools):
    client = connection(server)
    bodies = []

    for path in ("/api/v1/health", tools.ITEMS, "/", "/api/v1/health"):
        client.request("GET", path, headers=tools.KEY)
        bodies.append(client.getresponse().read())
    client.close()

    assert json.loads(bodies[1])["data"][0]["price"] == 29.99
    assert b"fake back office" in bodies[2]
    assert server.requests == {"health": 2, "catalog": 1}


def test_requests_that_arrive_together_are_answered_in_order(wire, tools):
    wire.send(path="/api/v1/health").send(path=tools.ITEMS).send(path="/", Connection="close")

    received = wire.rest()

    order = [received.index(mark) for mark in (b'"status":"ok"', b"WINE001", b"fake back office")]
    assert order == sorted(order)


def test_a_large_catalogue_comes_in_chunks_and_a_small_one_with_its_length(server, tools):
    client = connection(server)

    server.office.catalog = 20_000
    client.request("GET", tools.ITEMS, headers=tools.KEY)
    large = client.getresponse()
    assert len(json.loads(large.read())["data"]) == 20_000
    server.office.catalog = 2
    client.request("GET", tools.ITEMS, headers=tools.KEY)
    small = client.getresponse()
    body = small.read()
    client.close()

    assert (large.headers["Transfer-Encoding"], large.headers["Content-Length"]) == (
        "chunked",
        None,
    )
    assert small.headers["Content-Length"] == str(len(body))


def test_http_1_0_gets_no_chunks(server, tools, wire):
    server.office.catalog = 20_000

    wire.sock.sendall(f"GET {tools.ITEMS} HTTP/1.0\r\nX-API-Key: sandbox-key\r\n\r\n".encode())
    _, head, body = answered(wire.rest())

    assert b"chunked" not in head
    assert len(json.loads(body)["data"]) == 20_000


@pytest.mark.parametrize("coding", ["plain", "chunked", "gzip"])
def test_a_push_is_read_however_it_is_framed(server, tools, wire, coding):
    body = tools.body_of("t1")

    if coding == "plain":
        wire.send("POST", tools.PUSH, body, Connection="close", Expect="100-continue")
    elif coding == "gzip":
        headers = {"Connection": "close", "Content-Encoding": "gzip"}
        wire.send("POST", tools.PUSH, gzip.compress(body), **headers)
    else:
        wire.send("POST", tools.PUSH, **{"Connection": "close", "Transfer-Encoding": "chunked"})
        for start in range(0, len(body), 50):
            piece = body[start : start + 50]
            wire.sock.sendall(b"%x;x=y\r\n%b\r\n" % (len(piece), piece))
        wire.sock.sendall(b"0\r\nTrailer: x\r\n\r\n")
    received = wire.rest()

    assert b'"accepted":1' in received
    assert (b"100 Continue" in received) == (coding == "plain")
    assert server.office.effective_batches == [{"t1"}]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1_0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 415),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            400,
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
    ],
)
def test_a_request_that_can_not_be_read_is_refused_and_the_connection_closed(
    wire, request_, status
):
    with contextlib.suppress(ConnectionError):
        wire.sock.sendall(request_)

    assert answered(wire.until(b"\r\n\r\n"))[0] == status


def test_a_refusal_reaches_a_client_that_is_still_sending(wire):
    wire.send("POST", "/", **{"Content-Length": "99999999"})
    for _ in range(400):
        wire.sock.sendall(b"x" * 65536)

    assert answered(wire.until(b"\r\n\r\n"))[0] == 413


def test_the_absolute_form_of_a_proxy_is_understood(wire):
    wire.send(path="http://sandbox/api/v1/health", Connection="close")

    assert answered(wire.rest())[0] == 200


@pytest.mark.parametrize("fault", COMMITTING + PREVENTING)
def test_a_push_is_effective_exactly_where_its_fault_says_so(server, tools, wire, fault):
    server.office.faults(fault)

    wire.send("POST", tools.PUSH, tools.body_of("t1"), Connection="close")
    with contextlib.suppress(ConnectionError):
        wire.rest()

    assert server.office.effective_batches == ([{"t1"}] if fault in COMMITTING else [])


@pytest.mark.parametrize("fault", ["reset", "refuse", "reset_upload(10)", "after_commit(reset)"])
def test_a_reset_is_a_rst(server, tools, wire, fault):
    server.office.faults(fault)

    wire.send("POST", tools.PUSH, tools.body_of("t1"))

    with pytest.raises(ConnectionResetError):
        wire.rest()


def test_an_upload_is_reset_before_it_is_complete(server, tools, wire):
    server.office.faults("reset_upload(1000)")

    wire.send("POST", tools.PUSH, **{"Content-Length": "1000000"})
    wire.sock.sendall(b"x" * 1000)

    with pytest.raises(ConnectionResetError):
        wire.rest()


def test_close_ends_the_connection_without_a_byte(server, wire):
    server.office.faults("close")

    assert wire.send().rest() == b""


def test_garbage_is_not_http(server, wire):
    server.office.faults("garbage")

    assert not wire.send().rest().startswith(b"HTTP/")


def test_silence_lasts_until_the_client_hangs_up(server, wire):
    server.office.faults("hang")
    wire.send()
    wire.sock.shutdown(socket.SHUT_WR)

    assert wire.rest() == b""


@pytest.mark.parametrize(("fault", "left"), [("truncate", None), ("truncate(7)", 7)])
def test_a_truncated_body_is_shorter_than_it_says(server, tools, wire, fault, left):
    server.office.faults(fault)

    _, head, body = answered(wire.send(path=tools.ITEMS).rest())

    said = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert len(body) == (said // 2 if left is None else left)


@pytest.mark.parametrize(("fault", "least"), [("truncate", 1), ("truncate(1MiB)", 1024 * 1024)])
def test_a_truncated_stream_has_no_last_chunk(server, tools, wire, fault, least):
    server.office.catalog = 50_000
    server.office.faults(fault)

    body = answered(wire.send(path=tools.ITEMS).rest())[2]

    assert least <= len(body) < 7_000_000
    assert not body.endswith(b"0\r\n\r\n")


def test_an_answer_without_a_body_is_cut_in_its_head(server, tools, wire):
    etag = tools.header(tools.Caller(server.office).get(), "ETag")
    server.office.faults("truncate")

    received = wire.send(path=tools.ITEMS, **{"If-None-Match": etag}).rest()

    assert received.startswith(b"HTTP/1.1 304")
    assert b"\r\n\r\n" not in received


def test_a_stalled_body_stops_in_the_middle_and_stays_open(server, wire):
    server.office.faults("stall(5)")

    received = wire.send().until(b'{"suc')
    wire.sock.setblocking(False)

    assert received.endswith(b'{"suc')
    with pytest.raises(BlockingIOError):
        wire.sock.recv(1)


def test_dripped_answers_are_complete_in_the_end(server, tools, wire):
    server.office.faults("drip(0ms), drip_head(0ms), interim(3)")

    for _ in range(2):
        wire.send(path=tools.ITEMS)
    received = wire.send(path=tools.ITEMS, Connection="close").rest()

    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert received.count(b"HTTP/1.1 102 Processing\r\n\r\n") == 3
    assert received.count(b"Paper bag") == 3


def test_interim_answers_go_on_until_the_client_has_enough(server, wire):
    server.office.faults("interim")

    assert wire.send().until(b"102 Processing\r\n\r\n" * 1).startswith(b"HTTP/1.1 102")


def test_goodbye_closes_a_kept_alive_connection_unannounced(server, wire):
    server.office.faults("goodbye")

    status, head, _ = answered(wire.send().rest())

    assert (status, b"Connection: close" in head) == (200, False)


def test_a_redirect_names_its_target(server, wire):
    server.office.faults("redirect(https://other.example/x, code=307)")

    status, head, _ = answered(wire.send(Connection="close").rest())

    assert (status, b"Location: https://other.example/x" in head) == (307, True)


def test_a_status_may_have_any_body_and_retry_after(server, wire):
    server.office.faults('200(retry_after=soon, body="<h1>Log in</h1>", type=text/html)')

    status, head, body = answered(wire.send(Connection="close").rest())

    assert (status, body) == (200, b"<h1>Log in</h1>")
    assert b"Retry-After: soon" in head
    assert b"Content-Type: text/html" in head


@pytest.mark.parametrize("status", ["204", "304", "599", "520"])
def test_any_status_is_well_framed(server, tools, status):
    server.office.faults(status)
    client = connection(server)

    client.request("GET", "/api/v1/health", headers=tools.KEY)
    answer = client.getresponse()
    answer.read()
    client.request("GET", "/api/v1/health", headers=tools.KEY)
    again = client.getresponse().status
    client.close()

    assert (answer.status, again) == (int(status), 200)


def test_while_refusing_nobody_listens_and_afterwards_the_same_port_does(server, tools):
    with server.refusing(), pytest.raises(ConnectionRefusedError):
        tools.Wire(server)

    with tools.Wire(server) as wire:
        assert answered(wire.send(Connection="close").rest())[0] == 200


def test_the_ledger_is_shown_over_http(server, tools):
    tools.Caller(server.office).push("t1", key="k", total="0.10")
    client = connection(server)

    client.request("GET", "/sandbox/ledger")
    books = json.loads(client.getresponse().read())
    client.close()

    assert books["locations"]["loc-001"]["2026-01-02"]["total"] == "0.10"
    assert books["keys"] == ["k"]


@pytest.mark.parametrize(
    ("body", "status", "left"),
    [
        (b"sales: 503*2", 200, "sales: 503*2"),
        (b'{"faults":"reset@0.5","seed":7}', 200, "reset@0.5"),
        (b"", 200, ""),
        (b"explode", 422, "ok"),
        (b'{"fault":"503"}', 400, "ok"),
        (b'{"faults"', 400, "ok"),
        (b"\xff", 400, "ok"),
    ],
)
def test_faults_are_set_over_http(server, wire, body, status, left):
    server.office.faults("ok")

    wire.send("POST", "/sandbox/faults", body, Connection="close")

    assert answered(wire.rest())[0] == status
    assert server.office.faults_left == left


def test_reset_over_http_forgets_the_sales(server, tools, wire):
    tools.Caller(server.office).push("t1")

    wire.send("POST", "/sandbox/reset", Connection="close").rest()

    assert server.office.ledger.pushes == ()


def test_faults_leave_the_extra_pages_alone(server, wire):
    server.office.faults("reset*forever")

    assert answered(wire.send(path="/sandbox/ledger", Connection="close").rest())[0] == 200
    assert server.requests.total() == 0


def test_stopping_hangs_up_on_everyone_and_leaves_nothing_behind(tools):
    before = set(threading.enumerate())
    office = BackOffice(faults="hang, slow(1min), drip(1min), interim, stall")

    with SandboxServer(office) as server, contextlib.ExitStack() as stack:
        wires = [stack.enter_context(tools.Wire(server)) for _ in range(7)]
        for wire in wires[:5]:
            wire.send()
        # One is idle, and one stops in the middle of its request.
        wires[6].sock.sendall(b"GET / HTTP")
        while server.requests["health"] < 5:
            pass
        server.stop()
        server.stop()

        # Others may come and go meanwhile: what counts is whose are left.
        assert not set(threading.enumerate()) - before
        with pytest.raises(ConnectionRefusedError):
            tools.Wire(server)


def test_a_reader_that_is_slow_holds_up_nobody_else(server, tools, wire):
    server.office.catalog = 1_000_000
    wire.send(path=tools.ITEMS).sock.recv(1)

    with tools.Wire(server) as other:
        assert answered(other.send(Connection="close").rest())[0] == 200


def test_two_servers_can_share_an_office(office, tools):
    with SandboxServer(office) as first, SandboxServer(office) as second:
        for server in (first, second):
            with tools.Wire(server) as wire:
                wire.send("POST", tools.PUSH, tools.body_of("t1"), Connection="close").rest()

    assert [entry.times for entry in office.ledger.transactions()] == [2]


def test_each_request_is_a_line_in_the_log(office, tools):
    lines = []
    office.faults("ok, 503")

    with SandboxServer(office, log=lines.append) as server, tools.Wire(server) as wire:
        wire.send("POST", tools.PUSH, tools.body_of("t1"))
        wire.send(Connection="close").rest()

    assert lines == [
        "POST /api/v1/sales/push → 200  2026-01-02 loc-001: 1 taken, 0 refused",
        "GET /api/v1/health → 503  A fault of the sandbox.  fault: 503",
    ]


def test_many_clients_at_once_are_all_served(server, tools):
    served = []

    def work():
        client = connection(server)
        for _ in range(25):
            client.request("GET", "/api/v1/health", headers=tools.KEY)
            answer = client.getresponse()
            answer.read()
            served.append(answer.status)
        client.close()

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert served == [200] * 400
    assert server.requests["health"] == 400


def test_ipv6_has_its_brackets(office, tools):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        server = SandboxServer(office, host="::1").start()
    except OSError:
        pytest.skip("no IPv6 here")

    with server, tools.Wire(server) as wire:
        assert server.url.startswith("http://[::1]:")
        assert answered(wire.send(Connection="close").rest())[0] == 200
