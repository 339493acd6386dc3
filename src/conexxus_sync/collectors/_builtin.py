"""
The collectors that come with the SDK: one writes log events, one keeps runs in memory.
"""

import logging
from collections import deque
from typing import Any

import attrs

from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun


_NAMES = {RunKind.INVENTORY: "inventory sync", RunKind.SALES: "sales push"}


@attrs.frozen
class LoggingCollector:
    """
    Logs each run when it starts and when it ends.

    Attributes:
        logger: Where to; handlers and levels are the application's.
    """

    logger: logging.Logger = attrs.field(factory=lambda: logging.getLogger("conexxus_sync"))

    def run_started(self, run: SyncRun) -> None:
        self.logger.info(
            "Conexxus %s started",
            _NAMES[run.kind],
            extra={"run": run.id, "location": run.location_id, "planned": run.planned},
        )

    def run_finished(self, run: SyncRun) -> None:
        failed = run.status is RunStatus.FAILED
        level = logging.INFO if run.status is RunStatus.SUCCESS else logging.WARNING

        self.logger.log(
            logging.ERROR if failed else level,
            "Conexxus %s failed" if failed else "Conexxus %s completed",
            _NAMES[run.kind],
            extra=_figures(run),
        )

        if run.note is not None:
            self.logger.warning(
                "Conexxus %s note: %s",
                run.kind.value,
                run.note,
                extra={"run": run.id, "location": run.location_id},
            )


def _figures(run: SyncRun) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "run": run.id,
        "location": run.location_id,
        "status": str(run.status),
        "processed": run.items_processed,
        "succeeded": run.items_succeeded,
        "failed": run.items_failed,
    }
    optional = {
        "business_date": run.business_date and run.business_date.isoformat(),
        "planned": run.planned,
        "not_modified": run.not_modified,
        "refused": run.refused,
        "error": run.last_error,
        "total": run.total,
    }

    return figures | {name: value for name, value in optional.items() if value}


@attrs.define
class InMemoryCollector:
    """
    The last runs that started and finished, for tests and small hosts.
    """

    started: deque[SyncRun] = attrs.field(factory=lambda: deque(maxlen=100))
    finished: deque[SyncRun] = attrs.field(factory=lambda: deque(maxlen=100))

    def run_started(self, run: SyncRun) -> None:
        self.started.append(run)

    def run_finished(self, run: SyncRun) -> None:
        self.finished.append(run)
