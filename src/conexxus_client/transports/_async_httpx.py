"""
The transport over httpx or httpx2, for an event loop.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from conexxus_client._wire import AsyncReply, Headers, Limits, Request
from conexxus_client.config import ClientConfig

from ._body import BodyDecoder
from ._families import client_options, family_named, family_of, send_options
from ._httpx import check_end, translating


class AsyncHttpxTransport:
    """
    Sends over a client of its own, or over an injected one.

    An injected client keeps its own time-outs, and is not closed.
    """

    def __init__(self, config: ClientConfig, http_client: Any = None) -> None:
        self._injected = http_client is not None
        self._family = (
            family_of(http_client) if self._injected else family_named(config.http_backend)
        )
        self._client = (
            http_client
            if self._injected
            else self._family.AsyncClient(**client_options(self._family, config))
        )

    @asynccontextmanager
    async def open(self, request: Request, limits: Limits) -> AsyncIterator[AsyncReply]:
        """
        Send *request*; the answer is closed with the context.
        """
        built, options = send_options(
            self._family, self._client, request, limits, injected=self._injected
        )

        with translating(limits):
            response = await self._client.send(built, **options)

        try:
            yield AsyncHttpxReply(response, request, limits)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """
        Give back connections, unless they are somebody else's.
        """
        if not self._injected:
            await self._client.aclose()


class AsyncHttpxReply:
    """
    An answer whose body is still on the wire.
    """

    def __init__(self, response: Any, request: Request, limits: Limits) -> None:
        self.status: int = response.status_code
        self.headers = Headers(list(response.headers.multi_items()))
        self._response = response
        self._max_bytes = request.max_bytes
        self._limits = limits

    async def chunks(self) -> AsyncIterator[bytes]:
        """
        The decoded body, piece by piece.
        """
        body = BodyDecoder(self.headers, self._max_bytes)
        raw = self._response.aiter_raw()

        while True:
            with translating(self._limits):
                chunk = await anext(raw, None)
            if chunk is None:
                break
            check_end(self._limits)
            for piece in body.feed(chunk):
                yield piece

        body.finish()
