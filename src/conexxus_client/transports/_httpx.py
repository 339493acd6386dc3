"""
The transport over an injected client of httpx or httpx2.
"""

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from conexxus_client._calls._wire_types import Headers, Limits, Reply, Request
from conexxus_client.errors import ConfigurationError, Delivery, RequestTimeoutError

from ._body_decoder import BodyDecoder
from ._error_translation import ErrorTranslation


FAMILIES = ("httpx", "httpx2")


class HttpxTransport:
    """
    Sends over an injected client, which the caller closes.

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
        with ErrorTranslation(limits):
            http_request, options = send_options(self._family, self._client, request)
            try:
                response = self._client.send(http_request, **options)
            except self._family.HTTPStatusError as exc:
                # A hook of the client raised for the status.
                response = exc.response

        try:
            yield HttpxReply(response, request, limits)
        finally:
            response.close()

    def close(self) -> None:
        """
        Nothing: the caller closes the client.
        """


class BaseHttpxReply:
    """
    An answer whose body is still on the wire, unless a hook or the transport of
    the client has read it.
    """

    def __init__(self, response: Any, request: Request, limits: Limits) -> None:
        self.status: int = response.status_code
        self.headers = Headers(list(response.headers.multi_items()))
        self._response = response
        self._max_bytes = request.max_bytes
        self._limits = limits

    def _received(self) -> Iterator[bytes] | None:
        """
        The body that was read, which is decoded; None if none was.
        """
        try:
            body = self._response.content
        except RuntimeError:  # both families' ResponseNotRead
            return None

        return BodyDecoder(Headers(), self._max_bytes).feed(body)


class HttpxReply(BaseHttpxReply):
    """
    One that is read from a thread.
    """

    def chunks(self) -> Iterator[bytes]:
        """
        The decoded body, piece by piece.
        """
        if (received := self._received()) is not None:
            yield from received
            return

        body = BodyDecoder(self.headers, self._max_bytes)
        raw = self._response.iter_raw()

        while True:
            with ErrorTranslation(self._limits):
                chunk = next(raw, None)
            if chunk is None:
                break
            check_deadline(self._limits)
            yield from body.feed(chunk)

        body.finish()


def check_deadline(limits: Limits) -> None:
    """
    Raises:
        RequestTimeoutError: The attempt's time is over.
    """
    if limits.ends_at is not None and time.monotonic() > limits.ends_at:
        raise RequestTimeoutError(limits.timeout_ms, delivery=Delivery.UNKNOWN)


def family_of(client: object, kind: str) -> ModuleType:
    """
    The family that an injected *client* belongs to, subclasses included.

    Args:
        kind: `Client` or `AsyncClient`.

    Raises:
        ConfigurationError: To neither, or it is of the other kind.
    """
    for cls in type(client).__mro__:
        top = cls.__module__.partition(".")[0]
        if top in FAMILIES and cls.__name__ == kind:
            return sys.modules[top]

    name = type(client).__name__
    raise ConfigurationError([f"http_client must be a {kind} of httpx or httpx2, not {name}"])


def send_options(family: ModuleType, client: Any, request: Request) -> tuple[Any, dict[str, Any]]:
    """
    The family's request for *request*, and the options to send it with.

    The secret headers are added while it is sent, and are not part of the
    request: requests are logged and shown.
    """
    http_request = client.build_request(
        request.method,
        _parsed_url(family, request.url),
        headers=list(request.headers),
        content=request.body,
    )

    return http_request, {
        "auth": _auth_class(family)(request),
        "follow_redirects": False,
        "stream": True,
    }


@lru_cache(maxsize=8)
def _parsed_url(family: ModuleType, url: str) -> Any:
    # Health and sales are always at the same; to parse one takes a tenth of a call.
    return family.URL(url)


@cache
def _auth_class(family: ModuleType) -> Any:
    class SecretAuth(family.Auth):  # type: ignore[misc,name-defined]  # the base is known at run time only
        def __init__(self, request: Request) -> None:
            self._request = request

        def auth_flow(self, outgoing: Any) -> Generator[Any, Any, None]:
            for name, value in self._request.secret_headers:
                outgoing.headers[name] = value.reveal()
            yield outgoing

    return SecretAuth
