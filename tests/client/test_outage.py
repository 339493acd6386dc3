"""
A back office that is down, and one that comes back.
"""

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    AsyncConexxusClient,
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    RetryPolicy,
    ServerError,
)
from conexxus_client.testing import AsyncSandboxTransport, BackOffice, SandboxTransport

from .matrix.test_matrix import batch


@pytest.mark.fault(
    "N20", "Down for a thousand calls, then up", "at most 1,100 requests; the next call succeeds"
)
def test_outage(connect, office, server, request):
    """
    A thousand calls during an outage send at most 1,100 requests, and the
    first call after it succeeds at once.

    The asynchronous client makes a hundred, with a hundred retries at most,
    too.
    """
    office.faults("503*forever")
    client = connect(server.url)
    calls = 1_000 if request.node.callspec.params["connect"] == "sync" else 100

    for _ in range(calls):
        with pytest.raises(ServerError):
            client.fetch_items()

    assert calls <= server.requests["catalog"] <= calls + 100

    office.faults("")
    before = server.requests["catalog"]
    assert client.fetch_items()
    assert server.requests["catalog"] == before + 1


def wire(request):
    """
    All that is sent of *request*.
    """
    return (request.method, request.url, request.wire_headers(), request.body)


class Recorder:
    """
    A transport that remembers every request as it is sent.
    """

    def __init__(self, office):
        self.inner = SandboxTransport(office)
        self.sent = []

    @contextmanager
    def open(self, request, limits):
        self.sent.append(wire(request))
        with self.inner.open(request, limits) as reply:
            yield reply

    def close(self):
        self.inner.close()


class AsyncRecorder:
    """
    `Recorder` for an event loop.
    """

    def __init__(self, office):
        self.inner = AsyncSandboxTransport(office)
        self.sent = []

    @asynccontextmanager
    async def open(self, request, limits):
        self.sent.append(wire(request))
        async with self.inner.open(request, limits) as reply:
            yield reply

    async def aclose(self):
        await self.inner.aclose()


faults = st.lists(
    st.sampled_from(
        ["503", "reset", "close", "refuse", "truncate", "after_commit(reset)", "hang", "ok", "429"]
    ),
    max_size=6,
)
calls = st.lists(st.sampled_from(["push", "items", "health"]), min_size=1, max_size=4)


POLICY = RetryPolicy(delay=0.0001, retry_rate_limited=True)


def config(office):
    return ClientConfig(api_url="http://localhost", api_key=office.api_key)


@given(calls, faults)
def test_replay_is_byte_identical(calls, faults):
    """
    Whatever happens, attempt n is attempt 1: address, header and body.
    """
    office = BackOffice(faults=", ".join(faults))
    recorder = Recorder(office)

    with ConexxusClient(config(office), transport=recorder, retry_policy=POLICY) as client:
        for call in calls:
            recorder.sent.clear()
            with suppress(ConexxusError):
                _perform(client, call)
            assert recorder.sent
            assert all(sent == recorder.sent[0] for sent in recorder.sent)

    assert office.ledger.doubled() == []


@given(calls, faults)
def test_async_replay_is_byte_identical(calls, faults):
    """
    The same holds for the asynchronous client.
    """
    office = BackOffice(faults=", ".join(faults))
    recorder = AsyncRecorder(office)

    async def perform_all() -> None:
        async with AsyncConexxusClient(
            config(office), transport=recorder, retry_policy=POLICY
        ) as client:
            for call in calls:
                recorder.sent.clear()
                with suppress(ConexxusError):
                    await _perform(client, call)
                assert recorder.sent
                assert all(sent == recorder.sent[0] for sent in recorder.sent)

    asyncio.run(perform_all())

    assert office.ledger.doubled() == []


def _perform(client, call):
    if call == "push":
        return client.push_sales(batch(), idempotency_key="the-key")
    if call == "items":
        return client.fetch_items()

    return client.health()
