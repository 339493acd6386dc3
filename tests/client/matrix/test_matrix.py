"""
The fault matrix over real sockets, for both clients and both families.

After every case the same invariants hold: a named error or success, in time,
the key nowhere, the next call fine, nothing left behind.
"""

import copy
import os
import pickle
import socket
import threading
import time
import traceback
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from conexxus_client import (
    ConexxusError,
    InvalidItem,
    Item,
    SalesBatch,
    Transaction,
    TransactionLine,
)

from .rows import ROWS, Row


CANARY = "canary-4c1f9e"
TIMEOUT_MS = 200
DAY = date(2026, 1, 2)


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
    if call == "twice":
        client.health()
        return client.health()

    return client.push_sales(batch(20_000 if call.startswith("large") else 1), idempotency_key="k")


@pytest.fixture
def arrange(office, server, raw_server):
    """
    Makes the cause of a row real, and gives its address and its server.
    """
    office.api_key = CANARY
    opened = []

    def at(row: Row):
        if row.place:
            return places[row.place](), None
        if row.raw:
            hostile = raw_server(row.raw)
            return hostile.url, hostile
        office.faults(row.faults)
        return server.url, server

    def refused():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return f"http://127.0.0.1:{free.getsockname()[1]}"

    def silent():
        # A full backlog: further connections are not even refused.
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        opened.append(listener)
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            opened.append(waiting)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    places = {
        "refused": refused,
        "silent": silent,
        "nowhere": lambda: "https://back-office.invalid",
        "plain": lambda: raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n").url.replace(
            "http:", "https:"
        ),
    }

    yield at

    for held in opened:
        held.close()


@contextmanager
def invariants(caplog, office, server, connect):
    """
    What holds after every case.
    """
    caplog.set_level("DEBUG")
    threads = threading.active_count()
    seen = {}
    started = time.monotonic()

    yield seen

    # I5, loosely: three attempts and two short waits, on a busy machine.
    assert time.monotonic() - started < 15
    # I7
    if (error := seen.get("error")) is not None:
        assert error.__cause__ is error.__context__ is None
        assert CANARY not in "".join(_everything_about(error))
    assert CANARY not in caplog.text
    # I8
    office.faults("")
    assert seen["client"].health().ok if seen["reusable"] else True
    assert connect(server.url, api_key=CANARY).health().ok
    # I9, loosely: a resolver thread may hang, a server's threads come and go.
    assert threading.active_count() <= threads + 8


def _everything_about(error: ConexxusError):
    yield from (str(error), repr(error), repr(error.__dict__), str(pickle.dumps(error)))
    yield from (str(copy.deepcopy(error)), str(error.__cause__), str(error.__context__))
    yield from traceback.TracebackException.from_exception(error, capture_locals=True).format()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id.replace(" ", "-"))
def test_fault(connect, office, server, arrange, caplog, row):
    """
    The outcome is the documented one, and all invariants hold.
    """
    url, hostile = arrange(row)

    with invariants(caplog, office, server, connect) as seen:
        client = connect(url, api_key=CANARY, timeout_ms=TIMEOUT_MS, retries=2)
        seen.update(client=client, reusable=hostile is server)
        try:
            result = perform(client, row.call)
        except ConexxusError as exc:
            seen["error"] = exc
            outcome, delivery = type(exc).__name__, str(exc.delivery)
        else:
            outcome, delivery = "success", ""
            _check_result(row, result)

        assert outcome == row.outcome, str(seen.get("error"))
        if row.delivery:
            assert delivery == row.delivery
        if row.requests is not None:
            _eventually(lambda: _count(hostile) == row.requests)

    assert office.ledger.doubled() == []


def _check_result(row, result):
    if row.call == "items around one bad":
        assert [type(element) for element in result] == [Item, InvalidItem, Item]
    elif row.call == "items":
        assert result
    elif row.call == "exact price":
        assert result == ["12345678901234567.89"]


def _count(server) -> int:
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

    for plant in ("message", "request_id"):
        error = copy.copy(info.value)
        setattr(error, plant, f"leaked {CANARY}")
        assert CANARY in "".join(_everything_about(error))


def test_rows_are_documented():
    """
    The documentation's table is the rows; with CONEXXUS_WRITE_DOCS=1 it is
    written.
    """
    page = Path(__file__).parents[3] / "docs/reference/faults.md"
    head = page.read_text().partition("| | What")[0]

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        page.write_text(head + table())

    assert page.read_text() == head + table()


def table() -> str:
    """
    The rows in Markdown.
    """
    lines = ["| | What goes wrong | What the caller meets | Delivery | Requests |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {row.id} | {row.title} | {_met(row)} | {row.delivery} | {row.requests or ''} |"
        for row in ROWS
    ]

    return "\n".join(line.replace("  ", " ") for line in lines) + "\n"


def _met(row: Row) -> str:
    if row.call == "items around one bad":
        return "the other items; this one is set aside"

    return "success" if row.outcome == "success" else f"`{row.outcome}`"
