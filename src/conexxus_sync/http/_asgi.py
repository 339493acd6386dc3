"""
The shim as an ASGI application, and the access middleware for other routes.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from ._access import Access
from ._app import AdmittedRequest, App
from ._messages import HttpRequest, HttpResponse, error, inner_path, joined


Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_SECONDS = 10.0
# Handlers have threads of their own: however many callers wait for the back
# office, the host's other work goes on.
_THREADS = 32
# RFC 6455, 7.4.1: against the policy of this end.
_NO_WEBSOCKET = {"type": "websocket.close", "code": 1008}
_threads: RunVar[anyio.CapacityLimiter] = RunVar("conexxus_shim_threads")


class DisconnectedError(Exception):
    """
    The caller hung up before the request was complete.
    """


class AsgiShim:
    """
    One `App` as an ASGI application.

    Args:
        prefix: What the routes of the integration begin with: mounted there,
            or at the root, it answers at the same addresses.
        body_seconds: How long a body may take to arrive.
    """

    def __init__(self, shim: App, *, prefix: str, body_seconds: float = BODY_SECONDS) -> None:
        self._shim = shim
        self._prefix = prefix
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        One request; or the start and the end of the host's life.
        """
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send(_NO_WEBSOCKET)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(
            scope, inner_path(scope["path"], scope.get("root_path", ""), self._prefix)
        )

        try:
            response = await self._response(request, receive)
        except DisconnectedError:
            return

        await send_response(response, send)

    async def _response(self, request: HttpRequest, receive: Receive) -> HttpResponse:
        admitted = self._shim.admit(request)

        if isinstance(admitted, HttpResponse):
            return admitted
        if request.method in ("GET", "HEAD"):
            return await self._handled(admitted, b"")

        try:
            with anyio.fail_after(self._body_seconds):
                body = await _body(request, receive, self._shim.max_body)
        except TimeoutError:
            return self._shim.too_slow(request)

        return (
            self._shim.too_large(request) if body is None else await self._handled(admitted, body)
        )

    async def _handled(self, admitted: AdmittedRequest, body: bytes) -> HttpResponse:
        if admitted.inline:
            return self._shim.answer(admitted, body)

        return await anyio.to_thread.run_sync(self._shim.answer, admitted, body, limiter=_limiter())


class AccessMiddleware:
    """
    Turns away what `Access` refuses, in front of routes of your own.

    Requests and websockets are judged; the session of a browser that has
    signed in at the page counts.

    Args:
        now: Seconds since 1970, for sessions.
    """

    def __init__(
        self, app: ASGIApp, *, access: Access, now: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._access = access
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        One request, or one websocket.
        """
        refusal = None

        if scope["type"] in ("http", "websocket"):
            request = _request(scope, scope["path"])
            refusal = self._access.refusal(
                request.method, request.headers, client=request.client, now=self._now()
            )

        if refusal is None:
            await self._app(scope, receive, send)
            return

        challenge = [("WWW-Authenticate", "Bearer")] if refusal.status == 401 else []
        response = error(refusal.status, refusal.error, *challenge)

        if scope["type"] == "http":
            await send_response(response, send)
        elif "websocket.http.response" in scope.get("extensions", {}):
            await send_response(response, send, kind="websocket.http.response")
        else:
            await send(_NO_WEBSOCKET)


def _request(scope: Scope, path: str) -> HttpRequest:
    return HttpRequest(
        # The handshake of a websocket is a GET, but not one that only reads.
        method=scope.get("method", "CONNECT"),
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=joined(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ),
        client=(scope.get("client") or ("",))[0],
        scheme=scope.get("scheme", "http"),
    )


async def _body(request: HttpRequest, receive: Receive, limit: int) -> bytes | None:
    """
    Read the body; None if it is longer than *limit*, without reading the rest.
    """
    announced = request.headers.get("content-length", "")

    if announced.isascii() and announced.isdigit() and int(announced) > limit:
        return None

    body = bytearray()

    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def send_response(response: HttpResponse, send: Send, *, kind: str = "http.response") -> None:
    """
    Send *response* as messages of this kind.
    """
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers]

    await send({"type": f"{kind}.start", "status": response.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": response.body})


async def _live(receive: Receive, send: Send) -> None:
    """
    Nothing to set up, and nothing to end: the service belongs to the host.
    """
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _limiter() -> anyio.CapacityLimiter:
    """
    That of the event loop at work; there may be several in a process.
    """
    try:
        return _threads.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_THREADS)
        _threads.set(limiter)
        return limiter
