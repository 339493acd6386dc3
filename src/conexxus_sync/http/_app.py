"""
Admits or refuses requests, and calls their handlers; independent of ASGI and WSGI.

A front (ASGI, WSGI) shows the head of a request first, and reads the body only
of what was let in.
"""

import logging
import math
import secrets
import time
from collections.abc import Callable, Iterable

import attrs

from conexxus_sync.errors import StoreError, SyncError

from ._access import Access
from ._messages import Answer, BadRequestError, HttpRequest, HttpResponse, as_response, error
from ._rate_limits import Buckets, Rate, TokenBucket
from ._routing import Handler, Match, Route, RouteTable


MAX_BODY = 64 * 1024
MAX_HEAD = 16 * 1024
_READING = ("GET", "HEAD")

# Nobody fills the log by knocking.
_KNOCKS = Rate(per_minute=10, burst=10)
_LONGEST_PATH = 200
# Seconds; whoever waits for a lock, or for a restart, may ask again then.
_RETRY_AFTER = 5

# Of every answer, unless it brings its own.
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    # Not `no-referrer`: under that, a page's own forms come with `Origin: null`.
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)

logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class AdmittedRequest:
    """
    A request that is let in, to be answered once its body is read.
    """

    request: HttpRequest
    handler: Handler
    inline: bool = False


class App:
    """
    Lets requests in or turns them away, and answers them.  Threads may share it.

    Args:
        monotonic: A clock that only goes forward, for rates.
        now: Seconds since 1970, for sessions.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        access: Access | None = None,
        max_body: int = MAX_BODY,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        routes = tuple(routes)
        self.max_body = max_body
        self._access = access or Access()
        self._table = RouteTable(routes)
        self._buckets = {
            (route.method, route.pattern): Buckets(route.limit)
            for route in routes
            if route.limit is not None
        }
        self._knocks = TokenBucket(_KNOCKS)
        self._monotonic = monotonic
        self._now = now

    def handle(self, request: HttpRequest) -> HttpResponse:
        """
        Answer a request whose body is there already.
        """
        admitted = self.admit(request)

        return (
            admitted if isinstance(admitted, HttpResponse) else self.answer(admitted, request.body)
        )

    def admit(self, request: HttpRequest) -> AdmittedRequest | HttpResponse:
        """
        Decide by the head of *request* alone.  Does not block.
        """
        decided = self._decide(request)

        if isinstance(decided, AdmittedRequest):
            return decided
        if decided.status in (401, 403) and not self._knocks.wait(self._monotonic()):
            logger.warning("Conexxus shim refused", extra=_facts(request, decided))

        return _finished(request, decided)

    def answer(self, admitted: AdmittedRequest, body: bytes = b"") -> HttpResponse:
        """
        Let the handler answer.  Blocks, unless it is `inline`.
        """
        request = attrs.evolve(admitted.request, body=body)

        if len(body) > self.max_body:
            return self.too_large(request)

        response = _handled(admitted.handler, request)

        if request.method not in _READING:
            logger.info("Conexxus shim acted", extra=_facts(request, response))

        return _finished(request, response)

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """
        What a body that is too long gets.
        """
        sentence = f"The body is longer than {self.max_body:,} bytes."

        return _finished(request, error(413, sentence))

    def unreadable(self, request: HttpRequest) -> HttpResponse:
        """
        What a body gets that the front can't read to its end.
        """
        return _finished(request, error(400, "The body is cut off, or lacks a Content-Length."))

    def too_slow(self, request: HttpRequest) -> HttpResponse:
        """
        What a body that does not arrive gets.
        """
        return _finished(request, error(408, "The body did not arrive in time."))

    def _decide(self, request: HttpRequest) -> AdmittedRequest | HttpResponse:
        if request.head_size > MAX_HEAD:
            return error(431, f"The head of the request is longer than {MAX_HEAD:,} bytes.")

        refusal = self._access.foreign_refusal(request.method, request.headers, request.client)

        if refusal is not None:
            return error(refusal.status, refusal.error)

        match = self._table.find(request.method, request.path)
        route = None if match is None else match.route

        if (route is None or not route.public) and not self._is_authenticated(request):
            return _unknown(request, route)
        if match is None:
            return error(404, "There is nothing at this path.")
        if route is None:
            return _no_such_method(request, match)

        return self._within_rate(route, request.client) or AdmittedRequest(
            request=attrs.evolve(request, captured=match.captured),
            handler=route.handler,
            inline=route.inline,
        )

    def _is_authenticated(self, request: HttpRequest) -> bool:
        return self._access.is_authenticated(request.headers, now=self._now())

    def _within_rate(self, route: Route, caller: str) -> HttpResponse | None:
        buckets = self._buckets.get((route.method, route.pattern))
        wait = 0 if buckets is None else buckets.wait(caller, self._monotonic())

        if not wait:
            return None

        seconds = math.ceil(wait)
        retry = ("Retry-After", str(seconds))

        return error(429, f"Too many requests: try again in {seconds} s.", retry)


def _facts(request: HttpRequest, response: HttpResponse) -> dict[str, object]:
    """
    Who did what, for the log.
    """
    return {
        "method": request.method,
        "path": request.path[:_LONGEST_PATH],
        "caller": request.client,
        "status": response.status,
    }


def _unknown(request: HttpRequest, route: Route | None) -> AdmittedRequest | HttpResponse:
    if route is not None and route.signed_out is not None:
        return AdmittedRequest(request=request, handler=route.signed_out)

    return error(401, "A valid bearer token is needed.", ("WWW-Authenticate", "Bearer"))


def _no_such_method(request: HttpRequest, match: Match) -> HttpResponse:
    allow = ("Allow", ", ".join(match.allowed))

    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=(allow,))

    return error(405, "This path does not know this method.", allow)


def _handled(handler: Handler, request: HttpRequest) -> HttpResponse:
    try:
        answer = handler(request)
        return as_response(answer) if isinstance(answer, Answer) else answer
    except BadRequestError as exc:
        return error(400, f"{exc}.")
    except Exception as exc:
        # What happened is for the log alone: whoever asks may be anybody.
        incident = secrets.token_hex(4)
        extra = {"incident": incident, "method": request.method, "path": request.path}
        logger.exception("Conexxus shim failed", extra=extra)
        if not isinstance(exc, SyncError):
            return error(500, f"Internal error, incident {incident}.")
        # A lock ends, and a service that stops is started again.
        retry = ("Retry-After", str(_RETRY_AFTER))
        busy = isinstance(exc, StoreError)
        what = "The SDK's own state can't be used" if busy else "That can't be done now"
        return error(503, f"{what}, incident {incident}.", retry)


def _finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """
    With the headers of every answer, and without content where there is none.
    """
    added = [header for header in _HEADERS if not response.has(header[0])]

    if response.status != 204:
        added.append(("Content-Length", str(len(response.body))))

    return attrs.evolve(
        response,
        headers=(*response.headers, *added),
        body=b"" if request.method == "HEAD" else response.body,
    )
