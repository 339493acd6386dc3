"""
Middleware of the shim: who is let in, and what every answer has.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ._access import NO_TOKEN, Access, Refusal, is_forwarded
from ._rate_limits import Rate, RateLimit
from ._routing import caller_of, error, facts


MAX_HEAD = 16 * 1024

# Refused requests can't fill the log.
_KNOCKS = Rate(per_minute=10, burst=10)
# Of wrong tokens.
_FAILURES = Rate(per_minute=20, burst=10, per_caller=True)

# Of every answer, unless it brings its own.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`: under that, a page's own forms come with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

logger = logging.getLogger(__name__)


class AccessMiddleware:
    """
    Turns away what `Access` refuses: in front of the shim, or of routes of
    your own.

    Requests and websockets are judged; the session of a browser that has
    signed in at the page counts.

    Args:
        public: Routes that answer without a token, too.
        now: Seconds since 1970, for sessions.
        monotonic: A clock that only goes forward, for rates.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        public: Iterable[BaseRoute] = (),
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._access = access
        self._public = Router([*public], redirect_slashes=False, default=self._ask_for_token)
        self._now = now
        self._knocks = RateLimit(_KNOCKS, monotonic)
        self._failures = RateLimit(_FAILURES, monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        One request, or one websocket.
        """
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None

        if refusal is None:
            await self._app(scope, receive, send)
        elif refusal is NO_TOKEN:
            await self._public(scope, receive, send)
        else:
            await self._refuse(refusal, scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        # The handshake of a websocket is a GET, but not one that only reads.
        method, headers = scope.get("method", "CONNECT"), _joined(Headers(scope=scope))
        caller = caller_of(scope)
        refusal = self._access.refusal(method, headers, client=caller, now=self._now())

        if "authorization" not in headers or refusal not in (None, NO_TOKEN):
            return refusal

        # Whether the token was right is not said, either: that is what slows.
        wait = math.ceil(
            self._failures.wait(
                caller, take=refusal is NO_TOKEN, is_forwarded=is_forwarded(headers)
            )
        )

        return _too_many(wait) if wait else refusal

    async def _ask_for_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._refuse(NO_TOKEN, scope, receive, send)

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._knocks.wait():
            logger.warning("Conexxus shim refused", extra=facts(scope, refusal.status))

        answer: ASGIApp = error(refusal.status, refusal.error, refusal.headers)

        if scope["type"] == "websocket" and "websocket.http.response" not in scope.get(
            "extensions", {}
        ):
            # RFC 6455, 7.4.1: against the policy of this end.
            answer = WebSocketClose(code=1008)

        await answer(scope, receive, send)


class AnswerMiddleware:
    """
    Refuses heads that are too long, and adds what every answer has.

    Args:
        prefix: What the routes of the integration begin with: mounted there,
            or at the root, the application answers at the same addresses.
    """

    def __init__(self, app: ASGIApp, *, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        One request; or something else, of which this takes no notice.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        app: ASGIApp = self._app

        if _head_size(scope) > MAX_HEAD:
            app = error(431, f"The head of the request is longer than {MAX_HEAD:,} bytes.")

        root = scope.get("root_path", "").removesuffix(self._prefix)
        await app({**scope, "root_path": root}, receive, complete)


def _too_many(seconds: int) -> Refusal:
    return Refusal(
        status=429,
        error=f"Too many wrong tokens: try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _head_size(scope: Scope) -> int:
    """
    About how many bytes came before the body.
    """
    fields = sum(len(name) + len(value) + 4 for name, value in scope["headers"])

    return len(scope["path"]) + len(scope["query_string"]) + fields


def _joined(headers: Headers) -> dict[str, str]:
    """
    By lower-case name; values of a repeated one joined (RFC 9110, 5.3).

    A repeated `Host` or `Origin` so becomes one that is not allowed.
    """
    return {
        name: ("; " if name == "cookie" else ", ").join(headers.getlist(name)) for name in headers
    }
