"""
Handlers of the routes under `/integrations/conexxus`.
"""

import re
from datetime import date
from typing import Any, Literal, Protocol

from starlette.exceptions import HTTPException

from conexxus_client import ConfigurationError, ConnectionCheck
from conexxus_sync.errors import DateClosedError
from conexxus_sync.health._health import ServiceHealth
from conexxus_sync.health._overview import Quarantine
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.model.sales import Batch
from conexxus_sync.scheduling._background_runs import Trigger
from conexxus_sync.service._queries import RunHistory
from conexxus_sync.views.json import batch_document, health_document
from conexxus_sync.views.run_document import run_document

from . import _documents as documents
from ._routing import JSON, Answer, HttpRequest, error


MAX_LIMIT = 1000
_DEFAULT_LIMIT = 100
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LIMIT = re.compile(r"[0-9]{1,4}")


class Service(Protocol):
    """
    What the shim asks of `ConexxusService`.
    """

    def health(self) -> ServiceHealth: ...

    def test_connection(self) -> ConnectionCheck: ...

    def metrics(self, limit: int = 10, *, kind: RunKind = RunKind.INVENTORY) -> RunHistory: ...

    def run(self, run_id: str) -> SyncRun | None: ...

    def quarantine(self, limit: int = 100) -> Quarantine: ...

    def outbox(self, limit: int = 100, *, settled: bool = False) -> tuple[Batch, ...]: ...

    def trigger_sync(self) -> Trigger: ...

    def trigger_push(self, business_date: date | None = None) -> Trigger: ...


class ApiHandlers:
    """
    One method for each route under `/integrations/conexxus`.

    Attributes:
        document: Describes the routes in OpenAPI.
    """

    def __init__(self, service: Service) -> None:
        self.document: dict[str, Any] = {}
        self._service = service

    def health(self, request: HttpRequest) -> Answer:
        """
        How the integration is; `?strict=true` says so in the status, too.
        """
        strict = _flag(request, "strict")
        health = self._service.health()
        unhealthy = strict and health.status == "unhealthy"

        return Answer(health_document(health), status=503 if unhealthy else 200)

    def test_connection(self, request: HttpRequest) -> Answer:
        """
        Ask the back office, now.
        """
        check = self._service.test_connection()

        answer = documents.ConnectionCheck.of(check, latency=check.latency_ms)

        return Answer(answer)

    def metrics(self, request: HttpRequest) -> Answer:
        """
        The last finished runs; `?kind=sales` for those of the sales.
        """
        found = self._service.metrics(limit=10, kind=_kind(request))

        latest = None if found.latest is None else run_document(found.latest)
        answer = documents.Metrics(latest, [*map(run_document, found.history)])

        return Answer(answer)

    def run(self, request: HttpRequest) -> Answer:
        """
        One run, finished or at work.
        """
        run = self._service.run(request.path_params["id"])

        if run is None:
            return error(404, "There is no run with this id.")

        return Answer(run_document(run))

    def quarantine(self, request: HttpRequest) -> Answer:
        """
        What was set aside, and why.
        """
        found = self._service.quarantine(_limit(request))

        items = [*map(documents.listed_item, found.items)]
        sales = [*map(documents.listed_sale, found.sales)]

        return Answer(documents.Quarantine(items, sales))

    def outbox(self, request: HttpRequest) -> Answer:
        """
        The batches that are not settled; with `?all=true`, the others, too.
        """
        limit, settled = _limit(request), _flag(request, "all")
        batches = self._service.outbox(limit, settled=settled)

        return Answer(documents.Outbox([*map(batch_document, batches)]))

    def sync(self, request: HttpRequest) -> Answer:
        """
        Start a pull and answer at once.
        """
        _refuse_unknown(request)
        trigger = self._service.trigger_sync()

        if trigger.skipped is not None:
            return _not_started(f"Sync skipped: {trigger.skipped}", "disabled")

        return _started("Sync", trigger)

    def push(self, request: HttpRequest) -> Answer:
        """
        Start a push, of one business date or of all that are due, and answer
        at once.
        """
        _refuse_unknown(request, "date")
        business_date = _business_date(request)

        try:
            trigger = self._service.trigger_push(business_date)
        except (DateClosedError, ConfigurationError) as exc:
            return _not_started(f"Push skipped: {exc}", "skipped")

        if trigger.skipped is not None:
            return _not_started(f"Push skipped: {trigger.skipped}", "skipped")

        return _started("Push", trigger)

    def openapi(self, request: HttpRequest) -> Answer:
        """
        This interface, for programs.
        """
        return Answer(self.document)


def _started(what: str, trigger: Trigger) -> Answer:
    message = f"{what} already running" if trigger.already_running else f"{what} triggered"

    answer = documents.Started.of(trigger, message=message, status="processing")

    return Answer(answer, status=202)


def _not_started(message: str, status: Literal["disabled", "skipped"]) -> Answer:
    return Answer(documents.NotStarted(message, status, None), status=409)


def _refuse_unknown(request: HttpRequest, *names: str) -> None:
    """
    Of what starts something, nothing is ignored.
    """
    if unknown := request.query_params.keys() - {*names}:
        raise HTTPException(400, f"{min(unknown)[:80]!r} is unknown here.")


def _flag(request: HttpRequest, name: str) -> bool:
    text = request.query_params.get(name, "false")

    if text not in ("true", "false"):
        raise HTTPException(400, f"{name} must be true or false.")

    return text == "true"


def _kind(request: HttpRequest) -> RunKind:
    try:
        return RunKind(request.query_params.get("kind", RunKind.INVENTORY))
    except ValueError:
        raise HTTPException(400, "kind must be inventory or sales.") from None


def _limit(request: HttpRequest) -> int:
    text = request.query_params.get("limit", str(_DEFAULT_LIMIT))

    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= MAX_LIMIT:
        raise HTTPException(400, f"limit must be a whole number from 1 to {MAX_LIMIT}.")

    return int(text)


def _business_date(request: HttpRequest) -> date | None:
    """
    From the query, or else from the body; None if neither says.
    """
    if request.content and request.media_type not in ("", JSON):
        raise HTTPException(400, f"the body must be {JSON}.")

    in_body, text = documents.business_date_in(request.content), request.query_params.get("date")

    try:
        in_query = date.fromisoformat(text) if text is not None and _DATE.fullmatch(text) else None
    except ValueError:
        in_query = None

    if text is not None and in_query is None:
        raise HTTPException(400, "date must be a business date like 2026-01-02.")

    return in_query or in_body
