"""
Checks the health of a service, and queues notices of what changed.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

import attrs

from conexxus_client import ConexxusClient, ConnectionCheck
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import StoreError
from conexxus_sync.health._health import ServiceHealth
from conexxus_sync.model.alerts import Alert, AlertName
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.calendar import DAY
from conexxus_sync.model.notices import ActiveAlert, Notice, SentReport
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.cancellation import interruptible
from conexxus_sync.sales import SalesPush
from conexxus_sync.stores import LocationStore, State

from ._alert_changes import MIN_DURATION, AlertDiff
from ._daily_report_data import DailyReportData
from ._sender import never


# An older answer of the back office says nothing about now; where it could
# not be reached, somebody waits for it to come back.
PROBED_EVERY = timedelta(minutes=5)
PROBED_AGAIN = timedelta(minutes=2)

# Longer than any date may still become complete.
REPORTS_KEPT = 400 * DAY

_log = logging.getLogger(__name__)


Reports = tuple[tuple[SentReport, Notice], ...]


class MonitoredService(Protocol):
    """
    What a monitor needs of the service.
    """

    @property
    def client(self) -> ConexxusClient | None: ...

    @property
    def store(self) -> LocationStore: ...

    @property
    def config(self) -> SyncConfig: ...

    @property
    def missing(self) -> tuple[str, ...]: ...

    @property
    def sales(self) -> SalesPush | None: ...

    def health(self) -> ServiceHealth: ...

    def test_connection(self) -> ConnectionCheck: ...

    def share_last_call(self) -> None: ...


@attrs.frozen(kw_only=True)
class NoticeChanges:
    """
    What one check found.

    Attributes:
        active_alerts: The alerts that are active now.
        notices: The notices about them.
        reports: The daily reports that are due, and their notices.
        is_new: Whether there is anything to remember.
    """

    active_alerts: Iterable[ActiveAlert]
    notices: Iterable[Notice]
    reports: Reports
    is_new: bool


def _no_reports(state: State, since: datetime, now: datetime) -> Reports:
    return ()


@attrs.define(kw_only=True)
class AlertNotices:
    """
    Compares alerts with the notices so far, and queues what is new.

    What was sent is in the store, and compared in the transaction that
    queues what is new: a restart neither repeats nor forgets.

    Attributes:
        store: Of the location that the notices name.
        reports: The daily reports that are due.
        urgent: Takes the notices that the store can't keep, because they are
            about the store.
    """

    store: LocationStore = attrs.field(repr=False)
    clock: Clock
    zone: tzinfo = UTC
    reports: Callable[[State, datetime, datetime], Reports] = _no_reports
    urgent: deque[Notice] = attrs.field(factory=deque)
    _lost: list[ActiveAlert] = attrs.field(factory=list, init=False)
    _failing_since: datetime | None = attrs.field(default=None, init=False)

    def compare(self, alerts: tuple[Alert, ...], min_duration: timedelta = MIN_DURATION) -> None:
        """
        Queue what is new of *alerts*.

        Args:
            min_duration: How long an alert must last before a notice is queued.
        """
        now = self.clock.now()
        lost = next((alert for alert in alerts if alert.name is AlertName.STORE_UNUSABLE), None)

        if lost is None:
            try:
                self._queue_changes(alerts, now, min_duration)
            except StoreError as exc:
                # A large pull may have it for a while, and that is no news.
                since = self._failing_since = self._failing_since or now
                if now - since < MIN_DURATION:
                    _log.warning("Conexxus notices can't be kept, and are tried again: %s", exc)
                    return
                lost = Alert(name=AlertName.STORE_UNUSABLE, message=str(exc))
            else:
                self._failing_since = None

        self._lost, notices = self._diff((lost,) if lost else (), now, min_duration).compare(
            self._lost
        )
        self.urgent.extend(notices)

    def _queue_changes(
        self, alerts: tuple[Alert, ...], now: datetime, min_duration: timedelta
    ) -> None:
        with self.store.keep_open():
            with self.store.read() as state:
                if not self._changes(state, alerts, now, min_duration).is_new:
                    return

            with self.store.write() as state:
                changes = self._changes(state, alerts, now, min_duration)
                state.notices.start(now)
                state.notices.save_active_alerts(changes.active_alerts)
                for notice in changes.notices:
                    state.notices.queue(notice, now)
                for report, notice in changes.reports:
                    keep = report.business_date - REPORTS_KEPT
                    state.notices.record_report(report, keep=keep)
                    state.notices.queue(notice, now)

    def _changes(
        self, state: State, alerts: tuple[Alert, ...], now: datetime, min_duration: timedelta
    ) -> NoticeChanges:
        since, before = state.notices.since(), state.notices.active_alerts()
        active_alerts, found = self._diff(alerts, now, min_duration).compare(before)
        reports = self.reports(state, since or now, now)

        return NoticeChanges(
            active_alerts=active_alerts,
            notices=found,
            reports=reports,
            is_new=since is None or set(active_alerts) != set(before) or bool(reports or found),
        )

    def _diff(self, alerts: tuple[Alert, ...], now: datetime, min_duration: timedelta) -> AlertDiff:
        return AlertDiff(
            location_id=self.store.location,
            now=now,
            zone=self.zone,
            alerts=alerts,
            min_duration=min_duration,
        )


@attrs.define(kw_only=True)
class NoticeMonitor:
    """
    Compares the state of the service with the notices so far.

    Attributes:
        urgent: Takes the notices that the store can't keep.
        stop: Whether a call in progress shall end as soon as it can.
    """

    service: MonitoredService = attrs.field(repr=False)
    clock: Clock
    urgent: deque[Notice] = attrs.field(factory=deque)
    stop: Callable[[], bool] = never
    _notices: AlertNotices = attrs.field(init=False)

    @_notices.default
    def _alert_notices(self) -> AlertNotices:
        return AlertNotices(
            store=self.service.store,
            clock=self.clock,
            zone=self.service.config.timezone or UTC,
            reports=self._reports,
            urgent=self.urgent,
        )

    def check(self, *, min_duration: timedelta = MIN_DURATION) -> None:
        """
        Call the back office if the last call is old; then queue what is new.

        Args:
            min_duration: How long an alert must last before a notice is queued.
        """
        health = self.service.health()

        if self._is_outdated(health.api):
            with interruptible(self.service.client, self.stop):
                self.service.test_connection()
            health = self.service.health()

        if self.service.config.alert_webhook is not None:
            self._notices.compare(health.alerts, min_duration)

        if health.counts is not None:
            self.service.share_last_call()

    def _is_outdated(self, api: ApiConnection | None) -> bool:
        """
        Is the last call of the back office old?
        """
        if api is None:
            return True

        every = PROBED_EVERY if api.reached else PROBED_AGAIN

        return not timedelta() <= self.clock.now() - api.checked_at < every

    def _reports(self, state: State, since: datetime, now: datetime) -> Reports:
        service = self.service

        if service.sales is None:
            return ()

        data = DailyReportData(
            state=state,
            sales=service.sales,
            zone=service.config.timezone or UTC,
            now=now,
        )
        reports = data.reports(since)

        return () if reports is None else tuple(reports.due())
