"""
Notices of a fleet: what is wrong is sent to the webhook once, however many stores have it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.model.alerts import Alert, AlertName
from conexxus_sync.notifications import Sender, Webhook, open_webhook
from conexxus_sync.notifications._background import attempt, in_background
from conexxus_sync.notifications._monitor import AlertNotices
from conexxus_sync.protocols import Clock
from conexxus_sync.stores import LocationStore

from ._fleet_alerts import fleet_alerts
from ._fleet_status import StoreStatus
from ._store_settings import StoreSettings


# To look at all stores takes five queries.
LOOKED_EVERY_S = 60.0


@attrs.frozen
class FleetNotices:
    """
    Sends the alerts of a fleet, as those of one location that has the fleet's name.

    Several processes may do so: what was sent is in the store.

    Attributes:
        settings: Of any store: all have one webhook, and it is reached as its back office is.
        store: Where notices wait.
        status: How each store is.
    """

    settings: StoreSettings
    store: LocationStore
    clock: Clock
    status: Callable[[], list[StoreStatus]]

    @contextmanager
    def in_background(self) -> Iterator[Callable[[], object]]:
        """
        Until the end of the block, look and send in threads of their own.

        Yields:
            Makes them look, if the last look is a minute ago.
        """
        if self.settings.sync.alert_webhook is None:
            yield lambda: None
            return

        stopped, look_at = threading.Event(), time.monotonic()
        notices = self._notices()

        with (
            self._webhook() as webhook,
            in_background(
                lambda: notices.compare(self._alerts()), self._sender(notices, webhook), stopped
            ) as look,
        ):

            def look_sometimes() -> None:
                nonlocal look_at
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + LOOKED_EVERY_S
                    look()

            yield look_sometimes

    def send_once(self) -> None:
        """
        Look and send, for a process that ends: an alert need not last before it is sent.
        """
        if self.settings.sync.alert_webhook is None:
            return

        notices = self._notices()
        attempt(lambda: notices.compare(self._alerts(), timedelta()))

        with self._webhook() as webhook:
            attempt(self._sender(notices, webhook).send_due)

    def _alerts(self) -> tuple[Alert, ...]:
        try:
            found = fleet_alerts(self.status())
        except StoreError as exc:
            return (Alert(name=AlertName.STORE_UNUSABLE, message=str(exc)),)

        return tuple(Alert(name=it.name, message=it.message, about=it.cause) for it in found)

    def _notices(self) -> AlertNotices:
        return AlertNotices(store=self.store, clock=self.clock)

    def _webhook(self) -> AbstractContextManager[Webhook]:
        assert self.settings.sync.alert_webhook is not None

        return open_webhook(self.settings.sync.alert_webhook, self.settings.client)

    def _sender(self, notices: AlertNotices, webhook: Webhook) -> Sender:
        return Sender(store=self.store, clock=self.clock, webhook=webhook, urgent=notices.urgent)
