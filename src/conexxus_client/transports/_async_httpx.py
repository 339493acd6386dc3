"""
The transport over an injected client of httpx or httpx2, for an event loop.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from conexxus_client._calls._wire_types import AsyncReply, Limits, Request

from ._body_decoder import BodyDecoder
from ._error_translation import ErrorTranslation
from ._httpx import BaseHttpxReply, check_deadline, family_of, send_options


class AsyncHttpxTransport:
    """
    Sends over an injected client, which the caller closes.

    It keeps its own time-outs for each connect, read and write; the attempt
    as a whole is over in time only as far as those allow.
    """

    def __init__(self, http_client: Any) -> None:
        self._family = family_of(http_client, "AsyncClient")
        self._client = http_client

    @asynccontextmanager
    async def open(self, request: Request, limits: Limits) -> AsyncIterator[AsyncReply]:
        """
        Send *request*; the answer is closed with the context.
        """
        with ErrorTranslation(limits):
            http_request, options = send_options(self._family, self._client, request)
            try:
                response = await self._client.send(http_request, **options)
            except self._family.HTTPStatusError as exc:
                # A hook of the client raised for the status.
                response = exc.response

        try:
            yield AsyncHttpxReply(response, request, limits)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """
        Nothing: the caller closes the client.
        """


class AsyncHttpxReply(BaseHttpxReply):
    """
    One that is read on an event loop.
    """

    async def chunks(self) -> AsyncGenerator[bytes]:
        """
        The decoded body, piece by piece.
        """
        if (received := self._received()) is not None:
            for piece in received:
                yield piece
            return

        body = BodyDecoder(self.headers, self._max_bytes)
        raw = self._response.aiter_raw()

        while True:
            with ErrorTranslation(self._limits):
                chunk = await anext(raw, None)
            if chunk is None:
                break
            check_deadline(self._limits)
            for piece in body.feed(chunk):
                yield piece

        body.finish()
