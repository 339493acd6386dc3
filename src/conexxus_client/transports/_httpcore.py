"""
The transport over httpcore or httpcore2, on which httpx and httpx2 are built.

It speaks to one origin only, so its pool is a stack of lanes.  A lane is a
connection pool of one and belongs to one request at a time: no other thread
can close it, no cancelled task can poison it for the next, and when anything
goes wrong it is thrown away.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from conexxus_client._calls._wire_types import Headers, Limits, Reply, Request
from conexxus_client.config import ClientConfig
from conexxus_client.errors import (
    ConfigurationError,
    ConnectionLostError,
    Delivery,
    RequestTimeoutError,
)

from ._body_decoder import BodyDecoder
from ._deadline_backend import sync_backend, until
from ._error_translation import translating
from ._fair_semaphore import Turns
from ._tls import ssl_context


KEEPALIVE_SECONDS = 15.0

_CORES = {"httpx": "httpcore", "httpx2": "httpcore2"}


class CoreTransport:
    """
    Sends over connections of its own.

    A fork leaves the parent's connections to the parent.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._core = core_of(config)
        self._options = lane_options(self._core, config, sync_backend(self._core))
        self._most = config.max_connections
        self._closed = False
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._free = Turns(self._most)
        self._idle: list[Any] = []

    @contextmanager
    def open(self, request: Request, limits: Limits) -> Iterator[Reply]:
        """
        Send *request*; the answer is closed with the context.
        """
        if self._pid != os.getpid():
            self._reset()

        with self._lane(limits) as (lane, used):
            try:
                response = self._send(lane, request, limits)
            except ConnectionLostError:
                if not (used and is_free_to_repeat(request)):
                    raise
                response = self._send(lane, request, limits)

            try:
                yield CoreReply(response, request, limits)
            finally:
                response.close()

    def _send(self, lane: Any, request: Request, limits: Limits) -> Any:
        with translating(limits), until(limits.head_ends_at) as watch:
            response = lane.handle_request(core_request(self._core, request, limits))

        if watch.is_foreign:
            response.close()
            raise ConnectionLostError(delivery=Delivery.UNKNOWN)

        return response

    @contextmanager
    def _lane(self, limits: Limits) -> Iterator[tuple[Any, bool]]:
        """
        A lane, and whether it was used before.
        """
        free, idle = self._free, self._idle

        if not free.take(within_s=limits.timeout_ms / 1000):
            raise RequestTimeoutError(limits.timeout_ms, delivery=Delivery.NOT_SENT)

        try:
            used = bool(idle)
            lane = idle.pop() if used else self._core.ConnectionPool(**self._options)
            try:
                yield lane, used
            except BaseException:
                lane.close()
                raise
            if self._closed:
                lane.close()
            else:
                idle.append(lane)
        finally:
            free.give_back()

    def close(self) -> None:
        """
        Close what is idle; what is in use closes after its use.
        """
        self._closed = True

        while self._idle:
            self._idle.pop().close()


class CoreReply:
    """
    An answer whose body is still on the wire.
    """

    def __init__(self, response: Any, request: Request, limits: Limits) -> None:
        self.status: int = response.status
        self.headers = headers_of(response)
        self._response = response
        self._max_bytes = request.max_bytes
        self._limits = limits

    def chunks(self) -> Iterator[bytes]:
        """
        The decoded body, piece by piece.
        """
        body = BodyDecoder(self.headers, self._max_bytes)
        raw = iter(self._response.stream)

        while True:
            with translating(self._limits), until(self._limits.ends_at):
                chunk = next(raw, None)
            if chunk is None:
                break
            yield from body.feed(chunk)

        body.finish()


def is_free_to_repeat(request: Request) -> bool:
    """
    May it be sent again at once on a new connection?

    A server may close a kept-alive connection just as we send on it (RFC
    9112, 9.3.1): that says nothing about the server, and a GET does nothing.
    """
    return request.method == "GET"


def core_of(config: ClientConfig) -> ModuleType:
    """
    The core of the configured family.

    Raises:
        ConfigurationError: It is not installed.
    """
    family = config.http_backend

    try:
        return importlib.import_module(_CORES[family])
    except ImportError:
        raise ConfigurationError(
            [f"CONEXXUS_HTTP_BACKEND is {family}, which is not installed: pip install {family}"]
        ) from None


def lane_options(core: ModuleType, config: ClientConfig, backend: Any) -> dict[str, Any]:
    """
    How a lane is made.
    """
    return {
        "ssl_context": ssl_context(config),
        "proxy": _proxy(core, config.proxy) if config.proxy else None,
        "max_connections": 1,
        "keepalive_expiry": KEEPALIVE_SECONDS,
        "network_backend": backend,
    }


def _proxy(core: ModuleType, url: str) -> Any:
    """
    The proxy at *url*; its user and password, if any, go to it alone.
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    auth = None

    if parts.username is not None:
        auth = (unquote(parts.username), unquote(parts.password or ""))

    return core.Proxy(f"{parts.scheme}://{host}{port}", auth=auth)


def core_request(core: ModuleType, request: Request, limits: Limits) -> Any:
    """
    The core's request, the secret header included: it exists while it is sent.
    """
    seconds = limits.timeout_ms / 1000
    extra = [("Host", urlsplit(request.url).netloc)]

    if request.body is not None:
        extra.append(("Content-Length", str(len(request.body))))

    # In no local variable: those are what error reporters show.
    return core.Request(
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
