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
from conexxus_client.errors import ConnectionLostError, Delivery, RequestTimeoutError

from ._body_decoder import BodyDecoder
from ._deadline_backend import async_backend, until
from ._error_translation import translating
from ._httpcore import core_of, core_request, headers_of, is_free_to_repeat, lane_options


class AsyncCoreTransport:
    """
    Sends over connections of its own.

    Another event loop, or a fork, starts with connections of its own.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._core = core_of(config)
        self._options = lane_options(self._core, config, async_backend(self._core))
        self._most = config.max_connections
        self._closed = False
        self._home: object = None
        self._free = asyncio.Semaphore(self._most)
        self._idle: list[Any] = []

    def _settle(self) -> None:
        """
        A connection belongs to the loop and the process that opened it.
        """
        home = (asyncio.get_running_loop(), os.getpid())

        if self._home != home:
            self._home = home
            self._free = asyncio.Semaphore(self._most)
            self._idle = []

    @asynccontextmanager
    async def open(self, request: Request, limits: Limits) -> AsyncIterator[AsyncReply]:
        """
        Send *request*; the answer is closed with the context.
        """
        self._settle()

        async with self._lane(limits) as (lane, used):
            try:
                response = await self._send(lane, request, limits)
            except ConnectionLostError:
                if not (used and is_free_to_repeat(request)):
                    raise
                response = await self._send(lane, request, limits)

            try:
                yield AsyncCoreReply(response, request, limits)
            finally:
                await response.aclose()

    async def _send(self, lane: Any, request: Request, limits: Limits) -> Any:
        with translating(limits), until(limits.head_ends_at) as watch:
            response = await lane.handle_async_request(core_request(self._core, request, limits))

        if watch.is_foreign:
            await response.aclose()
            raise ConnectionLostError(delivery=Delivery.UNKNOWN)

        return response

    @asynccontextmanager
    async def _lane(self, limits: Limits) -> AsyncIterator[tuple[Any, bool]]:
        """
        A lane, and whether it was used before.
        """
        free, idle = self._free, self._idle

        try:
            async with asyncio.timeout(limits.timeout_ms / 1000):
                await free.acquire()
        except TimeoutError:
            raise RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT) from None

        try:
            used = bool(idle)
            lane = idle.pop() if used else self._core.AsyncConnectionPool(**self._options)
            try:
                yield lane, used
            except BaseException:
                await lane.aclose()
                raise
            if self._closed:
                await lane.aclose()
            else:
                idle.append(lane)
        finally:
            free.release()

    async def aclose(self) -> None:
        """
        Close what is idle; what is in use closes after its use.
        """
        self._closed = True

        while self._idle:
            await self._idle.pop().aclose()


class AsyncCoreReply:
    """
    An answer whose body is still on the wire.
    """

    def __init__(self, response: Any, request: Request, limits: Limits) -> None:
        self.status: int = response.status
        self.headers = headers_of(response)
        self._response = response
        self._max_bytes = request.max_bytes
        self._limits = limits

    async def chunks(self) -> AsyncGenerator[bytes]:
        """
        The decoded body, piece by piece.
        """
        body = BodyDecoder(self.headers, self._max_bytes)
        raw = aiter(self._response.stream)

        while True:
            with translating(self._limits), until(self._limits.ends_at):
                chunk = await anext(raw, None)
            if chunk is None:
                break
            for piece in body.feed(chunk):
                yield piece

        body.finish()
