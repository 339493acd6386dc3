"""
The routes of the shim, as an ASGI or WSGI application.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Router

from ._access import Access
from ._api import ApiHandlers, Service
from ._middleware import AccessMiddleware, AnswerMiddleware
from ._openapi import openapi_document
from ._rate_limits import PROBES
from ._routing import Answer, Handler, HttpRequest, Route, error
from ._wsgi import WsgiShim


if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

PREFIX = "/integrations/conexxus"

# Makes the text for Prometheus, and says its media type.
Scrape = Callable[[], tuple[bytes, str]]


def integration(service: Service, *, access: Access | None = None, prefix: str = PREFIX) -> Mount:
    """
    The routes under `/integrations/conexxus`, to put among those of Starlette
    or FastAPI.

    Args:
        access: Who may call them; by default, callers that address this
            machine by a loopback name.
        prefix: Where, if not there.
    """
    return Mount(prefix, app=application(api_routes(service, access, prefix), access=access))


def create_app(
    service: Service,
    *,
    access: Access | None = None,
    metrics: Scrape | None = None,
    routes: Iterable[Route] = (),
) -> Starlette:
    """
    An application of its own: the integration, and `/health` for a
    monitor of the process.

    Args:
        metrics: Makes what `/metrics` answers; without it, there is none.
        routes: More of them, under the same rules.
    """
    return _with_everything(service, access, PREFIX, metrics, routes)


def wsgi_app(
    service: Service,
    *,
    access: Access | None = None,
    prefix: str = PREFIX,
    beside: "WSGIApplication | None" = None,
    metrics: Scrape | None = None,
    routes: Iterable[Route] = (),
) -> "WSGIApplication":
    """
    The same for WSGI: alone, mounted at its prefix, or in front of an
    application of yours.

    Args:
        beside: Your application: it gets all requests that are not under the
            prefix.
    """
    app = _with_everything(service, access, prefix, metrics, routes)

    return WsgiShim(app, prefix=prefix, beside=beside)


def application(
    routes: Sequence[BaseRoute], *, access: Access | None = None, prefix: str = ""
) -> Starlette:
    """
    *routes* under the rules of *access*.

    Args:
        prefix: Mounted there, it answers as if it were at the root.
    """
    own = [route for route in routes if isinstance(route, Route)]
    public = [route for route in own if route.public]
    forms = [Route("GET", route.path, route.signed_out) for route in own if route.signed_out]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(AnswerMiddleware, prefix=prefix),
            Middleware(AccessMiddleware, access=access or Access(), public=[*public, *forms]),
        ],
        exception_handlers={404: _nothing},
    )
    app.router.redirect_slashes = False

    return app


def api_routes(service: Service, access: Access | None, prefix: str) -> list[Route]:
    """
    Those of the integration, which are somewhere under *prefix*.
    """
    shim = ApiHandlers(service)
    routes = _routes_of(shim)
    shim.document = _document(routes, access, prefix)

    return routes


def api_document(*, access: Access | None = None, prefix: str = PREFIX) -> dict[str, Any]:
    """
    The routes in OpenAPI, for an application that shows them among its own.
    """
    return _document(_routes_of(ApiHandlers(cast("Service", None))), access, prefix)


def _routes_of(shim: ApiHandlers) -> list[Route]:
    return [
        Route("GET", "/health", shim.health),
        Route("GET", "/test-connection", shim.test_connection, rate=PROBES),
        Route("GET", "/metrics", shim.metrics),
        Route("GET", "/runs/{id}", shim.run),
        Route("GET", "/quarantine", shim.quarantine),
        Route("GET", "/outbox", shim.outbox),
        Route("GET", "/openapi.json", shim.openapi),
        Route("POST", "/sync", shim.sync, trigger=True),
        Route("POST", "/push", shim.push, trigger=True),
    ]


def _document(routes: list[Route], access: Access | None, prefix: str) -> dict[str, Any]:
    guarded = access is not None and bool(access.token)
    return openapi_document(routes, prefix=prefix, guarded=guarded)


def _with_everything(
    service: Service,
    access: Access | None,
    prefix: str,
    metrics: Scrape | None,
    routes: Iterable[Route],
) -> Starlette:
    api = Router(api_routes(service, access, prefix), redirect_slashes=False)
    own = [Mount(prefix, app=api), *process_routes(metrics), *routes]

    return application(own, access=access, prefix=prefix)


def process_routes(metrics: Scrape | None) -> Iterator[Route]:
    """
    `/health`, and `/metrics` if there are any.
    """
    yield Route("GET", "/health", _alive, public=True, inline=True)

    if metrics is not None:
        yield Route("GET", "/metrics", _scraped(metrics))


def _scraped(metrics: Scrape) -> Handler:
    def scraped(request: HttpRequest) -> Response:
        body, media_type = metrics()
        return Response(body, headers={"Content-Type": media_type})

    return scraped


def _alive(request: HttpRequest) -> Answer:
    return Answer({"status": "ok"})


async def _nothing(request: Request, exc: Exception) -> Response:
    return error(404, "There is nothing at this path.")
