"""
Wire types: requests, answers, limits, and the protocols of transports.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Generic, Literal, Protocol, TypeVar

import attrs

from conexxus_client.config import Secret


T = TypeVar("T")

MIB = 1024 * 1024


class Headers:
    """
    Header fields in the order received; names are case-insensitive.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._fields = tuple((name.lower(), value) for name, value in pairs)

    def get(self, name: str) -> str | None:
        """
        The first value of *name*.
        """
        lower = name.lower()

        for field, value in self._fields:
            if field == lower:
                return value

        return None

    def all(self, name: str) -> list[str]:
        """
        Every value of *name*.
        """
        lower = name.lower()

        return [value for field, value in self._fields if field == lower]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __repr__(self) -> str:
        return f"Headers({', '.join(name for name, _ in self._fields)})"


@attrs.frozen(kw_only=True)
class Request:
    """
    One HTTP request, complete but for the moment it is sent.

    Attributes:
        url: Absolute, query included, always on the configured origin.
        path: Its path alone, for messages and logs.
        secret_headers: Added by the transport at the last moment; in no repr.
        max_bytes: How large a decoded body may become.
    """

    method: Literal["GET", "POST"]
    url: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    secret_headers: tuple[tuple[str, Secret], ...] = attrs.field(default=(), repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    max_bytes: int = 4 * MIB

    @property
    def shown_url(self) -> str:
        """
        The address without its query, for logs and metrics.
        """
        return self.url.partition("?")[0]

    def wire_headers(self) -> list[tuple[str, str]]:
        """
        All header fields, the secret ones revealed.  Not for logs.
        """
        return [*self.headers, *((name, value.reveal()) for name, value in self.secret_headers)]


@attrs.frozen(kw_only=True)
class Response:
    """
    One complete HTTP answer.

    Attributes:
        body: Decoded, bounded by the request's `max_bytes`.
        seconds: From sending the request to the whole answer.
        redact: A text without the key that it echoes.
    """

    status: int
    headers: Headers
    body: bytes = attrs.field(repr=False)
    seconds: float = 0.0
    redact: Callable[[str], str] = attrs.field(default=str, repr=False, eq=False)


@attrs.frozen(kw_only=True)
class Limits:
    """
    How long one attempt may take.

    Attributes:
        timeout_ms: For every single stall.
        head_ends_at: Moment on the monotonic clock by which the answer's
            headers must have arrived.
        ends_at: By which the whole answer must have; None for a streamed
            catalogue.
    """

    timeout_ms: int
    head_ends_at: float | None = None
    ends_at: float | None = None


class Reply(Protocol):
    """
    An answer whose body is still on the wire.
    """

    status: int
    headers: Headers

    def chunks(self) -> Iterator[bytes]:
        """
        The decoded body, piece by piece.

        Raises:
            ConexxusError: It broke off, stalled, is too large, or its
                encoding is broken.
        """
        ...


class Transport(Protocol):
    """
    How requests leave the process.  Implement it to bring your own.
    """

    def open(self, request: Request, limits: Limits) -> AbstractContextManager[Reply]:
        """
        Send *request*; the answer is closed with the context.

        Never follows a redirect, and never sends to another URL.

        Raises:
            TransportError: With `delivery` as truthful as possible.
        """
        ...

    def close(self) -> None:
        """
        Give back connections.  Closing twice is harmless.
        """
        ...


class AsyncReply(Protocol):
    """
    `Reply` for an event loop.
    """

    status: int
    headers: Headers

    def chunks(self) -> AsyncGenerator[bytes]: ...


class AsyncTransport(Protocol):
    """
    `Transport` for an event loop.
    """

    def open(self, request: Request, limits: Limits) -> AbstractAsyncContextManager[AsyncReply]: ...

    async def aclose(self) -> None: ...


@attrs.frozen(kw_only=True)
class Call(Generic[T]):
    """
    One request together with the way to read its answer.

    Built once and sent as often as necessary.  Whatever must not change
    between attempts, like an idempotency key, is part of it.

    Attributes:
        name: For logs and metrics: `health`, `catalogue`, `sales` or `summary`.
        success: The statuses with which it succeeds.
        max_retries: Fewer retries than the policy's, if it must be quick.
        repeatable: Whether it may be sent again after its fate is unknown.
        repeat_within: Seconds from its beginning in which that may be; None:
            at any time.
    """

    name: str
    request: Request
    read: Callable[[Response], T] = attrs.field(repr=False)
    timeout_ms: int
    success: tuple[int, ...] = (200, 201)
    max_retries: int | None = None
    repeatable: bool = True
    repeat_within: float | None = None
