"""
The transport over httpcore or httpcore2, for an event loop.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from conexxus_client._calls._wire_types import AsyncReply, Limits, Request
from conexxus_client.config import ClientConfig
from conexxus_client.errors import (
    ConnectionLostError,
    Delivery,
    ProtocolError,
    RequestTimeoutError,
)

from ._async_deadline_backend import async_backend
from ._body_decoder import BodyDecoder
from ._connection_options import ConnectionOptions, load_httpcore
from ._deadline_backend import deadline_scope
from ._error_translation import ErrorTranslation
from ._httpcore import (
    BaseHttpcoreReply,
    httpcore_request,
    is_safe_to_repeat,
)


class AsyncHttpcoreTransport:
    """
    Sends over connections of its own.

    Another event loop, or a fork, starts with connections of its own.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._httpcore = load_httpcore(config)
        self._options = ConnectionOptions(self._httpcore, config, async_backend(self._httpcore))
        self._limit = config.max_connections
        self._closed = False
        self._owner: object = None
        self._free = asyncio.Semaphore(self._limit)
        # With what each was opened.
        self._idle: list[tuple[Any, Any]] = []

    def _bind_to_loop(self) -> None:
        """
        A connection belongs to the loop and the process that opened it.
        """
        owner = (asyncio.get_running_loop(), os.getpid())

        if self._owner != owner:
            self._owner = owner
            self._free = asyncio.Semaphore(self._limit)
            self._idle = []

    @asynccontextmanager
    async def open(self, request: Request, limits: Limits) -> AsyncIterator[AsyncReply]:
        """
        Send *request*; the answer is closed with the context.
        """
        self._bind_to_loop()

        async with self._connection(limits) as (connection, is_reused):
            try:
                response = await self._send(connection, request, limits)
            except (ConnectionLostError, ProtocolError):
                if not (is_reused and is_safe_to_repeat(request)):
                    raise
                response = await self._send(connection, request, limits)

            try:
                yield AsyncHttpcoreReply(response, request, limits)
            finally:
                await response.aclose()

    async def _send(self, connection: Any, request: Request, limits: Limits) -> Any:
        with (
            ErrorTranslation(limits, self._options.proxy),
            deadline_scope(limits.head_ends_at) as scope,
        ):
            response = await connection.handle_async_request(
                httpcore_request(self._httpcore, request, limits)
            )

        if scope.is_unsolicited:
            await response.aclose()
            raise ConnectionLostError(delivery=Delivery.UNKNOWN)

        return response

    @asynccontextmanager
    async def _connection(self, limits: Limits) -> AsyncIterator[tuple[Any, bool]]:
        """
        A connection, and whether it was used before.
        """
        free, idle = self._free, self._idle

        try:
            async with asyncio.timeout(limits.timeout_ms / 1000):
                await free.acquire()
        except TimeoutError:
            raise RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT) from None

        try:
            options = self._options.current()
            is_reused = bool(idle)
            connection: Any = None
            former = options
            if is_reused:
                connection, former = idle.pop()
            if former is not options:
                await connection.aclose()
                is_reused = False
            if not is_reused:
                connection = self._httpcore.AsyncConnectionPool(**options)
            try:
                yield connection, is_reused
            except BaseException:
                await connection.aclose()
                raise
            if self._closed:
                await connection.aclose()
            else:
                idle.append((connection, options))
        finally:
            free.release()

    async def aclose(self) -> None:
        """
        Close what is idle; what is in use closes after its use.
        """
        self._closed = True
        # What another loop has opened, which may have ended, can't be closed here.
        self._bind_to_loop()

        while self._idle:
            await self._idle.pop()[0].aclose()


class AsyncHttpcoreReply(BaseHttpcoreReply):
    """
    One that is read on an event loop.
    """

    async def chunks(self) -> AsyncGenerator[bytes]:
        """
        The decoded body, piece by piece.
        """
        body = BodyDecoder(self.headers, self._max_bytes)
        raw = aiter(self._response.stream)

        while True:
            with ErrorTranslation(self._limits), deadline_scope(self._limits.ends_at):
                chunk = await anext(raw, None)
            if chunk is None:
                break
            for piece in body.feed(chunk):
                yield piece

        body.finish()
