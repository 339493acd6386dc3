"""
A webhook on a real socket, and a service that tells it.
"""

import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from databases import database, pytest_generate_tests

from conexxus_client import Secret
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import StoreError
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.model.notices import Event, Notice
from conexxus_sync.notifications import NoticeMonitor, Sender, open_webhook
from services import new_service, office, service, till
from sites import clock, hasty_store, new_client
from webhooks import hook


__all__ = [
    "clock",
    "database",
    "hook",
    "new_client",
    "new_service",
    "office",
    "pytest_generate_tests",
    "service",
    "till",
]


@pytest.fixture
def refusing():
    """
    An address at which nobody listens.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/canary-4711"


@pytest.fixture
def told_config(hook):
    return SyncConfig(
        location_id="loc-001",
        sync_every=timedelta(hours=6),
        timezone=ZoneInfo("America/New_York"),
        alert_webhook=Secret(hook.url),
    )


@attrs.define
class NoticeSetup:
    """
    A service whose watch looks, and whose sender sends, when it is told to.
    """

    service: object
    clock: object
    hook: object
    watch: NoticeMonitor
    sender: Sender

    def check(self, **duration):
        """
        After so long, look and send.
        """
        self.clock.advance(**duration)
        self.watch.check()
        with suppress(StoreError):
            self.sender.send_due()

    @property
    def texts(self):
        return self.hook.texts


@pytest.fixture
def new_desk(new_service, told_config, clock, hook, tmp_path):
    """
    Makes desks around one store: each is a process of its own.
    """
    clock.advance_to(datetime(2026, 1, 2, 17, tzinfo=UTC))
    opened = []

    def make(**options):
        store = hasty_store(tmp_path / "conexxus.db")
        service = new_service(config=told_config, store=store, **options)
        watch = NoticeMonitor(service=service, clock=clock)
        webhook = open_webhook(service.config.alert_webhook, None)
        opened.append(webhook)
        sender = Sender(
            store=service.store,
            clock=clock,
            webhook=webhook.__enter__(),
            urgent=watch.urgent,
        )
        return NoticeSetup(service, clock, hook, watch, sender)

    yield make

    for webhook in opened:
        webhook.__exit__(None, None, None)


@pytest.fixture
def desk(new_desk):
    return new_desk()


@pytest.fixture
def queue(desk, clock):
    """
    Queues a notice.
    """

    def queue(number=1, alert=AlertName.API_DOWN):
        notice = Notice(
            event=Event.ALERT_BEGAN,
            text=f"loc-001: number {number}",
            location_id="loc-001",
            at=clock.now() + timedelta(seconds=number),
            alert=alert,
        )
        store = desk.service.store
        with store.write() as state:
            state.notices.queue(notice, clock.now())
        return notice

    return queue
