"""
Reads a catalogue as it arrives, on an event loop: the twin of `_catalog_stream`.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from conexxus_client._calls._auth_flow import authorized_async, is_refused
from conexxus_client._calls._call_core import CallCore
from conexxus_client._calls._error_body import read_error_body_async
from conexxus_client._calls._wire_types import AsyncReply, AsyncTransport, Limits, Request
from conexxus_client._codec import CatalogWindow
from conexxus_client.errors import ConexxusError

from ._catalog_stream import SIGN_OF_LIFE, BaseCatalogRead, Elements, Windows
from ._pagination import Pagination


class AsyncCatalogRead(BaseCatalogRead):
    """
    `CatalogRead` for an event loop.
    """

    def __init__(self, core: CallCore, progress: Pagination, transport: AsyncTransport) -> None:
        super().__init__(core, progress)
        self._transport = transport
        self._page = AsyncExitStack()
        self._stream: AsyncGenerator[Windows] = _no_windows()
        self._windows: AsyncGenerator[CatalogWindow] = self._iterate()
        self.pages: AsyncGenerator[Elements] = self._elements()

    def windows(self) -> AsyncGenerator[CatalogWindow]:
        """
        What `pages` gives, undivided: provisional, as an interface, too.

        A window with a count of 0 is a sign of life.
        """
        return self._windows

    async def open(self) -> None:
        """
        Ask for the next page, with retries, until its first items are here.
        """
        await self._open_page()

        if self._pass.speaks_for_page:
            await self.close()
            await self._open_page()

    async def _open_page(self) -> None:
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
        reply = await self._open(request, limits, attempt_stack)
        if is_refused(self._core, reply.status):
            await attempt_stack.aclose()
            reply = await self._open(request, limits, attempt_stack)
        self._stream = _no_windows()
        self._attempts.status = reply.status

        if self._pass.begin(reply.status, reply.headers):
            self._stream = self._read_windows(reply)
        else:
            body = await read_error_body_async(reply.chunks(), self._is_overdue_after(limits))
            self._check_not_modified(reply, body, request)

        self._first_windows = await anext(self._stream, [])

    async def _open(
        self, request: Request, limits: Limits, attempt_stack: AsyncExitStack
    ) -> AsyncReply:
        request = await authorized_async(self._core, self._transport, request, limits)

        return await attempt_stack.enter_async_context(self._transport.open(request, limits))

    async def _elements(self) -> AsyncGenerator[Elements]:
        async with aclosing(self._windows):
            async for window in self._windows:
                yield window.elements

    async def _read_windows(self, reply: AsyncReply) -> AsyncGenerator[Windows]:
        with self._annotate_errors(reply):
            async with aclosing(self._timed_chunks(reply)) as chunks:
                async for chunk in chunks:
                    if windows := self._feed(chunk):
                        yield windows

            if rest := self._pass.end():
                yield rest

    async def _timed_chunks(self, reply: AsyncReply) -> AsyncGenerator[bytes]:
        async with aclosing(reply.chunks()) as chunks:
            while True:
                since = self._core.monotonic()
                chunk = await anext(chunks, None)
                self._count_time(since)
                if chunk is None:
                    return
                yield chunk

    async def _iterate(self) -> AsyncGenerator[CatalogWindow]:
        while True:
            async with self._page, aclosing(self._page_windows()) as rest:
                async for window in rest:
                    yield window
            if self._is_exhausted():
                return
            await self.open()

    async def _page_windows(self) -> AsyncGenerator[CatalogWindow]:
        for window in self._first_windows:
            yield window
        if self._is_rechecking:
            yield SIGN_OF_LIFE

        try:
            async with aclosing(self._stream):
                async for windows in self._stream:
                    for window in windows:
                        yield window
        except ConexxusError as exc:
            self._record_failure(exc)
            raise


async def _no_windows() -> AsyncGenerator[Windows]:
    empty: list[Windows] = []
    for windows in empty:
        yield windows
