"""
How the service is, from what the store knows.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import attrs

from conexxus_client import ConexxusError, ConfigurationError

from ._known import Known, StoreCounts
from .runs import RunStatus, SyncRun
from .stores import SyncStore


if TYPE_CHECKING:
    from .sales import SalesPush

ServiceStatus = Literal["healthy", "unhealthy", "disabled"]

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class SalesHealth:
    """
    How the sales are doing.

    Attributes:
        enabled: Whether there is an order source.
        last_push_time: End of the last push that had something to say; None
            if there was none.
        last_push_status: How it ended.
        last_error: What went wrong in it.
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
        status: `disabled` without URL or key; `unhealthy` if the last pull,
            the last push or the last call failed, or the store can't be read.
        last_sync_time: End of the last pull; None if there was none.
        last_sync_status: How it ended.
        last_error: What went wrong in it, or with the store.
        api_connection: Whether the last call reached the back office; None
            before the first.
        alerts: What somebody should look at, one sentence each; those of the
            sales included.
        sales: How the sales are doing.
        counts: How much the store holds; None if it can't be read.
    """

    status: ServiceStatus
    last_sync_time: datetime | None = None
    last_sync_status: RunStatus | None = None
    last_error: str | None = None
    api_connection: bool | None = None
    alerts: tuple[str, ...] = ()
    sales: SalesHealth
    counts: StoreCounts | None = None

    @property
    def is_healthy(self) -> bool:
        """
        Is it configured, and did the last call and the last run go well?
        """
        return self.status == "healthy"


def health_from(
    store: SyncStore,
    location_id: str,
    *,
    missing: tuple[str, ...],
    api_connection: bool | None,
    sales: "SalesPush | None",
    now: datetime,
) -> ServiceHealth:
    """
    Ask *store*, and judge; what can't be read is unhealthy.

    Args:
        missing: Settings without which there is no integration.
        sales: The engine, if there is an order source.
    """
    try:
        known = Known.of(store, location_id)
        held = () if sales is None else tuple(_held(sales, now))
    except Exception as exc:  # noqa: BLE001  # whoever asks how we are gets an answer
        reason = _reason(exc)
        return ServiceHealth(
            status="disabled" if missing else "unhealthy",
            last_error=reason,
            api_connection=api_connection,
            alerts=(*missing, reason),
            sales=SalesHealth(enabled=sales is not None),
        )

    return health_of(
        known,
        missing=missing,
        api_connection=api_connection,
        sales=sales_health(known, enabled=sales is not None, held=held),
    )


def health_of(
    known: Known, *, missing: tuple[str, ...], api_connection: bool | None, sales: SalesHealth
) -> ServiceHealth:
    """
    Judge the service by what is known of it.
    """
    latest = known.latest_pull
    last_status = None if latest is None else latest.status
    failed = RunStatus.FAILED in (last_status, sales.last_push_status)
    status: ServiceStatus = "unhealthy" if failed or api_connection is False else "healthy"

    return ServiceHealth(
        status="disabled" if missing else status,
        last_sync_time=None if latest is None else latest.end_time,
        last_sync_status=last_status,
        last_error=None if latest is None else latest.last_error,
        api_connection=api_connection,
        alerts=(*missing, *_catalog_alerts(latest, known.counts), *sales.alerts),
        sales=sales,
        counts=known.counts,
    )


def sales_health(known: Known, *, enabled: bool, held: tuple[str, ...] = ()) -> SalesHealth:
    """
    Judge the sales by the last push and by what waits for somebody.

    Args:
        held: Why sales are not pushed by themselves, one sentence each.
    """
    latest = known.latest_push

    return SalesHealth(
        enabled=enabled,
        last_push_time=None if latest is None else latest.end_time,
        last_push_status=None if latest is None else latest.status,
        last_error=None if latest is None else latest.last_error,
        alerts=(*held, *_sales_alerts(latest, known.counts)),
    )


def _catalog_alerts(latest: SyncRun | None, counts: StoreCounts) -> Iterator[str]:
    if latest is not None and latest.refused is not None:
        yield f"The last catalogue was refused: {latest.refused}"
    elif latest is not None and latest.status is RunStatus.FAILED:
        yield f"The last pull failed: {latest.last_error}"

    if counts.quarantined_items:
        aside = _counted(counts.quarantined_items, "item")
        yield f"{aside} set aside: see `conexxus quarantine list`."

    if counts.pending_changes:
        waiting = _counted(counts.pending_changes, "set")
        yield f"{waiting} of changes not yet taken by the host's catalogue storage."


def _sales_alerts(latest: SyncRun | None, counts: StoreCounts) -> Iterator[str]:
    if latest is not None and latest.status is RunStatus.FAILED:
        yield f"The last push, of {latest.business_date}, failed: {latest.last_error}"

    if counts.unknown_batches:
        batches = _counted(counts.unknown_batches, "batch", "batches")
        yield f"{batches} of sales of unknown fate: they are sent again, or wait for an answer."

    if counts.quarantined_sales:
        aside = _counted(counts.quarantined_sales, "sale")
        yield f"{aside} set aside: see `conexxus quarantine list`."

    if counts.discrepancies:
        yield (
            f"{_counted(counts.discrepancies, 'delivered sale')} changed or gone at the till "
            "since: see the errors in `conexxus runs --kind sales --json`."
        )


def _held(sales: "SalesPush", now: datetime) -> Iterator[str]:
    """
    Why sales are not pushed by themselves.
    """
    try:
        held, doubt = sales.held(now), sales.clock_doubt(now)
    except ConfigurationError as exc:
        yield str(exc)
        return

    yield from (f"{reason}." for reason in (held, doubt) if reason is not None)


def _reason(exc: Exception) -> str:
    if isinstance(exc, ConexxusError):
        return str(exc)

    _log.error("Conexxus can't say how it is", exc_info=exc)

    return f"unexpected {type(exc).__name__}; see the log"


def _counted(number: int, noun: str, nouns: str | None = None) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"
