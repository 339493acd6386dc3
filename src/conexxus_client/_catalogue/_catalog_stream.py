"""
Reading a catalogue as it arrives.

A page is asked for again only until its first items have been handed out.
"""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, contextmanager
from typing import TypeAlias

from conexxus_client._calls._call_core import CATALOG_SECONDS, Core
from conexxus_client._calls._cancellation import patient
from conexxus_client._calls._endpoints import failure
from conexxus_client._calls._error_body import explanation, explanation_async
from conexxus_client._calls._retries import Attempts
from conexxus_client._calls._wire_types import (
    AsyncReply,
    AsyncTransport,
    Limits,
    Reply,
    Request,
    Transport,
)
from conexxus_client._codec import shown
from conexxus_client.errors import (
    AnswerError,
    ConexxusError,
    DeadlineExceededError,
    DecodeError,
    Delivery,
)
from conexxus_client.models import InvalidItem, Item

from ._page_recheck import SecondLook
from ._pagination import Pages


Elements: TypeAlias = list[Item | InvalidItem]
Course: TypeAlias = Pages | SecondLook


class _Reading:
    """
    What both kinds of reading know.
    """

    def __init__(self, core: Core, progress: Pages) -> None:
        self._core = core
        self._progress = progress
        self._course: Course = progress
        self._seconds_left = CATALOG_SECONDS
        self._first: Elements = []
        self._page_number = 0

    @property
    def not_modified(self) -> bool:
        """
        The back office has nothing newer than the ETag; there are no pages.
        """
        return self._progress.not_modified

    @property
    def etag(self) -> str | None:
        """
        Names this version of the catalogue, if the back office does so.
        """
        return self._progress.etag

    @property
    def total(self) -> int | None:
        """
        How many items there are, once the back office has said so.
        """
        return self._progress.total

    @property
    def page(self) -> int:
        """
        Number of the page that the last elements came on; 0 before the first.
        """
        return self._page_number

    @property
    def digest(self) -> bytes:
        """
        SHA-256 over the items as they came; final after the last page.
        """
        return self._progress.digest

    @property
    def _looks_again(self) -> bool:
        """
        All pages came; now it is seen whether they belong together.
        """
        return self._course is not self._progress

    def _is_over(self) -> bool:
        """
        Is there no page left to ask for, nor to look at again?
        """
        if self._course.request is None and not self._looks_again:
            self._course = self._progress.second_look()

        return self._course.request is None

    def _begin_page(self) -> tuple[Request, Attempts, ExitStack]:
        """
        The next page's request, its attempts, and what ends with the page.
        """
        request = self._course.request
        assert request is not None, "there is no next page"
        if not self._looks_again:
            self._page_number += 1
        self._attempts = self._core.attempts_within(self._seconds_left)
        page = ExitStack()
        page.enter_context(self._core.observing("catalogue", request, self._attempts))

        return request, self._attempts, page

    def _limits(self) -> Limits:
        timeout_ms = self._core.config.timeout_ms
        return Limits(
            timeout_ms=timeout_ms, head_ends_at=self._core.monotonic() + timeout_ms / 1000
        )

    def _waited(self, since: float) -> None:
        """
        Count time spent on the network; the consumer's does not count.
        """
        self._seconds_left -= self._core.monotonic() - since

        if self._seconds_left <= 0:
            raise DeadlineExceededError(delivery=Delivery.UNKNOWN)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """
        All the time until a page's first items is the network's.
        """
        left, since = self._seconds_left, self._core.monotonic()

        try:
            yield
        finally:
            self._seconds_left = left - (self._core.monotonic() - since)

    @contextmanager
    def _evident(self, reply: Reply | AsyncReply) -> Iterator[None]:
        """
        What goes wrong with an answer that came says which one it was.
        """
        try:
            yield
        except ConexxusError as exc:
            exc.request_id = self._core.request_id(reply.headers)
            # It is recorded before the call ends.
            exc.message = self._core.config.api_key.redact(exc.message)
            if isinstance(exc, AnswerError):
                exc.delivery = Delivery.UNKNOWN
            raise

    def _too_late(self, limits: Limits) -> Callable[[], bool]:
        ends_at = limits.head_ends_at or 0.0
        return lambda: self._core.monotonic() > ends_at

    def _failure(self, reply: Reply | AsyncReply, body: bytes, request: Request) -> ConexxusError:
        response = self._core.response(reply, body, self._core.monotonic())
        return failure(response, request.path, self._core.profile)

    def _broke_off(self, exc: ConexxusError) -> None:
        """
        Items were handed out already: remember the attempt, don't repeat it.
        """
        self._attempts.sealed = True
        self._attempts.wait_after(exc)


class CatalogRead(_Reading):
    """
    A catalogue on its way in.

    Attributes:
        pages: Lists of elements as they arrive, once.  They are provisional
            until the last one: an incomplete or unsuccessful answer raises
            at its end, and so do pages that are no catalogue together.
            An empty list is a sign of life while that is found out.
    """

    def __init__(self, core: Core, progress: Pages, transport: Transport) -> None:
        super().__init__(core, progress)
        self._transport = transport
        self._page = ExitStack()
        self._stream: Iterator[Elements] = iter(())
        self.pages: Iterator[Elements] = self._iterate()

    def open(self) -> None:
        """
        Ask for the next page, with retries, until its first items are here.
        """
        import stamina

        request, attempts, page = self._begin_page()

        with page, self._opening():
            for attempt in stamina.retry_context(patient(attempts), attempts=None, timeout=None):
                with (
                    attempt,
                    self._core.attempting("catalogue", request, attempts),
                    ExitStack() as tried,
                ):
                    self._start(request, tried)
                    page.push(tried.pop_all())
            self._page = page.pop_all()

    def close(self) -> None:
        """
        Give the connection back.
        """
        self._page.close()

    def _start(self, request: Request, tried: ExitStack) -> None:
        limits = self._limits()
        reply = tried.enter_context(self._transport.open(request, limits))
        self._stream = iter(())
        self._attempts.status = reply.status

        if self._course.begin(reply.status, reply.headers):
            self._stream = self._elements(reply)
        elif not self._course.not_modified:
            body = explanation(reply.chunks(), self._too_late(limits))
            raise self._failure(reply, body, request)

        self._first = next(self._stream, [])

    def _elements(self, reply: Reply) -> Iterator[Elements]:
        with self._evident(reply):
            for chunk in self._timed(reply):
                if elements := self._course.feed(chunk):
                    yield elements

            if rest := self._course.end():
                yield rest

    def _timed(self, reply: Reply) -> Iterator[bytes]:
        chunks = reply.chunks()

        while True:
            since = self._core.monotonic()
            chunk = next(chunks, None)
            self._waited(since)
            if chunk is None:
                return
            yield chunk

    def _iterate(self) -> Iterator[Elements]:
        while True:
            with self._page:
                yield from self._rest()
            if self._is_over():
                return
            self.open()

    def _rest(self) -> Iterator[Elements]:
        if self._first or self._looks_again:
            yield self._first

        try:
            yield from self._stream
        except ConexxusError as exc:
            self._broke_off(exc)
            raise


class AsyncCatalogRead(_Reading):
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


def valid(elements: Elements, on_invalid: Callable[[InvalidItem], None] | None) -> Iterator[Item]:
    """
    The items among *elements*.

    Raises:
        DecodeError: One is no item, and nobody wants to know.
    """
    for element in elements:
        if isinstance(element, Item):
            yield element
        elif on_invalid is not None:
            on_invalid(element)
        else:
            raise DecodeError(f"{element.reason}, at {element.path} of {shown(element.raw)}")


async def _nothing() -> AsyncGenerator[Elements]:
    empty: list[Elements] = []
    for elements in empty:
        yield elements
