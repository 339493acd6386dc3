"""
One client among threads, processes, event loops and cancellations.
"""

import asyncio
import gc
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Generator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from conexxus_client import (
    AsyncConexxusClient,
    ClientConfig,
    ConexxusClient,
    ConexxusError,
    ConfigurationError,
    SalesBatch,
    Transaction,
    TransactionLine,
)
from descriptors import descriptors


def batch(name: str) -> SalesBatch:
    sale = Transaction(
        id=name,
        timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
        total=Decimal("9.99"),
        items=[TransactionLine(sku="S", quantity=1, price=Decimal("9.99"))],
    )
    return SalesBatch(date=date(2026, 1, 2), location_id="loc", transactions=[sale])


def config(server: Any, backend: str, **settings: Any) -> ClientConfig:
    return ClientConfig(
        api_url=server.url, api_key=server.api_key, http_backend=backend, retries=0, **settings
    )


# Calls of each thread, and rounds of each child: a few here, a proof's worth
# in the long run.
SHORT_OR_LONG = [pytest.param(False), pytest.param(True, marks=pytest.mark.long)]


@pytest.mark.fault("K06", "32 threads on one client", "each gets its own answers")
@pytest.mark.parametrize("thorough", SHORT_OR_LONG, ids=["short", "long"])
@pytest.mark.parametrize("connections", [1, 4, 32])
def test_threads(office, server, backend, connections, thorough):
    """
    Thirty-two threads on one client get their own answers, without a single
    error or retry, however few connections there are.
    """
    each = 1_000 if thorough else 8
    problems = Counter()

    def work(client: ConexxusClient, number: int) -> None:
        for n in range(each):
            name = f"{number}-{n}"
            try:
                receipt = client.push_sales(batch(name), idempotency_key=name)
                if receipt.accepted != 1:
                    problems["wrong"] += 1
            except ConexxusError as exc:
                problems[repr(exc)] += 1

    with ConexxusClient(config(server, backend, max_connections=connections)) as client:
        threads = [threading.Thread(target=work, args=(client, n)) for n in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert not problems
    assert server.requests["sales"] == 32 * each
    assert office.ledger.doubled() == []
    assert len(office.ledger.sales("loc", date(2026, 1, 2))) == 32 * each


@pytest.mark.fault("K04", "A fork after the first request", "each process gets its own answers")
@pytest.mark.parametrize("thorough", SHORT_OR_LONG, ids=["short", "long"])
def test_fork(server, backend, thorough):
    """
    Children forked from a process with a warm client get their own answers.
    """
    client = ConexxusClient(config(server, backend))
    # Two connections are open and idle before the fork.
    with client.open_catalog():
        client.health()
    children = []

    for number in range(8):
        pid = os.fork()
        if pid == 0:
            os._exit(_pushes_well(client, f"child-{number}", 170 if thorough else 3))
        children.append(pid)

    parent = _pushes_well(client, "parent", 3)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    client.close()

    assert (parent, codes) == (0, [0] * 8)


def _pushes_well(client: ConexxusClient, name: str, rounds: int) -> int:
    """
    An exit code: 0 if every answer was the right one.
    """
    try:
        for n in range(rounds):
            client.push_sales(batch(f"{name}-{n}"), idempotency_key=f"{name}-{n}")
            assert len(client.fetch_items()) == 5
            assert client.health().status == "ok"
    except Exception:
        return 1
    return 0


# Who ends a loop without closing the client leaves its connections to the
# garbage collector, which says so.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_several_loops(server, backend):
    """
    An async client may outlive the event loop that it was used on.
    """

    async def ask(client: AsyncConexxusClient) -> bool:
        return (await client.health()).ok

    async def make() -> AsyncConexxusClient:
        return AsyncConexxusClient(config(server, backend))

    client = asyncio.run(make())

    assert [asyncio.run(ask(client)) for _ in range(3)] == [True] * 3

    del client
    gc.collect()


@pytest.mark.fault("K06", "Closed during use", "the call ends well, the next is refused")
def test_close_during_use(server, backend):
    """
    A client that is closed finishes what it is doing, and then refuses.
    """
    client = ConexxusClient(config(server, backend))

    with client.open_catalog() as read:
        client.close()
        elements = [element for page in read.pages for element in page]

    assert len(elements) == 5
    with pytest.raises(ConfigurationError, match="closed"):
        client.health()
    client.close()


class CancelledAt:
    """
    Awaits something, and is cancelled at its n-th suspension.
    """

    def __init__(self, work: Awaitable[Any], n: int) -> None:
        self.work, self.n, self.reached = work, n, False

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.work.__await__()
        step, n = lambda: next(steps), 0

        while True:
            try:
                wait = step()
            except StopIteration as done:
                return done.value
            if n == self.n:
                self.reached = True
                wait = steps.throw(asyncio.CancelledError())
            n += 1
            try:
                sent = yield wait
                step = partial(steps.send, sent)
            except BaseException as exc:
                step = partial(steps.throw, exc)


async def iterate(client: AsyncConexxusClient) -> int:
    return len([item async for item in client.iter_items()])


async def read(client: AsyncConexxusClient) -> int:
    async with client.open_catalog() as catalog:
        return len([page async for page in catalog.pages])


CALLS = {
    "health": lambda client: client.health(),
    "test_connection": lambda client: client.test_connection(),
    "fetch_items": lambda client: client.fetch_items(),
    "iter_items": iterate,
    "open_catalog": read,
    "push_sales": lambda client: client.push_sales(batch("t"), idempotency_key="k"),
    "aclose": lambda client: client.aclose(),
}


# A client that has no connection has nothing to wait for when it is closed.
SUSPENSIONS = {("aclose", False): 0, ("aclose", True): 1}


@pytest.mark.fault(
    "K07", "Cancelled at any await", "no descriptor stays open; the next call succeeds"
)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("call", CALLS)
def test_cancellation(office, server, backend, call, warm):
    """
    Cancelled at any of its suspensions, a call leaves the client usable and
    no descriptor open.
    """
    office.page_size = 2

    async def cancel_everywhere() -> int:
        n = 0

        while True:
            async with AsyncConexxusClient(config(server, backend, max_connections=1)) as client:
                if warm:
                    await client.health()
                attempt = CancelledAt(CALLS[call](client), n)
                with suppress(asyncio.CancelledError):
                    await attempt
                if not attempt.reached:
                    return n
                if call != "aclose":
                    assert (await client.health()).ok
            n += 1

    with asyncio.Runner() as runner:
        runner.run(_a_few_rounds())
        before = descriptors(server.url)
        suspensions = runner.run(cancel_everywhere())
        runner.run(_a_few_rounds())
        left = descriptors(server.url) - before

    assert suspensions >= SUSPENSIONS.get((call, warm), 2)
    assert left == {}


async def _a_few_rounds() -> None:
    """
    asyncio closes a socket one round after it was told to.
    """
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.case("B9", "A client is closed on another loop than it was used on", "it closes")
@pytest.mark.parametrize("calls", [1, 3])
def test_closing_on_another_loop(server, backend, calls):
    """
    The first loop has ended, and with it the client's connections.
    """
    config = ClientConfig(api_url=server.url, api_key="sandbox-key", http_backend=backend)
    client = AsyncConexxusClient(config)

    async def use():
        answers = await asyncio.gather(*[client.health() for _ in range(calls)])
        return all(answer.ok for answer in answers)

    assert asyncio.run(use())
    asyncio.run(client.aclose())
    asyncio.run(client.aclose())

    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(client.health())

    gc.collect()
