"""
The routes of the shim, as an ASGI or WSGI application.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount

from ._access import Access
from ._api import ApiHandlers, Service
from ._app import App
from ._asgi import AsgiShim
from ._messages import Answer, HttpRequest, HttpResponse
from ._rate_limits import PROBES
from ._routing import Route
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
    shim = App(routes_beneath(service, access, prefix), access=access)

    return Mount(prefix, app=AsgiShim(shim, prefix=prefix))


def create_app(
    service: Service,
    *,
    access: Access | None = None,
    metrics: Scrape | None = None,
    routes: Iterable[Route] = (),
) -> Starlette:
    """
    An application of its own: the integration, and `/health` for whoever
    watches the process.

    Args:
        metrics: Makes what `/metrics` answers; without it, there is none.
        routes: More of them, under the same rules.
    """
    shim = App(_everything(service, access, PREFIX, metrics, routes), access=access)

    return Starlette(routes=[Mount("/", app=AsgiShim(shim, prefix=PREFIX))])


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
    shim = App(_everything(service, access, prefix, metrics, routes), access=access)

    return WsgiShim(shim, prefix=prefix, beside=beside)


def _everything(
    service: Service,
    access: Access | None,
    prefix: str,
    metrics: Scrape | None,
    routes: Iterable[Route],
) -> list[Route]:
    own = [Route("GET", "/health", _alive, public=True, inline=True)]

    if metrics is not None:
        own.append(Route("GET", "/metrics", _scraped(metrics)))

    return [*routes_beneath(service, access, prefix), *own, *routes]


def routes_beneath(service: Service, access: Access | None, prefix: str) -> list[Route]:
    """
    Those of the integration.
    """
    shim = ApiHandlers(service, prefix=prefix, guarded=access is not None and bool(access.token))
    routes = [
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

    return [route.beneath(prefix) for route in routes]


def _scraped(metrics: Scrape) -> Callable[[HttpRequest], HttpResponse]:
    def scraped(request: HttpRequest) -> HttpResponse:
        body, media_type = metrics()
        return HttpResponse(headers=(("Content-Type", media_type),), body=body)

    return scraped


def _alive(request: HttpRequest) -> Answer:
    return Answer(document={"status": "ok"})
