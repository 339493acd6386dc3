"""
Awaits coroutines of the host from a thread of the SDK, in the event loop that they belong to.
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import aclosing, suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import attrs

from conexxus_sync.errors import HostError
from conexxus_sync.protocols import Stream


T = TypeVar("T")

_BATCH = 200
_GLANCE = 1.0
# For a coroutine that was cancelled to give back what it holds.
_FAREWELL = 5.0


@attrs.define(eq=False)
class ThreadCalls:
    """
    What a coroutine has done by the thread that waits for it.

    The store is read there: nothing that may wait for a disk runs in the loop.
    """

    _work: SimpleQueue[Callable[[], None] | None] = attrs.field(factory=SimpleQueue, init=False)

    async def call(self, function: Callable[[], T]) -> T:
        """
        What *function* returns in the thread.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = function()
            except Exception as exc:  # noqa: BLE001 - raised in the coroutine
                loop.call_soon_threadsafe(_set, answer.set_exception, answer, exc)
            else:
                loop.call_soon_threadsafe(_set, answer.set_result, answer, result)

        self._work.put(work)
        return await answer

    def end(self) -> None:
        """
        The coroutine has ended.
        """
        self._work.put(None)

    def wait_for_end(self, seconds: float) -> None:
        """
        Do no more of its work.
        """
        ends = time.monotonic() + seconds

        with suppress(Empty):
            while self._work.get(timeout=max(0, ends - time.monotonic())) is not None:
                pass

    def until_end(self, loop: asyncio.AbstractEventLoop) -> Iterator[Callable[[], None]]:
        """
        The work, one by one, until the coroutine has ended.

        Raises:
            HostError: The loop was closed, and nothing goes on.
        """
        while True:
            try:
                work = self._work.get(timeout=_GLANCE)
            except Empty:
                if loop.is_closed():
                    msg = "the event loop was closed while the host's coroutine was at work in it"
                    raise HostError(msg) from None
                continue
            if work is None:
                return
            yield work


def await_in(
    loop: asyncio.AbstractEventLoop, make: Callable[[ThreadCalls], Coroutine[Any, Any, T]]
) -> T:
    """
    What the coroutine returns that *make* makes, once it has ended in *loop*.

    Raises:
        HostError: This thread is the one that the loop runs in, or it was closed.
    """
    calls = ThreadCalls()
    outcome = _begin(loop, calls, make(calls))

    try:
        for work in calls.until_end(loop):
            work()
        return outcome.result()
    finally:
        _leave(outcome, calls)


def iterate_in(
    loop: asyncio.AbstractEventLoop, make: Callable[[], AsyncGenerator[T, None]]
) -> Iterator[T]:
    """
    The values that an asynchronous generator yields in *loop*, in one task,
    which also closes it.

    No more than a few hundred are read ahead of the consumer.
    """
    calls = ThreadCalls()
    ready: list[T] = []

    async def read() -> None:
        batch: list[T] = []
        async with aclosing(make()) as values:
            async for value in values:
                batch.append(value)
                if len(batch) == _BATCH:
                    await calls.call(lambda: ready.extend(batch))
                    batch.clear()
        await calls.call(lambda: ready.extend(batch))

    outcome = _begin(loop, calls, read())

    try:
        for work in calls.until_end(loop):
            work()
            yield from ready
            ready.clear()
        outcome.result()
    finally:
        _leave(outcome, calls)


@attrs.frozen
class AsyncStream(Generic[T]):
    """
    A stream of the store as the host's coroutine iterates it.
    """

    stream: Stream[T]
    calls: ThreadCalls

    def __len__(self) -> int:
        return len(self.stream)

    async def __aiter__(self) -> AsyncIterator[T]:
        values = await self.calls.call(lambda: iter(self.stream))

        while batch := await self.calls.call(lambda: list(islice(values, _BATCH))):
            for value in batch:
                yield value


def current_loop() -> asyncio.AbstractEventLoop:
    """
    The loop that runs in this thread; where none does, the one of the SDK, which
    runs in a thread of its own.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return _own_loop()


def _own_loop() -> asyncio.AbstractEventLoop:
    # A child process has no copy of the parent's thread.
    process = os.getpid()

    with _lock:
        if process not in _loops:
            _loops[process] = loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="conexxus-async", daemon=True).start()

        return _loops[process]


_loops: dict[int, asyncio.AbstractEventLoop] = {}
_lock = threading.Lock()


def _begin(
    loop: asyncio.AbstractEventLoop, calls: ThreadCalls, coroutine: Coroutine[Any, Any, T]
) -> Future[T]:
    async def whole() -> T:
        try:
            return await coroutine
        finally:
            calls.end()

    if reason := _unusable(loop):
        coroutine.close()
        raise HostError(reason)

    return asyncio.run_coroutine_threadsafe(whole(), loop)


def _unusable(loop: asyncio.AbstractEventLoop) -> str | None:
    if loop.is_closed():
        return "the event loop that the host's coroutine needs is closed"

    try:
        is_here = asyncio.get_running_loop() is loop
    except RuntimeError:
        return None

    return _HERE if is_here else None


_HERE = (
    "this thread runs the event loop that the host's coroutine needs: call the service in "
    "another one, as in `await asyncio.to_thread(service.sync_inventory)`"
)


def _leave(outcome: Future[Any], calls: ThreadCalls) -> None:
    """
    A coroutine that is still at work gets the time to give back what it holds.
    """
    if outcome.cancel():
        calls.wait_for_end(_FAREWELL)


def _set(setter: Callable[[Any], None], answer: asyncio.Future[Any], value: Any) -> None:
    """
    A coroutine that was cancelled takes no answer.
    """
    if not answer.done():
        setter(value)
