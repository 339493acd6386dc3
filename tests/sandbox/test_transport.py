"""
The transports without a network tell a client the truth about each fault.
"""

import asyncio
import time

import pytest

from conexxus_client._calls._wire_types import Limits, Request
from conexxus_client.config import Secret
from conexxus_client.errors import (
    ConexxusError,
    ConnectError,
    ConnectionLostError,
    Delivery,
    ProtocolError,
    RequestTimeoutError,
    ResponseTooLargeError,
)
from conexxus_client.testing import AsyncSandboxTransport, BackOffice, SandboxTransport


LIMITS = Limits(timeout_ms=1000)


def request(path="/api/v1/inventory/items", *, method="GET", query="", body=None, **fields):
    return Request(
        method=method,
        url=f"http://localhost{path}{query}",
        path=path,
        secret_headers=(("X-API-Key", Secret("sandbox-key")),),
        body=body,
        **fields,
    )


def fetch(office, wanted, limits=LIMITS):
    with SandboxTransport(office).open(wanted, limits) as reply:
        return reply.status, reply.headers, b"".join(reply.chunks())


async def fetch_async(office, wanted, limits=LIMITS):
    async with AsyncSandboxTransport(office).open(wanted, limits) as reply:
        return reply.status, reply.headers, b"".join([piece async for piece in reply.chunks()])


@pytest.fixture(params=["sync", "async"])
def get(request):
    if request.param == "sync":
        return fetch

    return lambda *args: asyncio.run(fetch_async(*args))


@pytest.fixture
def push(tools):
    return request(tools.PUSH, method="POST", body=tools.body_of("t1"))


def test_a_catalogue_arrives(get):
    status, headers, body = get(BackOffice(20_000), request())

    assert (status, headers.get("Content-Type")) == (200, "application/json")
    assert body.count(b'"sku"') == 20_000


def test_the_query_arrives(get):
    _, _, body = get(BackOffice(9, page_size=2), request(query="?cursor=p8"))

    assert body.count(b'"sku"') == 1


@pytest.mark.parametrize(
    ("fault", "error", "delivery", "effective"),
    [
        ("refuse", ConnectError, "not_sent", 0),
        ("reset", ConnectionLostError, "unknown", 0),
        ("reset_upload(10)", ConnectionLostError, "unknown", 0),
        ("close", ConnectionLostError, "unknown", 0),
        ("garbage", ProtocolError, "unknown", 0),
        ("hang", RequestTimeoutError, "unknown", 0),
        ("slow(1s)", RequestTimeoutError, "unknown", 1),
        ("interim", RequestTimeoutError, "unknown", 1),
        ("stall", RequestTimeoutError, "unknown", 1),
        ("drip_head(100ms)", RequestTimeoutError, "unknown", 1),
        ("drip(1s)", RequestTimeoutError, "unknown", 1),
        ("truncate", ConnectionLostError, "unknown", 1),
        ("truncate(3)", ConnectionLostError, "unknown", 1),
        ("after_commit(reset)", ConnectionLostError, "unknown", 1),
        ("after_commit(hang)", RequestTimeoutError, "unknown", 1),
    ],
)
def test_a_fault_is_the_error_it_means(get, push, fault, error, delivery, effective):
    office = BackOffice(faults=fault)

    with pytest.raises(ConexxusError) as caught:
        get(office, push)

    assert (type(caught.value), caught.value.delivery) == (error, Delivery(delivery))
    assert len(office.ledger.pushes) == effective


@pytest.mark.parametrize(
    ("fault", "status", "effective"),
    [
        ("503", 503, 0),
        ("after_commit(503)", 503, 1),
        ("redirect(https://other.example/)", 302, 0),
        ("slow(999ms)", 200, 1),
        ("interim(5)", 200, 1),
        ("goodbye", 200, 1),
        ("drip(1ms)", 200, 1),
    ],
)
def test_other_faults_are_answers(get, push, fault, status, effective):
    office = BackOffice(faults=fault)

    assert get(office, push)[0] == status
    assert len(office.ledger.pushes) == effective


def test_the_end_of_the_attempt_counts_too(get, push):
    office = BackOffice(faults="slow(500ms), drip(20ms)")
    limits = Limits(timeout_ms=1000, ends_at=time.monotonic() + 0.4)

    for _ in range(2):
        with pytest.raises(RequestTimeoutError):
            get(office, push, limits)


def test_a_truncated_stream_gives_what_came_before(get):
    office = BackOffice(20_000, faults="truncate(200000)")
    received = []

    with (
        SandboxTransport(office).open(request(), LIMITS) as reply,
        pytest.raises(ConnectionLostError),
    ):
        received.extend(reply.chunks())

    assert len(b"".join(received)) == 200_000


def test_a_body_beyond_the_bound_is_not_read(get):
    with pytest.raises(ResponseTooLargeError):
        get(BackOffice(20_000), request(max_bytes=1000))


def test_without_a_bound_all_is_read(get):
    assert len(get(BackOffice(100_000), request(max_bytes=None))[2]) > 8 * 1024 * 1024


def test_calls_are_counted_here_too(get, office, push):
    get(office, push)
    get(office, request())

    assert office.requests == {"sales": 1, "catalog": 1}


def test_closing_twice_is_harmless(office):
    transport = SandboxTransport(office)
    transport.close()
    transport.close()
    asyncio.run(AsyncSandboxTransport(office).aclose())


def test_the_key_is_in_no_error(get, push):
    office = BackOffice(faults="reset")

    with pytest.raises(ConexxusError) as caught:
        get(office, push)

    assert "sandbox-key" not in f"{caught.value!r} {caught.value} {caught.value.__dict__}"
