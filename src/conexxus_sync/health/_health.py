"""
Assesses the health of a service: its state, its alerts, its sales.
"""

import logging
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.alerts import Alert, AlertName, Severity
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.formatting import without_placeholder
from conexxus_sync.model.runs import RunStatus
from conexxus_sync.sales import HangingSource, ProfileCheck, SalesStatus
from conexxus_sync.stores import LocationStore

from ._alert_rules import HealthInputs, stale_after
from ._api_monitor import connection_from_run, current_connection
from ._store_snapshot import StoreCounts, StoreSnapshot


ServiceStatus = Literal["healthy", "unhealthy", "disabled"]

_log = logging.getLogger(__name__)


class ServiceState(StrEnum):
    """
    The most important state, gravest first.

    `OVERDUE`: a business date should have been pushed by now.  `UNREACHABLE`:
    the last call got no good answer.  `FAILED`: the last pull or push failed,
    the store can't be read, or another critical alert holds.  `STALE`: no pull
    for two hours, or two intervals if longer.  `PARTIAL`: the last pull or push
    set something aside, and an alert holds.
    `STARTING`: nothing was pulled yet.  A push that was mended since counts no
    more.
    """

    DISABLED = "disabled"
    OVERDUE = "overdue"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    STALE = "stale"
    PARTIAL = "partial"
    STARTING = "starting"
    OK = "ok"


_HEALTHY = (ServiceState.OK, ServiceState.STARTING, ServiceState.PARTIAL)


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
        overdue: Business dates that should have been pushed by now, and were
            not, or not entirely; oldest first.
        is_fresh: Whether nothing was pushed or adopted yet.
        alerts: What somebody should look at.
    """

    enabled: bool
    last_push_time: datetime | None = None
    last_push_status: RunStatus | None = None
    last_error: str | None = None
    overdue: tuple[date, ...] = ()
    is_fresh: bool = False
    alerts: tuple[Alert, ...] = ()


@attrs.frozen(kw_only=True)
class ServiceHealth:
    """
    How the service is.

    Attributes:
        state: The most important state.
        last_sync_time: End of the last pull; None if there was none.
        last_sync_status: How it ended.
        last_error: What went wrong in it, or with the store.
        api: How the last call of the back office went; None before the first.
        alerts: What somebody should look at, gravest first; those of the
            sales included.
        sales: How the sales are doing.
        counts: How much the store holds; None if it can't be read.
    """

    state: ServiceState
    last_sync_time: datetime | None = None
    last_sync_status: RunStatus | None = None
    last_error: str | None = None
    api: ApiConnection | None = None
    alerts: tuple[Alert, ...] = ()
    sales: SalesHealth
    counts: StoreCounts | None = None

    @property
    def status(self) -> ServiceStatus:
        """
        `disabled` without URL or key; `unhealthy` if the last pull, push or
        call failed, if one of them is late, if the store can't be read, or if
        any other critical alert holds.
        """
        if self.state is ServiceState.DISABLED:
            return "disabled"

        return "healthy" if self.state in _HEALTHY else "unhealthy"

    @property
    def is_healthy(self) -> bool:
        """
        Is it configured, did the last call and runs go well, and is nothing late?
        """
        return self.status == "healthy"

    @property
    def api_connection(self) -> bool | None:
        """
        Whether the last call reached the back office; None if nothing is
        known of it, or only an old failure.
        """
        return None if self.api is None else self.api.reached


def assess_health(
    store: LocationStore,
    config: SyncConfig,
    *,
    missing: tuple[str, ...],
    api: ApiConnection | None,
    orders: bool,
    watched_since: datetime,
    now: datetime,
    profile_check: ProfileCheck | None = None,
    hanging: HangingSource | None = None,
) -> ServiceHealth:
    """
    Ask *store*, and judge; what can't be read is unhealthy.

    Args:
        missing: Settings without which there is no integration.
        api: The last call of this process.
        orders: Whether there is an order source.
        watched_since: From when on somebody could have pulled.
        profile_check: Whether pushes have the profile of before.
        hanging: The order source of this process, if it does not return.
    """
    try:
        with store.snapshot():
            snapshot = StoreSnapshot.of(store, now)
            runs = (snapshot.latest_pull, snapshot.latest_push)
            inputs = HealthInputs(
                now=now,
                snapshot=snapshot,
                sales_status=SalesStatus.of(
                    store, config, now, enabled=orders, profile_check=profile_check
                ),
                missing=missing,
                api=current_connection(
                    (api, snapshot.last_call, *map(connection_from_run, runs)), now
                ),
                watched_since=watched_since,
                hanging=hanging,
                stale_after=stale_after(config.sync_every),
            )
    except Exception as exc:  # noqa: BLE001  # a health check always gets an answer
        return _unreadable(_reason(exc), missing, current_connection([api], now), orders=orders)

    return _health_of(inputs, config, orders=orders)


def _health_of(inputs: HealthInputs, config: SyncConfig, *, orders: bool) -> ServiceHealth:
    snapshot = inputs.snapshot
    alerts = tuple(_as_configured(alert, config) for alert in inputs.alerts())
    pull, push = snapshot.latest_pull, snapshot.latest_push

    return ServiceHealth(
        state=_state(inputs, alerts),
        last_sync_time=None if pull is None else pull.end_time,
        last_sync_status=None if pull is None else pull.status,
        last_error=None if pull is None else pull.last_error,
        api=inputs.api,
        alerts=alerts,
        sales=SalesHealth(
            enabled=orders,
            last_push_time=None if push is None else push.end_time,
            last_push_status=None if push is None else push.status,
            last_error=None if push is None else push.last_error,
            overdue=inputs.sales_status.overdue,
            is_fresh=inputs.sales_status.is_fresh,
            alerts=tuple(alert for alert in alerts if alert.about_sales),
        ),
        counts=snapshot.counts,
    )


def _as_configured(alert: Alert, config: SyncConfig) -> Alert:
    """
    *alert*, whose commands need no option for an order source that the settings name.
    """
    if config.orders is None:
        return alert

    message, advice = (
        without_placeholder(text, "CONEXXUS_ORDERS") for text in (alert.message, alert.advice)
    )

    return attrs.evolve(alert, message=message, advice=advice)


def _state(inputs: HealthInputs, alerts: tuple[Alert, ...]) -> ServiceState:
    api, ended = inputs.api, inputs.run_statuses
    critical = any(alert.severity is Severity.CRITICAL for alert in alerts)
    holds = {
        ServiceState.DISABLED: bool(inputs.missing),
        ServiceState.OVERDUE: bool(inputs.sales_status.overdue),
        ServiceState.UNREACHABLE: api is not None and not api.reached,
        ServiceState.FAILED: RunStatus.FAILED in ended or critical,
        ServiceState.STALE: inputs.is_stale,
        # What was set aside may have been settled since, by a replay or a decision.
        ServiceState.PARTIAL: RunStatus.PARTIAL in ended and bool(alerts),
        ServiceState.STARTING: inputs.snapshot.latest_pull is None,
        ServiceState.OK: True,
    }

    return next(state for state in ServiceState if holds[state])


def _unreadable(
    reason: str, missing: tuple[str, ...], api: ApiConnection | None, *, orders: bool
) -> ServiceHealth:
    found = [Alert(name=AlertName.NOT_CONFIGURED, message=setting) for setting in missing]

    return ServiceHealth(
        state=ServiceState.DISABLED if missing else ServiceState.FAILED,
        last_error=reason,
        api=api,
        alerts=(Alert(name=AlertName.STORE_UNUSABLE, message=reason), *found),
        sales=SalesHealth(enabled=orders),
    )


def _reason(exc: Exception) -> str:
    if isinstance(exc, ConexxusError):
        return str(exc)

    _log.error("Conexxus can't say how it is", exc_info=exc)

    return f"unexpected {type(exc).__name__}; see the log"
