"""
How the service is, from what the store knows.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import attrs

from conexxus_client import ConfigurationError

from .mirror import MirrorCounts
from .outbox import BatchState
from .runs import RunStatus, SyncRun


if TYPE_CHECKING:
    from .sales import SalesPush

# Beyond this, one more makes no difference to who reads it.
MOST_COUNTED = 10_000

ServiceStatus = Literal["healthy", "unhealthy", "disabled"]


@attrs.frozen(kw_only=True)
class SalesHealth:
    """
    How the sales are doing.

    Attributes:
        enabled: Whether there is an order source.
        last_push_time: End of the last push that had something to say.
        alerts: What somebody should look at, one sentence each.
    """

    enabled: bool
    last_push_time: datetime | None = None
    last_push_status: RunStatus | None = None
    last_error: str | None = None
    alerts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ServiceHealth:
    """
    How the service is.

    Attributes:
        last_sync_time: End of the last pull.
        api_connection: Whether the last call reached the back office; None
            before the first.
        alerts: What somebody should look at, one sentence each.
    """

    status: ServiceStatus
    last_sync_time: datetime | None = None
    last_sync_status: RunStatus | None = None
    last_error: str | None = None
    api_connection: bool | None = None
    alerts: tuple[str, ...] = ()
    sales: SalesHealth

    @property
    def is_healthy(self) -> bool:
        """
        Is it configured, and did the last call and the last run go well?
        """
        return self.status == "healthy"


def health_of(
    *,
    missing: tuple[str, ...],
    latest: SyncRun | None,
    counts: MirrorCounts,
    api_connection: bool | None,
    sales: SalesHealth,
) -> ServiceHealth:
    """
    Judge the service.

    Args:
        missing: Settings without which there is no integration.
        latest: The last pull that was not a plan.
    """
    last_status = None if latest is None else latest.status
    failed = RunStatus.FAILED in (last_status, sales.last_push_status)
    status: ServiceStatus = "unhealthy" if failed or api_connection is False else "healthy"

    return ServiceHealth(
        status="disabled" if missing else status,
        last_sync_time=None if latest is None else latest.end_time,
        last_sync_status=last_status,
        last_error=None if latest is None else latest.last_error,
        api_connection=api_connection,
        alerts=(*missing, *_alerts(latest, counts), *sales.alerts),
        sales=sales,
    )


def sales_health(
    *, enabled: bool, latest: SyncRun | None, alerts: Iterable[str] = ()
) -> SalesHealth:
    """
    Judge the sales by the last push.
    """
    return SalesHealth(
        enabled=enabled,
        last_push_time=None if latest is None else latest.end_time,
        last_push_status=None if latest is None else latest.status,
        last_error=None if latest is None else latest.last_error,
        alerts=tuple(alerts),
    )


def _alerts(latest: SyncRun | None, counts: MirrorCounts) -> Iterator[str]:
    if latest is not None and latest.refused is not None:
        yield f"The last catalogue was refused: {latest.refused}"
    elif latest is not None and latest.status is RunStatus.FAILED:
        yield f"The last pull failed: {latest.last_error}"

    if counts.quarantined:
        yield f"{_counted(counts.quarantined, 'item')} set aside: see `conexxus quarantine list`."

    if counts.pending:
        waiting = _counted(counts.pending, "set")
        yield f"{waiting} of changes not yet taken by the host's catalogue storage."


def sales_alerts(sales: "SalesPush", now: datetime) -> Iterator[str]:
    """
    What somebody should look at.
    """
    try:
        held = sales.held(now)
    except ConfigurationError as exc:
        yield str(exc)
        return

    if held is not None:
        yield f"{held}."

    location_id = sales.config.location_id
    counts = sales.store.outbox.counts(location_id)
    unknown = counts.get(BatchState.UNKNOWN, 0)

    if unknown:
        batches = _counted(unknown, "batch", "batches")
        yield f"{batches} of sales of unknown fate: they are sent again, or wait for an answer."

    aside = sales.store.outbox.aside
    quarantined = len(aside.quarantined(location_id, limit=MOST_COUNTED))
    contradicted = len(aside.discrepancies(location_id, limit=MOST_COUNTED))

    if quarantined:
        yield f"{_counted(quarantined, 'sale')} set aside: see `conexxus quarantine list`."

    if contradicted:
        yield (
            f"{_counted(contradicted, 'delivered sale')} changed or gone at the till since: "
            "see the errors in `conexxus runs --kind sales --json`."
        )


def _counted(number: int, noun: str, nouns: str | None = None) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"
