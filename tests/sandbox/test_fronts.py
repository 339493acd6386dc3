"""
A fault means the same to a client in process and on the wire.
"""

import pytest

from conexxus_client._calls._wire_types import Limits, Request
from conexxus_client.config import ClientConfig, Secret
from conexxus_client.errors import ConexxusError
from conexxus_client.testing import BackOffice, SandboxServer, SandboxTransport
from conexxus_client.transports import open_transport


FAULTS = [
    "ok",
    "503",
    "429(retry_after=3)",
    "redirect(https://other.example/)",
    "reset",
    "reset_upload(10)",
    "close",
    "garbage",
    "hang",
    "truncate",
    "truncate(10)",
    "stall",
    "slow(1min)",
    "drip(0ms, bytes=40)",
    "drip_head(0ms, bytes=40)",
    "interim(2)",
    "goodbye",
    "after_commit(reset)",
    "after_commit(close)",
    "after_commit(503)",
]


def outcome(transport, request):
    """
    What a client gets to know: an answer, or an error with its delivery.
    """
    try:
        with transport.open(request, Limits(timeout_ms=300)) as reply:
            body = b"".join(reply.chunks())
            return reply.status, reply.headers.get("Retry-After"), b'"success":true' in body
    except ConexxusError as error:
        return type(error), error.delivery, error.retryable


@pytest.mark.parametrize("fault", FAULTS)
def test_both_fronts_tell_a_client_the_same(tools, fault):
    here, there = BackOffice(faults=fault), BackOffice(faults=fault)

    def push(base):
        return Request(
            method="POST",
            url=base + tools.PUSH,
            path=tools.PUSH,
            secret_headers=(("X-API-Key", Secret("sandbox-key")),),
            body=tools.body_of("t1"),
        )

    with SandboxServer(there) as server:
        transport = open_transport(ClientConfig.from_env(server.env))
        on_the_wire = outcome(transport, push(server.url))
        transport.close()

    assert outcome(SandboxTransport(here), push("http://localhost")) == on_the_wire
    # On the wire a slow office may still be about to act.
    assert fault.startswith("slow") or here.effective_batches == there.effective_batches
