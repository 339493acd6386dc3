"""
The shim as Starlette routes.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ._access import Access
from ._shim import Answer, Service, Shim


PREFIX = "/integrations/conexxus"

logger = logging.getLogger(__name__)


def integration(service: Service, *, access: Access | None = None) -> Mount:
    """
    The routes under `/integrations/conexxus`, to mount beside your own.

    Args:
        access: Who may call them; by default, callers that address this
            machine by a loopback name.
    """
    shim = Shim(service)

    return Mount(
        PREFIX,
        routes=[
            Route("/health", _endpoint(shim.health), methods=["GET"]),
            Route("/test-connection", _endpoint(shim.test_connection), methods=["GET"]),
            Route("/metrics", _endpoint(shim.metrics), methods=["GET"]),
            Route("/sync", _endpoint(shim.sync), methods=["POST"]),
        ],
        middleware=[Middleware(Gate, access=access or Access())],
    )


def create_app(service: Service, *, access: Access | None = None) -> Starlette:
    """
    An application of its own: the integration, and `/health` for whoever
    watches the process.
    """
    return Starlette(
        routes=[integration(service, access=access), Route("/health", _alive, methods=["GET"])],
        exception_handlers={HTTPException: _no_route},
    )


class Gate:
    """
    Turns away what `Access` refuses, before anything else happens.
    """

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        One request.
        """
        request = Request(scope)
        refusal = self._access.refusal(request.method, request.headers)

        if refusal is None:
            await self._app(scope, receive, send)
            return

        challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
        await JSONResponse({"error": refusal.error}, refusal.status, challenge)(
            scope, receive, send
        )


def _endpoint(
    answer: Callable[[dict[str, str]], Answer],
) -> Callable[[Request], Awaitable[Response]]:
    """
    Answer in a worker thread: the store and the back office block.
    """

    async def endpoint(request: Request) -> Response:
        try:
            result = await run_in_threadpool(answer, dict(request.query_params))
        except Exception:
            incident = secrets.token_hex(4)
            logger.exception("Conexxus shim failed", extra={"incident": incident})
            return JSONResponse({"error": f"Internal error, incident {incident}."}, 500)

        return JSONResponse(result.document, result.status, {"Cache-Control": "no-store"})

    return endpoint


async def _no_route(request: Request, exc: Exception) -> Response:
    """
    404 and 405, as JSON like all the rest.
    """
    assert isinstance(exc, HTTPException)

    return JSONResponse({"error": f"{exc.detail}."}, exc.status_code, exc.headers)


async def _alive(request: Request) -> Response:
    return JSONResponse({"status": "ok"})
