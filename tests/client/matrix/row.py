"""
A row of the fault matrix, and the bytes that rows are made of.
"""

import gzip
import json
import threading
from collections.abc import Callable
from typing import Any

import attrs

from canary import CANARY, spelled


Script = bytes | Callable[[Callable[[bytes], None]], None]


@attrs.frozen(kw_only=True)
class Row:
    """
    One fault.

    Attributes:
        id: Of the matrix; a letter tells variants apart.
        title: What happens, in words.
        faults: In the sandbox's fault language, or
        raw: the bytes that a server says, or
        place: somewhere else than a plain server, see `Places`.
        call: See `perform`.
        outcome: The error's class, or `success`.
        delivery: What the error says of it.
        requests: How many the server got, with two retries; where nobody can
            get any, how many attempts there were; None if that is not the
            point.
    """

    id: str
    title: str
    faults: str = ""
    raw: Script = attrs.field(default=b"", repr=False)
    place: str = ""
    call: str = "push"
    outcome: str
    delivery: str = ""
    requests: int | None = None


def answer(body: bytes, *fields: str, status: str = "200 OK", length: bool = True) -> bytes:
    """
    An HTTP answer of a server that hangs up: a client that is not told might
    use the connection again.
    """
    size = (f"Content-Length: {len(body)}",) if length else ()
    head = "\r\n".join([f"HTTP/1.1 {status}", *size, "Connection: close", *fields])

    return head.encode("latin-1") + b"\r\n\r\n" + body


def echo(way: str, *, refused: bool) -> bytes:
    """
    Both say which key it was that may not sell.
    """
    body = '{"success":true,"error":"no","data":{"rejected":[{"id":"t1","error":"for %s"}]}}'
    said = (body % spelled(CANARY)[way]).encode()

    return answer(said, status="422 No" if refused else "200 OK")


def items(*raw: bytes) -> bytes:
    return answer(b'{"success":true,"data":[' + b",".join(raw) + b"]}")


# A flood of them would only keep the processor busy until the time-out.
PAUSE = threading.Event()


def interims(send: Callable[[bytes], None]) -> None:
    while not PAUSE.wait(0.01):
        send(b"HTTP/1.1 102 Processing\r\n\r\n")


GOOD = b'{"sku":"G","name":"good","price":1.00}'
ENVELOPE = b'{"success":true,"data":[' + GOOD + b"]}"
ZIPPED = gzip.compress(ENVELOPE)
GZIP = "Content-Encoding: gzip"
CHUNKED = "Transfer-Encoding: chunked"
PAGE = b"<html><title>Wi-Fi</title>Please log in</html>"


def status(code: int, body: Any = None, **more: Any) -> str:
    said = "" if body is None else f", body={json.dumps(json.dumps(body))}"
    extra = "".join(f", {name}={value}" for name, value in more.items())
    return f"status({code}{said}{extra})"
