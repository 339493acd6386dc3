"""
The fake back office without a network: transports for the clients.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

from conexxus_client._calls._wire_types import Headers, Limits, Request
from conexxus_client.errors import (
    ConexxusError,
    ConnectError,
    ConnectionLostError,
    Delivery,
    ProtocolError,
    RequestTimeoutError,
    ResponseTooLargeError,
)

from ._answer import Answer
from ._back_office import BackOffice
from ._faults._fault_script import Fault, Kind
from ._faults._wire_faults import default_cut, head_bytes


URL = "http://localhost"
"""A base URL for a client whose transport never leaves the process."""


class _BaseTransport:
    def __init__(
        self, office: BackOffice, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.office = office
        self._monotonic = monotonic


class SandboxTransport(_BaseTransport):
    """
    A `Transport` whose other end is a `BackOffice`.

    No time passes: a wait that is longer than the request's time-out is a
    time-out at once, a shorter one is none.
    """

    @contextlib.contextmanager
    def open(self, request: Request, limits: Limits) -> Iterator["SandboxReply"]:
        """
        Have *request* answered.

        Raises:
            TransportError: What the fault of this call means to a client.
        """
        reply = _reply(self.office, request, limits, self._monotonic())
        try:
            yield reply
        finally:
            reply.close()

    def close(self) -> None:
        """
        There is nothing to give back.
        """


class AsyncSandboxTransport(_BaseTransport):
    """
    An `AsyncTransport` whose other end is a `BackOffice`.
    """

    @contextlib.asynccontextmanager
    async def open(self, request: Request, limits: Limits) -> AsyncIterator["AsyncSandboxReply"]:
        """
        Have *request* answered.

        Raises:
            TransportError: What the fault of this call means to a client.
        """
        reply = _reply(self.office, request, limits, self._monotonic())
        try:
            yield AsyncSandboxReply(reply)
        finally:
            reply.close()

    async def aclose(self) -> None:
        """
        There is nothing to give back.
        """


class SandboxReply:
    """
    An answer whose body is made while it is read.
    """

    def __init__(self, answer: Answer, pieces: Iterator[bytes], max_bytes: int | None) -> None:
        self.status = answer.status
        self.headers = Headers(list(answer.headers))
        self.close = answer.close
        self._pieces = pieces
        self._max_bytes = max_bytes

    def chunks(self) -> Iterator[bytes]:
        """
        The body, piece by piece.

        Raises:
            ConexxusError: A fault says that it breaks off or stalls, or it
                is larger than the request admits.
        """
        size = 0

        for piece in self._pieces:
            size += len(piece)
            if self._max_bytes is not None and size > self._max_bytes:
                msg = f"The answer is larger than {self._max_bytes} bytes and was not read further."
                raise ResponseTooLargeError(msg, delivery=Delivery.UNKNOWN)
            yield piece


class AsyncSandboxReply:
    """
    `SandboxReply` for an event loop.
    """

    def __init__(self, reply: SandboxReply) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self._reply = reply

    async def chunks(self) -> AsyncIterator[bytes]:
        """
        The body, piece by piece.
        """
        for piece in self._reply.chunks():
            yield piece


def _reply(office: BackOffice, request: Request, limits: Limits, now: float) -> SandboxReply:
    fault = office.next_fault(request.path)
    ends_in = None if limits.ends_at is None else (limits.ends_at - now) * 1000
    patience = limits.timeout_ms if ends_in is None else min(limits.timeout_ms, ends_in)
    answer = office.answer(
        fault,
        request.method,
        request.path,
        urlsplit(request.url).query,
        request.wire_headers(),
        request.body or b"",
    )
    error = _transport_error(fault, answer, limits.timeout_ms, patience)

    if error is not None:
        answer.close()
        raise error

    pieces = iter((answer.body,)) if isinstance(answer.body, bytes) else answer.body
    pieces = _faulty_pieces(pieces, fault, limits.timeout_ms, ends_in)

    return SandboxReply(answer, pieces, request.max_bytes)


def _transport_error(
    fault: Fault, answer: Answer, timeout_ms: int, patience: float
) -> ConexxusError | None:
    """
    What becomes of the call before its header fields are there.
    """
    if fault.kind is Kind.REFUSE:
        return ConnectError(delivery=Delivery.NOT_SENT)
    if fault.kind in (Kind.RESET, Kind.RESET_UPLOAD, Kind.CLOSE):
        return ConnectionLostError(delivery=Delivery.UNKNOWN)
    if fault.kind is Kind.GARBAGE:
        return ProtocolError("the answer is no valid HTTP", delivery=Delivery.UNKNOWN)
    waits: float = 0
    if fault.kind is Kind.HANG or (fault.kind is Kind.INTERIM and fault.times is None):
        waits = float("inf")
    elif fault.kind is Kind.SLOW:
        waits = fault.wait_ms or 0
    elif fault.kind is Kind.DRIP_HEAD:
        waits = _drip_ms(fault, len(head_bytes(answer, keep_alive=True, chunked=False)))

    return RequestTimeoutError(timeout_ms) if waits >= patience else None


def _faulty_pieces(
    pieces: Iterator[bytes], fault: Fault, timeout_ms: int, ends_in: float | None
) -> Iterator[bytes]:
    """
    *pieces*, up to where the fault strikes.
    """
    left, passed = fault.size, 0.0

    for piece in pieces:
        if fault.kind is Kind.DRIP:
            passed += _drip_ms(fault, len(piece))
            if (ends_in is not None and passed >= ends_in) or _drip_ms(fault, 1) >= timeout_ms:
                raise RequestTimeoutError(timeout_ms)
        if fault.kind in (Kind.TRUNCATE, Kind.STALL):
            left = default_cut(piece) if left is None else left
            if left < len(piece):
                yield piece[:left]
                break
            left -= len(piece)
        yield piece
    if fault.kind is Kind.TRUNCATE:
        raise ConnectionLostError(delivery=Delivery.UNKNOWN)
    if fault.kind is Kind.STALL:
        raise RequestTimeoutError(timeout_ms)


def _drip_ms(fault: Fault, length: int) -> float:
    every = 10 if fault.wait_ms is None else fault.wait_ms

    return every * -(-length // (fault.size or 1))
