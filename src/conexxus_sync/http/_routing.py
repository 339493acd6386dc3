"""
The shim's routes: Starlette's, for handlers that block.
"""

import json
import logging
import math
import secrets
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from operator import methodcaller
from typing import Any
from urllib.parse import parse_qsl

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar
from starlette import routing
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from conexxus_sync.errors import StoreError, SyncError

from ._access import is_forwarded
from ._rate_limits import TRIGGERS, Rate, RateLimit


JSON = "application/json"
MAX_BODY = 64 * 1024
BODY_SECONDS = 10.0
# Says in a scope's extensions that the caller's thread may be blocked, and
# that there is no event loop.
BLOCKING = "conexxus.blocking"

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100
_READING = ("GET", "HEAD")
_LONGEST_PATH = 200
# Seconds after which a caller may retry: a lock or a restart is over then.
_RETRY_AFTER = 5
# Handlers have threads of their own: however many callers wait for the back
# office, the host's other work goes on.
_THREADS = 32
_threads: RunVar[anyio.CapacityLimiter] = RunVar("conexxus_shim_threads")

logger = logging.getLogger(__name__)


class HttpRequest(Request):
    """
    Starlette's request, whose body is there before its handler is called.

    Attributes:
        content: The body.
    """

    content: bytes = b""

    @property
    def caller(self) -> str:
        """
        The address that it came from; empty if that is unknown.
        """
        return caller_of(self.scope)

    @property
    def media_type(self) -> str:
        """
        Of the body, in lower case, without parameters.
        """
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def fields(self) -> dict[str, str]:
        """
        Those of a submitted form; none if the body is something else.

        Raises:
            HTTPException: There are far too many.
        """
        text = self.content.decode("utf-8", "replace") if self.media_type == _FORM else ""

        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        except ValueError:
            raise HTTPException(400, "there are too many fields.") from None


Handler = Callable[[HttpRequest], Response]


class Answer(JSONResponse):
    """
    A JSON document: a `Document`, or what JSON has.
    """

    def __init__(
        self, document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(document, status, headers)

    def render(self, content: Any) -> bytes:
        """
        ASCII, so that nothing in a name can turn the text of a terminal
        around, and half a surrogate pair is no error.
        """
        plain = methodcaller("as_json")

        return json.dumps(content, ensure_ascii=True, allow_nan=False, default=plain).encode()


def error(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Answer:
    """
    Say what is wrong, in the one form that all errors have.
    """
    return Answer({"error": sentence}, status=status, headers=headers)


class Route(routing.Route):
    """
    One method of one path.

    Args:
        path: As in Starlette: `/runs/{id}`, or `/static/{name:path}` for the
            rest of the path, slashes included.
        handler: May block; it runs in a worker thread.
        trigger: It starts something: its rate is limited.
        public: It needs no token.
        inline: It does not block, and is answered on the event loop.
        rate: Its own limit, if not that of triggers.
        signed_out: Answers instead, and without one, where the token is
            missing; like with a form to enter it.
        body_seconds: How long a body may take to arrive.
    """

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        trigger: bool = False,
        public: bool = False,
        inline: bool = False,
        rate: Rate | None = None,
        signed_out: Handler | None = None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        super().__init__(path, handler, methods=[method])
        rate = rate or (TRIGGERS if trigger else None)
        self.public = public
        self.signed_out = signed_out
        self.limit: RateLimit | None = None if rate is None else RateLimit(rate)
        self._handler = handler
        self._inline = inline
        self._body_seconds = body_seconds

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer a request for this path.
        """
        request = HttpRequest(scope, receive)

        try:
            response = await self._response(request)
        except ClientDisconnect:
            return
        except TimeoutError:
            response = error(408, "The body did not arrive in time.")
        except HTTPException as exc:
            response = _as_error(exc)

        await response(scope, receive, send)

    async def _response(self, request: HttpRequest) -> Response:
        if request.method not in (self.methods or ()):
            return _no_such_method(request.method, {"OPTIONS", *(self.methods or ())})

        if wait := 0 if self.limit is None else math.ceil(self._wait(self.limit, request)):
            return error(
                429, f"Too many requests: try again in {wait} s.", {"Retry-After": str(wait)}
            )

        blocking = BLOCKING in request.scope.get("extensions", ())

        if request.method not in _READING:
            with nullcontext() if blocking else anyio.fail_after(self._body_seconds):
                request.content = await _body(request)

        if blocking or self._inline:
            return self._handled(request)

        return await anyio.to_thread.run_sync(self._handled, request, limiter=_limiter())

    def _wait(self, limit: RateLimit, request: HttpRequest) -> float:
        return limit.wait(request.caller, is_forwarded=is_forwarded(request.headers))

    def _handled(self, request: HttpRequest) -> Response:
        try:
            response = self._handler(request)
        except HTTPException as exc:
            response = _as_error(exc)
        except Exception as exc:
            # The details are for the log alone: the caller may be a stranger.
            incident = secrets.token_hex(4)
            extra = {"incident": incident, "method": request.method, "path": request.scope["path"]}
            logger.exception("Conexxus shim failed", extra=extra)
            response = _failure(exc, incident)

        if request.method not in _READING:
            logger.info("Conexxus shim acted", extra=facts(request.scope, response.status_code))

        return response


def facts(scope: Scope, status: int) -> dict[str, object]:
    """
    Who did what, for the log.
    """
    return {
        "method": scope.get("method"),
        "path": scope["path"][:_LONGEST_PATH],
        "caller": caller_of(scope),
        "status": status,
    }


def caller_of(scope: Scope) -> str:
    """
    The address that a request came from; empty if that is unknown.
    """
    return (scope.get("client") or ("",))[0] or ""


async def _body(request: HttpRequest) -> bytes:
    """
    Read the body, but not the rest of one that is too long.
    """
    too_long = HTTPException(413, f"The body is longer than {MAX_BODY:,} bytes.")
    announced, body = request.headers.get("content-length", ""), bytearray()

    # Python reads no number of thousands of digits.
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY:
        raise too_long

    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_long

    return bytes(body)


def _as_error(exc: HTTPException) -> Answer:
    return error(exc.status_code, exc.detail, exc.headers)


def _no_such_method(method: str, known: set[str]) -> Response:
    allow = {"Allow": ", ".join(sorted(known))}

    if method == "OPTIONS":
        return Response(status_code=204, headers=allow)

    return error(405, "This path does not take this method.", allow)


def _failure(exc: Exception, incident: str) -> Answer:
    if not isinstance(exc, SyncError):
        return error(500, f"Internal error, incident {incident}.")

    # A lock ends, and a service that stops is started again.
    busy = isinstance(exc, StoreError)
    what = "The SDK's own state can't be used" if busy else "That can't be done now"

    return error(503, f"{what}, incident {incident}.", {"Retry-After": str(_RETRY_AFTER)})


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
