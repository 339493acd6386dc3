"""
Reads a catalogue as it arrives; and what both clients' streams decide without I/O.

A page is requested again only until its first items have been handed out.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import TypeAlias, cast

from conexxus_client._calls._auth_flow import authorized, is_refused
from conexxus_client._calls._call_core import CallCore
from conexxus_client._calls._error_body import read_error_body
from conexxus_client._calls._retries import Attempts
from conexxus_client._calls._retry_wait import retry_hook
from conexxus_client._calls._wire_types import AsyncReply, Limits, Reply, Request, Transport
from conexxus_client._codec import CatalogWindow, excerpt
from conexxus_client.errors import (
    AnswerError,
    ConexxusError,
    DeadlineExceededError,
    DecodeError,
    Delivery,
)
from conexxus_client.models import InvalidItem, Item

from ._page_recheck import PageRecheck
from ._pagination import Pagination


CATALOG_SECONDS = 30 * 60.0

Elements: TypeAlias = list[Item | InvalidItem]
Windows: TypeAlias = list[CatalogWindow]
# While pages are rechecked, nothing else is given out.
SIGN_OF_LIFE = CatalogWindow(digest=b"", count=0)

CatalogPass: TypeAlias = Pagination | PageRecheck


class BaseCatalogRead:
    """
    State and decisions of a catalogue read that need no I/O.
    """

    def __init__(self, core: CallCore, progress: Pagination) -> None:
        self._core = core
        self._pagination = progress
        self._pass: CatalogPass = progress
        self._seconds_left = CATALOG_SECONDS
        self._first_windows: Windows = []
        self._page_number = 0

    @property
    def not_modified(self) -> bool:
        """
        The back office has nothing newer than the ETag; there are no pages.
        """
        return self._pagination.not_modified

    @property
    def etag(self) -> str | None:
        """
        Names this version of the catalogue, if the back office does so.
        """
        return self._pagination.etag

    @property
    def total(self) -> int | None:
        """
        How many items there are, once the back office has said so.
        """
        return self._pagination.total

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
        return self._pagination.digest

    @property
    def _is_rechecking(self) -> bool:
        """
        All pages arrived, and are now compared with the back office's.
        """
        return self._pass is not self._pagination

    def _is_exhausted(self) -> bool:
        """
        Is no page left to read or to recheck?
        """
        if self._pass.request is None and not self._is_rechecking:
            self._pass = self._pagination.recheck()

        return self._pass.request is None

    def _begin_page(self) -> tuple[Request, Attempts, ExitStack]:
        """
        The next page's request, its attempts, and what ends with the page.
        """
        request = self._pass.request
        assert request is not None, "there is no next page"
        if not (self._is_rechecking or self._pass.speaks_for_page):
            self._page_number += 1
        self._attempts = self._core.attempts_within(self._seconds_left)
        page = ExitStack()
        page.enter_context(self._core.observe_call("catalogue", request, self._attempts))

        return request, self._attempts, page

    def _limits(self) -> Limits:
        timeout_ms = self._core.config.timeout_ms
        return Limits(
            timeout_ms=timeout_ms, head_ends_at=self._core.monotonic() + timeout_ms / 1000
        )

    def _feed(self, chunk: bytes) -> Windows:
        """
        Read on; what that takes counts, as a few bytes may be much to read.
        """
        since = self._core.monotonic()
        windows = self._pass.feed(chunk)
        self._count_time(since)

        return windows

    def _count_time(self, since: float) -> None:
        """
        Count time spent on the network and on reading; the consumer's does not
        count.
        """
        self._seconds_left -= self._core.monotonic() - since

        if self._seconds_left <= 0:
            raise DeadlineExceededError(delivery=Delivery.UNKNOWN)

    @contextmanager
    def _network_time(self) -> Iterator[None]:
        """
        Count all the time until a page's first items as network time.
        """
        left, since = self._seconds_left, self._core.monotonic()

        try:
            yield
        finally:
            self._seconds_left = left - (self._core.monotonic() - since)

    @contextmanager
    def _annotate_errors(self, reply: Reply | AsyncReply) -> Iterator[None]:
        """
        Add the request id to errors of an answer that arrived.
        """
        try:
            yield
        except ConexxusError as exc:
            exc.request_id = self._core.request_id(reply.headers)
            # The attempt is recorded before the call redacts its error.
            exc.message = self._core.redact(exc.message)
            if isinstance(exc, AnswerError):
                exc.delivery = Delivery.UNKNOWN
            raise

    def _is_overdue_after(self, limits: Limits) -> Callable[[], bool]:
        ends_at = limits.head_ends_at or 0.0
        return lambda: self._core.monotonic() > ends_at

    def _error_for(self, reply: Reply | AsyncReply, body: bytes, request: Request) -> ConexxusError:
        response = self._core.response(reply, body, self._core.monotonic())
        return self._core.endpoints.error_for(response, request)

    def _check_not_modified(self, reply: Reply | AsyncReply, body: bytes, request: Request) -> None:
        """
        Raises:
            ConexxusError: The answer is an error.
        """
        if self._pagination.not_modified:
            self._pagination.read_not_modified(body)
        elif not (self._pass.not_modified or self._pass.speaks_for_page):
            raise self._error_for(reply, body, request)

    def _record_failure(self, exc: ConexxusError) -> None:
        """
        Record an attempt that failed after items were handed out: no retry.
        """
        self._attempts.retries_disabled = True
        self._attempts.wait_after(exc)


class CatalogRead(BaseCatalogRead):
    """
    A catalogue on its way in.

    Attributes:
        pages: Lists of elements as they arrive, once.  They are provisional
            until the last one: an incomplete or unsuccessful answer raises
            at its end, and so do pages that are no catalogue together.
            An empty list is a sign of life while that is found out.
            Elements of known windows are not among them.
    """

    def __init__(self, core: CallCore, progress: Pagination, transport: Transport) -> None:
        super().__init__(core, progress)
        self._transport = transport
        self._page = ExitStack()
        self._stream: Iterator[Windows] = iter(())
        self._windows: Iterator[CatalogWindow] = self._iterate()
        self.pages: Iterator[Elements] = map(attrgetter("elements"), self._windows)

    def windows(self) -> Iterator[CatalogWindow]:
        """
        What `pages` gives, undivided: provisional, as an interface, too.

        A window with a count of 0 is a sign of life.
        """
        return self._windows

    def open(self) -> None:
        """
        Ask for the next page, with retries, until its first items are here.
        """
        self._open_page()

        if self._pass.speaks_for_page:
            self.close()
            self._open_page()

    def _open_page(self) -> None:
        import stamina

        request, attempts, page = self._begin_page()

        with page, self._network_time():
            for attempt in stamina.retry_context(retry_hook(attempts), attempts=None, timeout=None):
                with (
                    attempt,
                    self._core.observe_attempt("catalogue", request, attempts),
                    ExitStack() as attempt_stack,
                ):
                    self._send(request, attempt_stack)
                    page.push(attempt_stack.pop_all())
            self._page = page.pop_all()

    def close(self) -> None:
        """
        Give the connection back.
        """
        self._page.close()

    def _send(self, request: Request, attempt_stack: ExitStack) -> None:
        limits = self._limits()
        reply = self._open(request, limits, attempt_stack)
        if is_refused(self._core, reply.status):
            attempt_stack.close()
            reply = self._open(request, limits, attempt_stack)
        self._stream = iter(())
        self._attempts.status = reply.status

        if self._pass.begin(reply.status, reply.headers):
            self._stream = self._read_windows(reply)
        else:
            body = read_error_body(reply.chunks(), self._is_overdue_after(limits))
            self._check_not_modified(reply, body, request)

        self._first_windows = next(self._stream, [])

    def _open(self, request: Request, limits: Limits, attempt_stack: ExitStack) -> Reply:
        request = authorized(self._core, self._transport, request, limits)

        return attempt_stack.enter_context(self._transport.open(request, limits))

    def _read_windows(self, reply: Reply) -> Iterator[Windows]:
        with self._annotate_errors(reply):
            for chunk in self._timed_chunks(reply):
                if windows := self._feed(chunk):
                    yield windows

            if rest := self._pass.end():
                yield rest

    def _timed_chunks(self, reply: Reply) -> Iterator[bytes]:
        chunks = reply.chunks()

        while True:
            since = self._core.monotonic()
            chunk = next(chunks, None)
            self._count_time(since)
            if chunk is None:
                return
            yield chunk

    def _iterate(self) -> Iterator[CatalogWindow]:
        while True:
            with self._page:
                yield from self._page_windows()
            if self._is_exhausted():
                return
            self.open()

    def _page_windows(self) -> Iterator[CatalogWindow]:
        yield from self._first_windows
        if self._is_rechecking:
            yield SIGN_OF_LIFE

        try:
            for windows in self._stream:
                yield from windows
        except ConexxusError as exc:
            self._record_failure(exc)
            raise


def valid_items(
    elements: Elements, on_invalid: Callable[[InvalidItem], None] | None
) -> Iterator[Item]:
    """
    The items among *elements*.

    Raises:
        DecodeError: One is no item, and there is no `on_invalid`.
    """
    # In C; nearly always, all are items.
    if InvalidItem not in set(map(type, elements)):
        return cast("Iterator[Item]", iter(elements))

    return _valid_items(elements, on_invalid)


def _valid_items(
    elements: Elements, on_invalid: Callable[[InvalidItem], None] | None
) -> Iterator[Item]:
    for element in elements:
        if isinstance(element, Item):
            yield element
        elif on_invalid is not None:
            on_invalid(element)
        else:
            raise DecodeError(f"{element.reason}, at {element.path} of {excerpt(element.raw)}")
