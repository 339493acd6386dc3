"""
The fake back office as an ASGI application.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._admin_endpoints import answer_admin_request
from ._answer import BODILESS, Answer
from ._back_office import BackOffice
from ._faults._fault_script import Fault, Kind
from ._faults._wire_faults import default_cut


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class SandboxDisconnectError(ConnectionError):
    """
    Breaks the connection: an ASGI application has no other way to do so.
    """


class SandboxApp:
    """
    An ASGI application whose other end is a `BackOffice`.

    ASGI hides the connection: every fault that breaks it is an exception in
    the middle of an answer, whereupon a server drops the connection.  For
    exact faults use `SandboxServer`.
    """

    def __init__(self, office: BackOffice) -> None:
        self.office = office

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            msg = f"the sandbox does not speak {scope['type']}"
            raise ValueError(msg)

        path = scope["path"]
        fault = self.office.next_fault(path)
        body = await _body(receive)
        if fault.kind is Kind.SLOW and not fault.committed:
            await asyncio.sleep((fault.wait_ms or 0) / 1000)
        answer = self._answer(scope, fault, body)
        if fault.kind is Kind.SLOW and fault.committed:
            await asyncio.sleep((fault.wait_ms or 0) / 1000)
        try:
            await _respond(answer, fault, receive, send)
        finally:
            answer.close()

    def _answer(self, scope: Message, fault: Fault, body: bytes) -> Answer:
        method, path = scope["method"], scope["path"]
        fields = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
        query = scope["query_string"].decode("latin-1")
        admin_answer = answer_admin_request(self.office, method, path, body)

        return admin_answer or self.office.answer(fault, method, path, query, fields, body)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive) -> bytes:
    body = bytearray()

    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SandboxDisconnectError
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _respond(answer: Answer, fault: Fault, receive: Receive, send: Send) -> None:
    if fault.kind is Kind.HANG:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    fields = list(answer.headers)
    if isinstance(answer.body, bytes) and answer.status not in BODILESS:
        fields.append(("content-length", str(len(answer.body))))
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in fields]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})

    if fault.kind in _BREAKING_KINDS:
        raise SandboxDisconnectError
    pieces = (answer.body,) if isinstance(answer.body, bytes) else answer.body
    for piece in pieces:
        await _send_piece(piece, fault, receive, send)
    await send({"type": "http.response.body", "body": b""})


_BREAKING_KINDS = frozenset({Kind.RESET, Kind.REFUSE, Kind.RESET_UPLOAD, Kind.CLOSE, Kind.GARBAGE})


async def _send_piece(piece: bytes, fault: Fault, receive: Receive, send: Send) -> None:
    size = fault.size or 1

    if fault.kind is Kind.DRIP:
        for start in range(0, len(piece), size):
            await _send_body(piece[start : start + size], send)
            await asyncio.sleep((10 if fault.wait_ms is None else fault.wait_ms) / 1000)
    elif fault.kind in (Kind.TRUNCATE, Kind.STALL):
        await _send_body(piece[: default_cut(piece) if fault.size is None else fault.size], send)
        while fault.kind is Kind.STALL and (await receive())["type"] != "http.disconnect":
            pass
        raise SandboxDisconnectError
    else:
        await _send_body(piece, send)


async def _send_body(piece: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})
