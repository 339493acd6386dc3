"""
The transport over httpcore or httpcore2, on which httpx and httpx2 are built.

It sends to one origin only, so its pool is a stack of connections.  Each is a
`ConnectionPool` of one that serves one request at a time: no other thread can
close it, no cancelled task can break it for the next, and after any error it
is discarded.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from conexxus_client._calls._wire_types import Headers, Limits, Reply, Request
from conexxus_client.config import ClientConfig
from conexxus_client.errors import (
    ConnectionLostError,
    Delivery,
    ProtocolError,
    RequestTimeoutError,
)

from ._body_decoder import BodyDecoder
from ._connection_options import ConnectionOptions, load_httpcore
from ._deadline_backend import deadline_scope, sync_backend
from ._error_translation import ErrorTranslation
from ._fair_semaphore import FairSemaphore


class HttpcoreTransport:
    """
    Sends over connections of its own.

    After a fork, the child opens connections of its own.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._httpcore = load_httpcore(config)
        self._options = ConnectionOptions(self._httpcore, config, sync_backend(self._httpcore))
        self._limit = config.max_connections
        self._closed = False
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._free = FairSemaphore(self._limit)
        # With what each was opened.
        self._idle: list[tuple[Any, Any]] = []

    @contextmanager
    def open(self, request: Request, limits: Limits) -> Iterator[Reply]:
        """
        Send *request*; the answer is closed with the context.
        """
        if self._pid != os.getpid():
            self._reset()

        with self._connection(limits) as (connection, is_reused):
            try:
                response = self._send(connection, request, limits)
            except (ConnectionLostError, ProtocolError):
                if not (is_reused and is_safe_to_repeat(request)):
                    raise
                response = self._send(connection, request, limits)

            try:
                yield HttpcoreReply(response, request, limits)
            finally:
                response.close()

    def _send(self, connection: Any, request: Request, limits: Limits) -> Any:
        with (
            ErrorTranslation(limits, self._options.proxy),
            deadline_scope(limits.head_ends_at) as scope,
        ):
            response = connection.handle_request(httpcore_request(self._httpcore, request, limits))

        if scope.is_unsolicited:
            response.close()
            raise ConnectionLostError(delivery=Delivery.UNKNOWN)

        return response

    @contextmanager
    def _connection(self, limits: Limits) -> Iterator[tuple[Any, bool]]:
        """
        A connection, and whether it was used before.
        """
        free, idle = self._free, self._idle

        if not free.acquire(timeout_s=limits.timeout_ms / 1000):
            raise RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)

        try:
            options = self._options.current()
            is_reused = bool(idle)
            connection: Any = None
            former = options
            if is_reused:
                connection, former = idle.pop()
            if former is not options:
                connection.close()
                is_reused = False
            if not is_reused:
                connection = self._httpcore.ConnectionPool(**options)
            try:
                yield connection, is_reused
            except BaseException:
                connection.close()
                raise
            if self._closed:
                connection.close()
            else:
                idle.append((connection, options))
        finally:
            free.release()

    def close(self) -> None:
        """
        Close what is idle; what is in use closes after its use.
        """
        self._closed = True

        while self._idle:
            self._idle.pop()[0].close()


class BaseHttpcoreReply:
    """
    An answer whose body is still on the wire.
    """

    def __init__(self, response: Any, request: Request, limits: Limits) -> None:
        self.status: int = response.status
        self.headers = headers_of(response)
        self._response = response
        self._max_bytes = request.max_bytes
        self._limits = limits


class HttpcoreReply(BaseHttpcoreReply):
    """
    One that is read from a thread.
    """

    def chunks(self) -> Iterator[bytes]:
        """
        The decoded body, piece by piece.
        """
        body = BodyDecoder(self.headers, self._max_bytes)
        raw = iter(self._response.stream)

        while True:
            with ErrorTranslation(self._limits), deadline_scope(self._limits.ends_at):
                chunk = next(raw, None)
            if chunk is None:
                break
            yield from body.feed(chunk)

        body.finish()


def is_safe_to_repeat(request: Request) -> bool:
    """
    May it be sent again at once on a new connection?

    A server may close a kept-alive connection just as a request is sent (RFC
    9112, 9.3.1): that is no failure of the server, and a GET is safe.
    """
    return request.method == "GET"


def httpcore_request(httpcore: ModuleType, request: Request, limits: Limits) -> Any:
    """
    httpcore's request, with the secret headers: it exists while it is sent.
    """
    seconds = limits.timeout_ms / 1000
    extra = [("Host", urlsplit(request.url).netloc)]

    if request.body is not None:
        extra.append(("Content-Length", str(len(request.body))))

    # In no local variable: those are what error reporters show.
    return httpcore.Request(
        request.method,
        request.url,
        headers=[
            (name.encode("ascii"), value.encode("ascii"))
            for name, value in (*extra, *request.wire_headers())
        ],
        content=request.body,
        extensions={
            "timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
        },
    )


def headers_of(response: Any) -> Headers:
    """
    The fields of an answer (RFC 9110 lets them be any bytes but controls).
    """
    return Headers(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
    )
