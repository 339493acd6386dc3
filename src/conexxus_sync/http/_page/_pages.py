"""
Routes of the page.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import attrs
from starlette.responses import Response

from conexxus_client import ConexxusError
from conexxus_sync.http._access import Access
from conexxus_sync.http._rate_limits import PROBES, Rate
from conexxus_sync.http._routing import HttpRequest, Route, error
from conexxus_sync.model.sales import OPEN_STATES
from conexxus_sync.views.runbooks import runbook_for

from ._actions import Actions, PageService, refused
from ._flash_messages import Note, Notes
from ._render import MEDIA_TYPES, page, static
from ._view import PageView


# Enough for somebody who clicks through a list, and not for a program.
CLICKS = Rate(per_minute=60, burst=30)
# A token can't be guessed, but no person has to try fast either.
LOGINS = Rate(per_minute=20, burst=10, per_caller=True)


def page_routes(
    service: PageService, *, access: Access | None = None, home: str | None = None
) -> list[Route]:
    """
    `GET /` and what belongs to it, for `create_app(…, routes=…)`.

    Args:
        access: As given to the app: where it has a token, the page asks for it.
        home: Where the page of all stores is, if there is one.
    """
    pages = _Pages(service=service, access=access or Access(), home=home)
    actions = Actions(service)

    return [
        Route("GET", "/", pages.overview, signed_out=pages.sign_in),
        Route("GET", "/confirm/{run}", pages.confirm, signed_out=pages.sign_in),
        Route("GET", "/parked/{key}", pages.parked, signed_out=pages.sign_in),
        Route("POST", "/page/sync", pages.after(actions.sync), trigger=True),
        Route("POST", "/page/push", pages.after(actions.push), trigger=True),
        Route("POST", "/page/accept", pages.after(actions.accept), trigger=True),
        Route("POST", "/page/replay-item", pages.after(actions.replay_item), rate=CLICKS),
        Route("POST", "/page/replay-sale", pages.after(actions.replay_sale), rate=CLICKS),
        Route("POST", "/page/resolve", pages.after(actions.resolve), rate=CLICKS),
        Route("POST", "/page/probe", pages.after(actions.probe), rate=PROBES),
        *frame_routes(pages),
    ]


def frame_routes(pages: "PageFrame") -> list[Route]:
    """
    What belongs to a page, whatever it shows.
    """
    return [
        Route("GET", "/runbooks/{name}", pages.runbook, signed_out=pages.sign_in),
        Route("POST", "/page/login", pages.log_in, public=True, rate=LOGINS),
        Route("POST", "/page/logout", pages.log_out, public=True, rate=LOGINS),
        *(
            Route("GET", f"/static/{name}", static(name), public=True, inline=True)
            for name in MEDIA_TYPES
        ),
    ]


logger = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class PageFrame:
    """
    Signing in and out, and the runbooks.
    """

    access: Access
    now: Callable[[], float] = time.time

    def runbook(self, request: HttpRequest) -> Response:
        name = request.path_params["name"]
        found = runbook_for(name)

        if found is None:
            return error(404, "There is no such runbook.")

        return page("runbook.html", name=name, book=found)

    def sign_in(self, request: HttpRequest) -> Response:
        """
        The form that asks for the token, and shows nothing else.
        """
        failed = request.query_params.get("wrong") == "1"
        up = "../" if request.path_params else ""

        return page("sign_in.html", status=401, up=up, failed=failed)

    def log_in(self, request: HttpRequest) -> Response:
        if not self.access.is_token(request.fields.get("token", "")):
            logger.warning("Conexxus shim saw a wrong token", extra={"caller": request.caller})
            return see("../?wrong=1")

        secure = request.url.scheme == "https"
        return see("../", self.access.session_cookie(now=self.now(), secure=secure))

    def log_out(self, request: HttpRequest) -> Response:
        secure = request.url.scheme == "https"
        self.access.end_session(request.headers, now=self.now())
        return see("../", self.access.ended_session_cookie(secure=secure))


@attrs.define(kw_only=True)
class _Pages(PageFrame):
    service: PageService
    home: str | None = None
    notes: Notes = attrs.field(factory=Notes)

    def overview(self, request: HttpRequest) -> Response:
        note = self.notes.get(request.query_params.get("note", ""))
        view = PageView.of(self.service.overview())

        signed_in = bool(self.access.token)

        return page("overview.html", view=view, note=note, signed_in=signed_in, home=self.home)

    def confirm(self, request: HttpRequest) -> Response:
        """
        What a refused catalogue would change, and whether it shall.
        """
        view = PageView.of(self.service.overview())
        waiting = view.overview.refused

        if waiting is None or waiting.run.id != request.path_params["run"]:
            return self._see_note(Note("This catalogue is no longer there to apply.", failed=True))

        return page("confirm.html", view=view, refused=waiting)

    def parked(self, request: HttpRequest) -> Response:
        """
        The question that decides what becomes of a batch of unknown fate.
        """
        try:
            batch = self.service.outbox_operator().find(request.path_params["key"])
        except ConexxusError as exc:
            return self._see_note(refused(exc))

        if batch.parked is None or batch.state not in OPEN_STATES:
            return self._see_note(Note("This batch needs no decision."))

        return page("parked.html", view=PageView.of(self.service.overview()), batch=batch)

    def after(self, action: Callable[[HttpRequest], Note]) -> Callable[[HttpRequest], Response]:
        """
        Do it, then show the page with what became of it.
        """
        return partial(self._after, action)

    def _after(self, action: Callable[[HttpRequest], Note], request: HttpRequest) -> Response:
        try:
            note = action(request)
        except ConexxusError as exc:
            note = refused(exc)

        return self._see_note(note)

    def _see_note(self, note: Note) -> Response:
        return see(f"../?note={quote(self.notes.keep(note))}")


def see(where: str, cookie: str | None = None) -> Response:
    """
    Load the page anew, with GET: to load it again repeats nothing.
    """
    headers = {"Location": where} | ({"Set-Cookie": cookie} if cookie else {})

    return Response(status_code=303, headers=headers)
