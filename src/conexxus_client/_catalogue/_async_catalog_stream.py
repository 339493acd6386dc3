"""
Reads a catalogue as it arrives, on an event loop: the twin of `_catalog_stream`.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from conexxus_client._calls._call_core import CallCore
from conexxus_client._calls._error_body import read_error_body_async
from conexxus_client._calls._wire_types import AsyncReply, AsyncTransport, Request
from conexxus_client.errors import ConexxusError

from ._base_catalog_stream import BaseCatalogRead, Elements
from ._pagination import Pagination


class AsyncCatalogRead(BaseCatalogRead):
    """
    `CatalogRead` for an event loop.
    """

    def __init__(self, core: CallCore, progress: Pagination, transport: AsyncTransport) -> None:
        super().__init__(core, progress)
        self._transport = transport
        self._page = AsyncExitStack()
        self._stream: AsyncGenerator[Elements] = _no_elements()
        self.pages: AsyncGenerator[Elements] = self._iterate()

    async def open(self) -> None:
        """
        Ask for the next page, with retries, until its first items are here.
        """
        import stamina

        request, attempts, observed = self._begin_page()

        async with AsyncExitStack() as page:
            page.enter_context(observed)
            page.enter_context(self._network_time())
            async for attempt in stamina.retry_context(
                attempts.wait_after, attempts=None, timeout=None
            ):
                with attempt, self._core.observe_attempt("catalogue", request, attempts):
                    async with AsyncExitStack() as attempt_stack:
                        await self._send(request, attempt_stack)
                        page.push_async_exit(attempt_stack.pop_all())
            self._page = page.pop_all()

    async def close(self) -> None:
        """
        Give the connection back.
        """
        await self._page.aclose()

    async def _send(self, request: Request, attempt_stack: AsyncExitStack) -> None:
        limits = self._limits()
        reply = await attempt_stack.enter_async_context(self._transport.open(request, limits))
        self._stream = _no_elements()
        self._attempts.status = reply.status

        if self._pass.begin(reply.status, reply.headers):
            self._stream = self._elements(reply)
        elif not self._pass.not_modified:
            body = await read_error_body_async(reply.chunks(), self._is_overdue_after(limits))
            raise self._error_for(reply, body, request)

        self._first_elements = await anext(self._stream, [])

    async def _elements(self, reply: AsyncReply) -> AsyncGenerator[Elements]:
        with self._annotate_errors(reply):
            async with aclosing(self._timed_chunks(reply)) as chunks:
                async for chunk in chunks:
                    if elements := self._pass.feed(chunk):
                        yield elements

            if rest := self._pass.end():
                yield rest

    async def _timed_chunks(self, reply: AsyncReply) -> AsyncGenerator[bytes]:
        async with aclosing(reply.chunks()) as chunks:
            while True:
                since = self._core.monotonic()
                chunk = await anext(chunks, None)
                self._count_network_time(since)
                if chunk is None:
                    return
                yield chunk

    async def _iterate(self) -> AsyncGenerator[Elements]:
        while True:
            async with self._page, aclosing(self._page_elements()) as rest:
                async for elements in rest:
                    yield elements
            if self._is_exhausted():
                return
            await self.open()

    async def _page_elements(self) -> AsyncGenerator[Elements]:
        if self._first_elements or self._is_rechecking:
            yield self._first_elements

        try:
            async with aclosing(self._stream):
                async for elements in self._stream:
                    yield elements
        except ConexxusError as exc:
            self._record_failure(exc)
            raise


async def _no_elements() -> AsyncGenerator[Elements]:
    empty: list[Elements] = []
    for elements in empty:
        yield elements
