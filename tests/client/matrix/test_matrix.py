"""
The fault matrix over real sockets, for both clients and both families.

After every case the same invariants hold: a named error or success, in time,
the key nowhere, the next call fine, nothing left behind.
"""

import copy
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest

from canary import CANARY, everything_about, spelled, traces
from conexxus_client import (
    ConexxusError,
    InvalidItem,
    Item,
    RetryPolicy,
    SalesBatch,
    Transaction,
    TransactionLine,
)
from descriptors import descriptors

from .places import Places
from .row import Row
from .rows import ROWS


# A busy machine may stall for a while without taking a retry's time away.
TIMEOUT_MS = 600
RETRIES = 2
DAY = date(2026, 1, 2)


@cache
def batch(lines: int = 1) -> SalesBatch:
    line = TransactionLine(sku="S", quantity=1, price=Decimal("9.99"), extra={"note": "x" * 90})
    sale = Transaction(
        id="t1",
        timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
        total=Decimal("9.99"),
        items=[line] * lines,
    )
    return SalesBatch(date=DAY, location_id="loc", transactions=[sale])


def perform(client, call):
    """
    Make the call of a row; a success returns what came.
    """
    if call == "health":
        return client.health()
    if call.startswith("items"):
        return [element for page in client.pages()[1] for element in page]
    if call == "exact price":
        return [str(item.price) for item in client.fetch_items()]
    if call == "totals":
        return client.day_totals(DAY, location_id="loc")
    if call == "twice":
        client.health()
        return client.health()

    return client.push_sales(batch(20_000 if call.startswith("large") else 1), idempotency_key="k")


@pytest.fixture
def places(server, raw_server, tls_server, authority, ca_file, monkeypatch):
    found = Places(server, raw_server, tls_server, authority, ca_file, monkeypatch)

    yield found

    found.close()


@pytest.fixture
def arrange(office, server, raw_server, places):
    """
    Makes the cause of a row real: gives its address, its server, and the
    client's settings.
    """
    office.api_key = CANARY

    def at(row: Row):
        if row.place:
            return places.at(row.place)
        if row.raw:
            hostile = raw_server(row.raw)
            return hostile.url, hostile, {}
        office.faults(row.faults)
        return server.url, server, {}

    return at


def longest(call: str) -> float:
    """
    Seconds that a row's call may take: all its attempts and all its waits.
    """
    policy = RetryPolicy(retries=RETRIES, delay=0.001)
    seconds = (RETRIES + 1) * TIMEOUT_MS / 1000 + policy.longest(RETRIES)

    return 2 * seconds if call == "twice" else seconds


@contextmanager
def invariants(caplog, office, server, connect, places, url, call):
    """
    What holds after every case.
    """
    caplog.set_level("DEBUG")
    threads = threading.active_count()
    before = descriptors(server.url, url)
    seen = {}
    started = time.monotonic()

    yield seen

    # I5, loosely, for a busy machine.
    assert time.monotonic() - started < longest(call) + 5
    # I7
    if (error := seen.get("error")) is not None:
        assert error.__cause__ is error.__context__ is None
        assert traces(CANARY, *everything_about(error)) == []
    assert traces(CANARY, *everything_about(seen.get("result"))) == []
    assert traces(CANARY, caplog.text) == []
    # I8
    office.faults("")
    assert seen["client"].health().ok if seen["reusable"] else True
    other = connect(server.url, api_key=CANARY)
    assert other.health().ok
    # I9; threads loosely: a server's come and go.
    assert threading.active_count() <= threads + 8
    assert seen["client"].tasks() == other.tasks() == set()
    # A resolver that hangs holds up the end of its loop.
    places.given_up.set()
    seen["client"].finish()
    other.finish()
    _eventually(lambda: descriptors(server.url, url) - before == {})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id.replace(" ", "-"))
def test_fault(connect, office, server, places, arrange, caplog, row):
    """
    The outcome is the documented one, and all invariants hold.
    """
    url, hostile, settings = arrange(row)

    with invariants(caplog, office, server, connect, places, url, row.call) as seen:
        client = connect(url, api_key=CANARY, timeout_ms=TIMEOUT_MS, retries=RETRIES, **settings)
        seen.update(client=client, reusable=hostile is server)
        try:
            result = perform(client, row.call)
        except ConexxusError as exc:
            seen["error"] = exc
            outcome, delivery = type(exc).__name__, str(exc.delivery)
        else:
            seen["result"] = result
            outcome, delivery = "success", ""
            _check_result(row, result)

        assert outcome == row.outcome, str(seen.get("error"))
        if row.delivery:
            assert delivery == row.delivery
        if row.requests is not None:
            _eventually(lambda: _count(hostile, seen.get("error")) == row.requests)

    assert office.ledger.doubled() == []


def _check_result(row, result):
    if row.call == "items around one bad":
        assert [type(element) for element in result] == [Item, InvalidItem, Item]
    elif row.call == "items":
        assert result
    elif row.call == "exact price":
        assert result == ["12345678901234567.89"]


def _count(server, error) -> int:
    if server is None:
        return len(error.attempts)
    if isinstance(server.requests, list):
        return len(server.requests)

    return sum(server.requests.values())


def _eventually(fact) -> None:
    deadline = time.monotonic() + 5
    while not fact():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_the_canary_is_found_where_it_is_planted(connect, office, server, caplog):
    """
    The search for the key finds a key.
    """
    office.faults("401")

    with pytest.raises(ConexxusError) as info:
        connect(server.url, api_key=CANARY).health()

    for plant in ("message", "request_id", "detail"):
        for way, form in spelled(CANARY).items():
            error = copy.copy(info.value)
            setattr(error, plant, f"leaked {form}")
            assert way in traces(CANARY, *everything_about(error))
