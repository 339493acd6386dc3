"""
A back office that is down, and one that comes back.
"""

from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    RetryPolicy,
    ServerError,
)
from conexxus_client.testing import BackOffice, SandboxTransport

from .matrix.test_matrix import batch


@pytest.mark.fault(
    "N20", "Down for a thousand calls, then up", "at most 1,100 requests; the next call succeeds"
)
def test_outage(connect, office, server):
    """
    A thousand calls during an outage send at most 1,100 requests, and the
    first call after it succeeds at once.
    """
    office.faults("503*forever")
    client = connect(server.url)

    for _ in range(1_000):
        with pytest.raises(ServerError):
            client.fetch_items()

    assert 1_000 <= server.requests["catalog"] <= 1_100

    office.faults("")
    before = server.requests["catalog"]
    assert client.fetch_items()
    assert server.requests["catalog"] == before + 1


class Recorder:
    """
    A transport that remembers every request as it is sent.
    """

    def __init__(self, office):
        self.inner = SandboxTransport(office)
        self.sent = []

    @contextmanager
    def open(self, request, limits):
        self.sent.append((request.method, request.url, request.wire_headers(), request.body))
        with self.inner.open(request, limits) as reply:
            yield reply

    def close(self):
        self.inner.close()


faults = st.lists(
    st.sampled_from(
        ["503", "reset", "close", "refuse", "truncate", "after_commit(reset)", "hang", "ok", "429"]
    ),
    max_size=6,
)
calls = st.lists(st.sampled_from(["push", "items", "health"]), min_size=1, max_size=4)


@given(calls, faults)
def test_replay_is_byte_identical(calls, faults):
    """
    Whatever happens, attempt n is attempt 1: address, header and body.
    """
    office = BackOffice(faults=", ".join(faults))
    recorder = Recorder(office)
    config = ClientConfig(api_url="http://localhost", api_key=office.api_key)
    policy = RetryPolicy(delay=0.0001, retry_rate_limited=True)

    with ConexxusClient(config, transport=recorder, retry_policy=policy) as client:
        for call in calls:
            recorder.sent.clear()
            with suppress(ConexxusError):
                _perform(client, call)
            assert recorder.sent
            assert all(sent == recorder.sent[0] for sent in recorder.sent)

    assert office.ledger.doubled() == []


def _perform(client, call):
    if call == "push":
        client.push_sales(batch(), idempotency_key="the-key")
    elif call == "items":
        client.fetch_items()
    else:
        client.health()
