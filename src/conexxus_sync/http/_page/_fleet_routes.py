"""
Routes of a fleet's page, and of the pages of its stores.
"""

from collections import OrderedDict
from contextlib import suppress
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

import attrs
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from conexxus_sync.fleet import StoreState, StoreStatus
from conexxus_sync.http._access import Access
from conexxus_sync.http._routing import HttpRequest, Route, error

from ._actions import PageService
from ._fleet_view import FleetView
from ._pages import PageFrame, frame_routes, page_routes, see
from ._render import page


# Of stores that were looked at: what is kept of each is small.
KEPT = 64


class PageFleet(Protocol):
    """
    What the page asks of a fleet.
    """

    def now(self) -> datetime: ...

    def status(self) -> list[StoreStatus]: ...

    def service(self, location_id: str) -> PageService | None: ...


def fleet_routes(fleet: PageFleet, *, access: Access | None = None) -> list[Route]:
    """
    `GET /fleet`, and the page of each store below `/stores/`.
    """
    access = access or Access()
    frame = PageFrame(access=access)
    pages = _FleetPages(fleet=fleet, frame=frame)
    stores = _StorePages(fleet, access)

    return [
        Route("GET", "/", lambda _: see("fleet"), signed_out=frame.sign_in),
        Route("GET", "/fleet", pages.fleet_page, signed_out=frame.sign_in),
        StoreRoute("GET", stores, signed_out=_sign_in),
        StoreRoute("POST", stores),
        *frame_routes(frame),
    ]


@attrs.frozen(kw_only=True)
class _FleetPages:
    fleet: PageFleet
    frame: PageFrame

    def fleet_page(self, request: HttpRequest) -> Response:
        chosen = None
        with suppress(ValueError):
            chosen = StoreState(request.query_params.get("state", ""))
        wanted = request.query_params.get("q", "")[:100]
        view = FleetView.of(self.fleet.status(), self.fleet.now(), chosen=chosen, wanted=wanted)

        return page("fleet.html", view=view, signed_in=bool(self.frame.access.token))


@attrs.define
class _StorePages:
    """
    The routes of the stores that were looked at last.
    """

    fleet: PageFleet
    access: Access
    _routers: OrderedDict[str, Router] = attrs.field(factory=OrderedDict, init=False)

    def router(self, location_id: str) -> Router | None:
        if location_id not in self._routers:
            service = self.fleet.service(location_id)
            if service is None:
                return None
            routes = page_routes(service, access=self.access, home="../../fleet")
            self._routers[location_id] = Router(routes, redirect_slashes=False)
        self._routers.move_to_end(location_id)
        while len(self._routers) > KEPT:
            self._routers.popitem(last=False)

        return self._routers[location_id]


class StoreRoute(Route):
    """
    Whatever is asked of the page of one store.
    """

    def __init__(self, method: str, stores: _StorePages, **options: object) -> None:
        super().__init__(method, "/stores/{location}/{rest:path}", _never, **options)  # type: ignore[arg-type]  # those of a route
        self._stores = stores

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer as the page of the store would at the root.
        """
        parameters = scope["path_params"]
        router = self._stores.router(unquote(parameters["location"]))

        if router is None:
            answer = error(404, "There is no such store.")
            await answer(scope, receive, send)
            return

        inner = {**scope, "path": f"/{parameters['rest']}", "root_path": "", "path_params": {}}
        await router(inner, receive, send)


def _sign_in(request: HttpRequest) -> Response:
    up = "../" * (2 + request.path_params["rest"].count("/"))

    return page("sign_in.html", status=401, up=up, failed=False)


def _never(request: HttpRequest) -> Response:
    raise AssertionError
