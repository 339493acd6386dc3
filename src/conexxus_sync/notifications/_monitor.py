"""
Looks at how the service is, and queues what is to be told of it.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from conexxus_client import ConexxusClient, ConnectionCheck
from conexxus_sync.errors import StoreError
from conexxus_sync.model.alerts import Alert, AlertName
from conexxus_sync.model.calendar import DAY
from conexxus_sync.model.notices import Notice, StandingAlert, ToldNight
from conexxus_sync.runtime.cancellation import interrupting

from ._alert_changes import HOLD, Look
from ._daily_report_data import NightFacts
from ._sender import never


if TYPE_CHECKING:
    from conexxus_sync.config import SyncConfig
    from conexxus_sync.health._health import ServiceHealth
    from conexxus_sync.model.api_connection import ApiConnection
    from conexxus_sync.protocols import Clock
    from conexxus_sync.sales import SalesPush
    from conexxus_sync.stores._protocols import SyncStore

# An older answer of the back office says nothing about now; where it could
# not be reached, somebody waits for it to come back.
PROBED_EVERY = timedelta(minutes=5)
PROBED_AGAIN = timedelta(minutes=2)

# Longer than any date may still become complete.
NIGHTS_KEPT = 400 * DAY

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """
    What a watch asks of the service.
    """

    @property
    def client(self) -> ConexxusClient | None: ...

    @property
    def store(self) -> "SyncStore": ...

    @property
    def config(self) -> "SyncConfig": ...

    @property
    def missing(self) -> tuple[str, ...]: ...

    @property
    def sales(self) -> "SalesPush | None": ...

    def health(self) -> "ServiceHealth": ...

    def test_connection(self) -> ConnectionCheck: ...

    def share_last_call(self) -> None: ...


@attrs.frozen(kw_only=True)
class News:
    """
    What one look found.

    Attributes:
        standing: The alerts that stand now.
        notices: What is to be told of them.
        nights: What is to be told of business dates.
        is_new: Whether there is anything to remember.
    """

    standing: Iterable[StandingAlert]
    notices: Iterable[Notice]
    nights: tuple[tuple[ToldNight, Notice], ...]
    is_new: bool


@attrs.define(kw_only=True)
class NoticeWatch:
    """
    Compares how the service is with what people were told.

    What they were told is in the store, and compared in the transaction that
    queues what is new: a restart neither repeats nor forgets.

    Attributes:
        urgent: Takes the notices that the store can't keep, because they are
            about the store.
        stop: Whether a call in progress shall end as soon as it can.
    """

    service: Watched = attrs.field(repr=False)
    clock: "Clock"
    urgent: deque[Notice] = attrs.field(factory=deque)
    stop: Callable[[], bool] = never
    _lost: list[StandingAlert] = attrs.field(factory=list, init=False)
    _failing_since: datetime | None = attrs.field(default=None, init=False)

    def look(self, *, hold: timedelta = HOLD) -> None:
        """
        Ask the back office if nobody did lately; then queue what is new.

        Args:
            hold: How long an alert must last before it is told.
        """
        health = self.service.health()

        if self._is_old(health.api):
            with interrupting(self.service.client, self.stop):
                self.service.test_connection()
            health = self.service.health()

        if self.service.config.alert_webhook is not None:
            self._note(health.alerts, hold)

        if health.counts is not None:
            self.service.share_last_call()

    def _is_old(self, api: "ApiConnection | None") -> bool:
        """
        Did nobody speak to the back office lately?
        """
        if api is None:
            return True

        every = PROBED_EVERY if api.reached else PROBED_AGAIN

        return not timedelta() <= self.clock.now() - api.checked_at < every

    def _note(self, alerts: tuple[Alert, ...], hold: timedelta) -> None:
        now = self.clock.now()
        lost = next((alert for alert in alerts if alert.name is AlertName.STORE_UNUSABLE), None)

        if lost is None:
            try:
                self._remember(alerts, now, hold)
            except StoreError as exc:
                # A large pull may have it for a while, and that is no news.
                since = self._failing_since = self._failing_since or now
                if now - since < HOLD:
                    _log.warning("Conexxus notices can't be kept, and are tried again: %s", exc)
                    return
                lost = Alert(name=AlertName.STORE_UNUSABLE, message=str(exc))
            else:
                self._failing_since = None

        self._lost, notices = self._seen((lost,) if lost else (), now, hold).compare(self._lost)
        self.urgent.extend(notices)

    def _remember(self, alerts: tuple[Alert, ...], now: datetime, hold: timedelta) -> None:
        store, location_id = self.service.store, self.service.config.location_id

        with store.reading() as connection:
            if not self._news(connection, alerts, now, hold).is_new:
                return

            with store.writing(connection=connection):
                news = self._news(connection, alerts, now, hold)
                store.notices.start(connection, location_id, now)
                store.notices.stand(connection, location_id, news.standing)
                for notice in news.notices:
                    store.notices.queue(connection, notice, now)
                for night, notice in news.nights:
                    keep = night.business_date - NIGHTS_KEPT
                    store.notices.tell_night(connection, location_id, night, keep=keep)
                    store.notices.queue(connection, notice, now)

    def _news(
        self, connection: Any, alerts: tuple[Alert, ...], now: datetime, hold: timedelta
    ) -> News:
        notices, location_id = self.service.store.notices, self.service.config.location_id
        since = notices.since(connection, location_id)
        before = notices.standing(connection, location_id)
        standing, found = self._seen(alerts, now, hold).compare(before)
        nights = self._nights(connection, since or now, now)

        return News(
            standing=standing,
            notices=found,
            nights=nights,
            is_new=since is None or set(standing) != set(before) or bool(nights or found),
        )

    def _seen(self, alerts: tuple[Alert, ...], now: datetime, hold: timedelta) -> Look:
        config = self.service.config

        return Look(
            location_id=config.location_id,
            now=now,
            zone=config.timezone or UTC,
            alerts=alerts,
            hold=hold,
        )

    def _nights(
        self, connection: Any, since: datetime, now: datetime
    ) -> tuple[tuple[ToldNight, Notice], ...]:
        service = self.service

        if service.sales is None:
            return ()

        facts = NightFacts(
            store=service.store,
            location_id=service.config.location_id,
            sales=service.sales,
            zone=service.config.timezone or UTC,
            now=now,
        )
        nights = facts.nights(connection, since)

        return () if nights is None else tuple(nights.tell())
