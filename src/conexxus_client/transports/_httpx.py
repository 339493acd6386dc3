"""
The transport over an injected client of httpx or httpx2.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conexxus_client._calls._wire_types import Headers, Limits, Reply, Request
from conexxus_client.errors import Delivery, RequestTimeoutError

from ._body_decoder import BodyDecoder
from ._error_translation import translating
from ._families import family_of, send_options


class HttpxTransport:
    """
    Sends over a client that somebody else made, and closes.

    It keeps its own time-outs for each connect, read and write; the attempt
    as a whole is over in time only as far as those allow.
    """

    def __init__(self, http_client: Any) -> None:
        self._family = family_of(http_client, "Client")
        self._client = http_client

    @contextmanager
    def open(self, request: Request, limits: Limits) -> Iterator[Reply]:
        """
        Send *request*; the answer is closed with the context.
        """
        with translating(limits):
            built, options = send_options(self._family, self._client, request)
            response = self._client.send(built, **options)

        try:
            yield HttpxReply(response, request, limits)
        finally:
            response.close()

    def close(self) -> None:
        """
        Nothing: the client is somebody else's.
        """


class HttpxReply:
    """
    An answer whose body is still on the wire.
    """

    def __init__(self, response: Any, request: Request, limits: Limits) -> None:
        self.status: int = response.status_code
        self.headers = Headers(list(response.headers.multi_items()))
        self._response = response
        self._max_bytes = request.max_bytes
        self._limits = limits

    def chunks(self) -> Iterator[bytes]:
        """
        The decoded body, piece by piece.
        """
        body = BodyDecoder(self.headers, self._max_bytes)
        raw = self._response.iter_raw()

        while True:
            with translating(self._limits):
                chunk = next(raw, None)
            if chunk is None:
                break
            check_end(self._limits)
            yield from body.feed(chunk)

        body.finish()


def check_end(limits: Limits) -> None:
    """
    Raises:
        RequestTimeoutError: The attempt's time is over.
    """
    if limits.ends_at is not None and time.monotonic() > limits.ends_at:
        raise RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)
