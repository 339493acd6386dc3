"""
Turns an answer and its fault into events on a connection.  No I/O.

HTTP/1.1 framing as in RFC 9112: a known length, or chunks.
"""

from collections.abc import Iterator
from enum import Enum

import attrs

from conexxus_client.testing._answer import BODILESS, Answer, title_of

from ._fault_script import Fault, Kind


GARBAGE = b"\x16\x03\x01 \xff\xfe this is not HTTP \r\n\r\n"
INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"


class ConnectionEnd(Enum):
    """
    How a connection ends, or goes on, after an answer.
    """

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


@attrs.frozen
class Pause:
    """
    A pause of so many seconds.
    """

    seconds: float


WireEvent = bytes | Pause | ConnectionEnd

_ENDS = {
    Kind.RESET: ConnectionEnd.RESET,
    Kind.REFUSE: ConnectionEnd.RESET,
    Kind.RESET_UPLOAD: ConnectionEnd.RESET,
    Kind.CLOSE: ConnectionEnd.CLOSE,
    Kind.HANG: ConnectionEnd.HANG,
}


def wire_events(
    answer: Answer, fault: Fault, *, keep_alive: bool = True, chunked: bool = True
) -> Iterator[WireEvent]:
    """
    The events: bytes to send, pauses, and the end, in this order.

    Args:
        keep_alive: Whether the connection is wanted for another request.
        chunked: Whether the client supports chunks (HTTP/1.1).
    """
    if fault.kind in _ENDS:
        yield _ENDS[fault.kind]
        return
    if fault.kind is Kind.GARBAGE:
        yield GARBAGE
        yield ConnectionEnd.CLOSE
        return
    if fault.kind is Kind.INTERIM:
        yield from _interim(fault.times)

    streamed = not isinstance(answer.body, bytes)
    keep_alive = keep_alive and (chunked or not streamed)
    head = head_bytes(answer, keep_alive=keep_alive, chunked=streamed and chunked)

    if fault.kind in (Kind.TRUNCATE, Kind.STALL):
        yield from _truncated_answer(head, answer.body, fault.size, chunked=chunked)
        yield ConnectionEnd.CLOSE if fault.kind is Kind.TRUNCATE else ConnectionEnd.HANG
        return
    if fault.kind in (Kind.DRIP, Kind.DRIP_HEAD):
        yield from _drip_answer(head, answer.body, fault, chunked=chunked)
    else:
        yield from _complete_answer(head, answer.body, chunked=chunked)
    yield (
        ConnectionEnd.KEEP if keep_alive and fault.kind is not Kind.GOODBYE else ConnectionEnd.CLOSE
    )


def head_bytes(answer: Answer, *, keep_alive: bool, chunked: bool) -> bytes:
    """
    Status line and header fields.
    """
    lines = [f"HTTP/1.1 {answer.status} {title_of(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]

    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif isinstance(answer.body, bytes) and answer.status not in BODILESS:
        lines.append(f"Content-Length: {len(answer.body)}")
    if not keep_alive:
        lines.append("Connection: close")

    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


def default_cut(body: bytes) -> int:
    """
    Where a body breaks off if the fault does not say.
    """
    return len(body) // 2


def _interim(times: int | None) -> Iterator[WireEvent]:
    count = 0

    while times is None or count < times:
        yield INTERIM
        yield Pause(0.01)
        count += 1


def _complete_answer(
    head: bytes, body: bytes | Iterator[bytes], *, chunked: bool
) -> Iterator[bytes]:
    if isinstance(body, bytes):
        # One segment: a second would wait for the first one's ACK.
        yield head + body
        return
    yield head
    yield from _framed_body(body, chunked=chunked)


def _framed_body(body: Iterator[bytes], *, chunked: bool) -> Iterator[bytes]:
    if not chunked:
        yield from body
        return
    for piece in body:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _truncated_answer(
    head: bytes, body: bytes | Iterator[bytes], size: int | None, *, chunked: bool
) -> Iterator[bytes]:
    """
    Everything up to the break; without a body, half of the head.
    """
    if isinstance(body, bytes):
        left = default_cut(body) if size is None else min(size, max(len(body) - 1, 0))
        yield head + body[:left] if body else head[: default_cut(head)]
        return
    yield head
    for piece in body:
        left = default_cut(piece) if size is None else size
        frame = b"%x\r\n" % len(piece) if chunked else b""
        if left < len(piece):
            yield frame + piece[:left]
            return
        yield frame + piece + (b"\r\n" if chunked else b"")
        size = left - len(piece)


def _drip_answer(
    head: bytes, body: bytes | Iterator[bytes], fault: Fault, *, chunked: bool
) -> Iterator[WireEvent]:
    pieces = iter((body,)) if isinstance(body, bytes) else _framed_body(body, chunked=chunked)

    if fault.kind is Kind.DRIP_HEAD:
        yield from _drip_bytes(head, fault)
        yield from pieces
        return
    yield head
    for piece in pieces:
        yield from _drip_bytes(piece, fault)


def _drip_bytes(text: bytes, fault: Fault) -> Iterator[WireEvent]:
    size = fault.size or 1

    for start in range(0, len(text), size):
        yield text[start : start + size]
        yield Pause((10 if fault.wait_ms is None else fault.wait_ms) / 1000)
