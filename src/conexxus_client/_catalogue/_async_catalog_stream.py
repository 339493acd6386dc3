"""
Reads a catalogue as it arrives, on an event loop: the twin of `_catalog_stream`.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from conexxus_client._calls._call_core import Core
from conexxus_client._calls._error_body import explanation_async
from conexxus_client._calls._wire_types import AsyncReply, AsyncTransport, Request
from conexxus_client.errors import ConexxusError

from ._base_catalog_stream import BaseCatalogRead, Elements
from ._pagination import Pages


class AsyncCatalogRead(BaseCatalogRead):
    """
    `CatalogRead` for an event loop.
    """

    def __init__(self, core: Core, progress: Pages, transport: AsyncTransport) -> None:
        super().__init__(core, progress)
        self._transport = transport
        self._page = AsyncExitStack()
        self._stream: AsyncGenerator[Elements] = _nothing()
        self.pages: AsyncGenerator[Elements] = self._iterate()

    async def open(self) -> None:
        """
        Ask for the next page, with retries, until its first items are here.
        """
        import stamina

        request, attempts, observed = self._begin_page()

        async with AsyncExitStack() as page:
            page.enter_context(observed)
            page.enter_context(self._opening())
            async for attempt in stamina.retry_context(
                attempts.wait_after, attempts=None, timeout=None
            ):
                with attempt, self._core.attempting("catalogue", request, attempts):
                    async with AsyncExitStack() as tried:
                        await self._start(request, tried)
                        page.push_async_exit(tried.pop_all())
            self._page = page.pop_all()

    async def close(self) -> None:
        """
        Give the connection back.
        """
        await self._page.aclose()

    async def _start(self, request: Request, tried: AsyncExitStack) -> None:
        limits = self._limits()
        reply = await tried.enter_async_context(self._transport.open(request, limits))
        self._stream = _nothing()
        self._attempts.status = reply.status

        if self._course.begin(reply.status, reply.headers):
            self._stream = self._elements(reply)
        elif not self._course.not_modified:
            body = await explanation_async(reply.chunks(), self._too_late(limits))
            raise self._failure(reply, body, request)

        self._first = await anext(self._stream, [])

    async def _elements(self, reply: AsyncReply) -> AsyncGenerator[Elements]:
        with self._evident(reply):
            async with aclosing(self._timed(reply)) as chunks:
                async for chunk in chunks:
                    if elements := self._course.feed(chunk):
                        yield elements

            if rest := self._course.end():
                yield rest

    async def _timed(self, reply: AsyncReply) -> AsyncGenerator[bytes]:
        async with aclosing(reply.chunks()) as chunks:
            while True:
                since = self._core.monotonic()
                chunk = await anext(chunks, None)
                self._waited(since)
                if chunk is None:
                    return
                yield chunk

    async def _iterate(self) -> AsyncGenerator[Elements]:
        while True:
            async with self._page, aclosing(self._rest()) as rest:
                async for elements in rest:
                    yield elements
            if self._is_over():
                return
            await self.open()

    async def _rest(self) -> AsyncGenerator[Elements]:
        if self._first or self._looks_again:
            yield self._first

        try:
            async with aclosing(self._stream):
                async for elements in self._stream:
                    yield elements
        except ConexxusError as exc:
            self._broke_off(exc)
            raise


async def _nothing() -> AsyncGenerator[Elements]:
    empty: list[Elements] = []
    for elements in empty:
        yield elements
