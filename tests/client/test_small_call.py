"""
What a small call over an injected client costs, in function calls: a clock would
measure the machine as well.
"""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from conexxus_client import (
    ClientConfig,
    ConexxusClient,
    SalesBatch,
    Transaction,
    TransactionLine,
    encode_batch,
)
from conexxus_client.testing import BackOffice, SandboxServer


LINE = TransactionLine(sku="WINE001", quantity=2, price=Decimal("24.99"))
SALE = Transaction(
    id="txn-001",
    timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
    total=Decimal("49.98"),
    items=[LINE],
)
BATCH = SalesBatch(date=date(2026, 1, 2), location_id="loc-001", transactions=[SALE])


def function_calls(action):
    """
    How many functions *action* calls in this thread, of Python and of C.
    """
    count = 0

    def note(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    for _ in range(3):
        action()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture
def both():
    """
    A client of ours around one of httpx, and one of httpx alone.
    """
    with (
        SandboxServer(BackOffice()) as server,
        httpx.Client() as injected,
        httpx.Client(base_url=server.url, headers={"X-API-Key": server.api_key}) as bare,
        ConexxusClient(ClientConfig.from_env(server.env), http_client=injected) as ours,
    ):
        yield ours, bare


def test_health(both):
    """
    A health call makes few calls of functions beyond those of httpx.
    """
    ours, bare = both
    least = function_calls(lambda: bare.get("/api/v1/health").json())

    assert function_calls(ours.health) <= 1.1 * least


def test_push_of_one_sale(both):
    """
    So does a push, which encodes the sale as well.
    """
    ours, bare = both
    body = encode_batch(BATCH)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "one"}
    least = function_calls(
        lambda: bare.post("/api/v1/sales/push", content=body, headers=headers).json()
    )

    assert function_calls(lambda: ours.push_sales(BATCH, idempotency_key="one")) <= 1.2 * least
