"""
What the shim answers, apart from any web framework.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import attrs

from conexxus_client import ConnectionCheck
from conexxus_sync._codec import health_to_json, run_to_json
from conexxus_sync._health import ServiceHealth
from conexxus_sync.runs import RunKind
from conexxus_sync.service import RunHistory, Trigger


Query = Mapping[str, str]


class Service(Protocol):
    """
    What the shim asks of `ConexxusService`.
    """

    def health(self) -> ServiceHealth: ...

    def test_connection(self) -> ConnectionCheck: ...

    def metrics(self, limit: int = 10, *, kind: RunKind = RunKind.INVENTORY) -> RunHistory: ...

    def trigger_sync(self) -> Trigger: ...


@attrs.frozen(kw_only=True)
class Answer:
    """
    A status and a JSON document.
    """

    status: int = 200
    document: Mapping[str, Any]


class Shim:
    """
    One method for each route under `/integrations/conexxus`.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def health(self, query: Query) -> Answer:
        """
        How the integration is; `?strict=true` says so in the status, too.
        """
        health = self._service.health()
        unhealthy = query.get("strict") == "true" and health.status == "unhealthy"

        return Answer(status=503 if unhealthy else 200, document=health_to_json(health))

    def test_connection(self, query: Query) -> Answer:
        """
        Ask the back office, now.
        """
        check = self._service.test_connection()

        return Answer(
            document={
                "success": check.success,
                "message": check.message,
                "latency": check.latency_ms,
            }
        )

    def metrics(self, query: Query) -> Answer:
        """
        The last finished runs; `?kind=sales` for those of the sales.
        """
        try:
            kind = RunKind(query.get("kind", RunKind.INVENTORY))
        except ValueError:
            return Answer(status=400, document={"error": "kind must be inventory or sales"})

        found = self._service.metrics(limit=10, kind=kind)

        return Answer(
            document={
                "latest": found.latest and run_to_json(found.latest),
                "history": [run_to_json(run) for run in found.history],
            }
        )

    def sync(self, query: Query) -> Answer:
        """
        Start a pull and answer at once.
        """
        trigger = self._service.trigger_sync()

        if trigger.skipped is not None:
            message = f"Sync skipped: {trigger.skipped}"
            return Answer(
                status=409, document={"message": message, "status": "disabled", "runId": None}
            )

        message = "Sync already running" if trigger.already_running else "Sync triggered"

        return Answer(
            status=202,
            document={"message": message, "status": "processing", "runId": trigger.run_id},
        )
