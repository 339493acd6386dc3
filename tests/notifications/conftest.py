"""
A webhook on a real socket, and a service that tells it.
"""

import json
import socket
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


__all__ = [
    "clock",
    "database",
    "new_client",
    "new_service",
    "office",
    "pytest_generate_tests",
    "service",
    "till",
]


class Hook:
    """
    Takes what is posted, or does as it is told: a status, `hang`, `drip`, or
    `redirect`.
    """

    def __init__(self):
        self.posts = []
        self.answers = deque()
        self.released = threading.Event()
        self.arrived = threading.Semaphore(0)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/services/canary-4711?sig=canary-0815"

    @property
    def texts(self):
        return [json.loads(body)["text"] for _, _, body in self.posts]

    @property
    def notices(self):
        return [json.loads(body) for _, _, body in self.posts]

    def close(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(hook):  # noqa: N805  # the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append((self.path, dict(self.headers), body))
                hook.arrived.release()
                answer = hook.answers.popleft() if hook.answers else 200
                if answer == "hang":
                    hook.released.wait(60)
                elif answer == "drip":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                    while not hook.released.wait(0.05):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                elif answer == "redirect":
                    self.send_response(302)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                else:
                    self.send_response(answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def do_GET(self):
                hook.posts.append((self.path, dict(self.headers), b"{}"))

            def log_message(self, *args):
                pass

        return Handler


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


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
