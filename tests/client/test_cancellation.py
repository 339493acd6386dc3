"""
Calls that are told to end early.
"""

import threading
import time

import pytest

from conexxus_client import (
    CallStoppedError,
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    Delivery,
    RetryPolicy,
)

from .matrix.test_matrix import batch


@pytest.fixture
def client(server, backend):
    config = ClientConfig(
        api_url=server.url, api_key="sandbox-key", timeout_ms=20_000, http_backend=backend
    )
    with ConexxusClient(config, retry_policy=RetryPolicy(delay=20)) as made:
        yield made


def stopped_when(fact):
    """
    A stop that is true from the moment at which *fact* is.
    """
    return lambda: bool(fact())


@pytest.mark.parametrize(
    ("fault", "error", "delivery"),
    [
        ("hang", CallStoppedError, Delivery.UNKNOWN),
        ("503(retry_after=20)", ConexxusError, Delivery.UNKNOWN),
        ("stall(10)", CallStoppedError, Delivery.UNKNOWN),
        ("refuse", ConexxusError, Delivery.UNKNOWN),
    ],
)
def test_a_call_at_work_ends(client, office, server, fault, error, delivery):
    """
    Neither an answer nor the time of a retry is waited for.
    """
    office.faults(f"{fault}*forever")
    started = time.monotonic()

    with client.stopping(stopped_when(lambda: server.requests["sales"])), pytest.raises(error) as e:
        client.push_sales(batch(), idempotency_key="k")

    assert e.value.delivery == delivery
    assert e.value.attempts
    # Loose: it would have taken 20 seconds and more.
    assert time.monotonic() - started < 10


def test_no_call_begins(client, server):
    """
    Who was told to stop sends nothing.
    """
    with client.stopping(lambda: True), pytest.raises(CallStoppedError) as info:
        client.push_sales(batch(), idempotency_key="k")

    assert info.value.delivery == Delivery.NOT_SENT
    assert server.requests["sales"] == 0


def test_others_notice_nothing(client, server):
    """
    Later calls, and those of other threads, go on as ever.
    """
    answers = []

    with client.stopping(lambda: True):
        other = threading.Thread(target=lambda: answers.append(client.health().ok))
        other.start()
        other.join()

    assert answers == [True]
    assert client.health().ok
