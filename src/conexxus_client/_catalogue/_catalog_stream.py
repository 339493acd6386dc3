"""
Reads a catalogue as it arrives.

A page is requested again only until its first items have been handed out.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from conexxus_client._calls._auth_flow import authorized, is_refused
from conexxus_client._calls._call_core import CallCore
from conexxus_client._calls._error_body import read_error_body
from conexxus_client._calls._retry_wait import retry_hook
from conexxus_client._calls._wire_types import Limits, Reply, Request, Transport
from conexxus_client._codec import CatalogWindow
from conexxus_client.errors import ConexxusError

from ._base_catalog_stream import SIGN_OF_LIFE, BaseCatalogRead, Elements, Windows
from ._pagination import Pagination


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
        self.pages: Iterator[Elements] = (window.elements for window in self._windows)

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
