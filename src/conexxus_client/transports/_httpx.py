"""
The transport over httpx or httpx2.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conexxus_client._wire import Headers, Limits, Reply, Request
from conexxus_client.config import ClientConfig
from conexxus_client.errors import Delivery, RequestTimeoutError

from ._body import BodyDecoder
from ._families import client_options, family_named, family_of, send_options, translated


class HttpxTransport:
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
            else self._family.Client(**client_options(self._family, config))
        )

    @contextmanager
    def open(self, request: Request, limits: Limits) -> Iterator[Reply]:
        """
        Send *request*; the answer is closed with the context.
        """
        built, options = send_options(
            self._family, self._client, request, limits, injected=self._injected
        )

        with translating(limits):
            response = self._client.send(built, **options)

        try:
            yield HttpxReply(response, request, limits)
        finally:
            response.close()

    def close(self) -> None:
        """
        Give back connections, unless they are somebody else's.
        """
        if not self._injected:
            self._client.close()


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


@contextmanager
def translating(limits: Limits) -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        error = translated(exc, limits)
        if error is None:
            raise
        # The cause holds the request, and with it the key.
        raise error from None
