"""
Reads a catalogue as it arrives.

A page is requested again only until its first items have been handed out.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from conexxus_client._calls._call_core import Core
from conexxus_client._calls._cancellation import patient
from conexxus_client._calls._error_body import explanation
from conexxus_client._calls._wire_types import Reply, Request, Transport
from conexxus_client.errors import ConexxusError

from ._base_catalog_stream import BaseCatalogRead, Elements
from ._pagination import Pages


class CatalogRead(BaseCatalogRead):
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
