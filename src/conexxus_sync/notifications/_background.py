"""
Runs monitor and sender in threads of their own, beside the scheduler.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.protocols import Clock

from ._monitor import MonitoredService, NoticeMonitor
from ._sender import Sender
from ._webhook import open_webhook


# Who is not called looks by itself: a pull may take an hour.
EVERY_S = 60.0

# At the end, so long for each of two threads; what they did not send by then
# is in the store.
SHUTDOWN_S = 0.25

_log = logging.getLogger(__name__)


def _nothing() -> None:
    """
    Nobody looks.
    """


@attrs.define(eq=False)
class _Worker:
    """
    Does one kind of work again and again, when it is called and now and then.
    """

    name: str
    work: Callable[[], None]
    stopped: threading.Event
    _woken: threading.Event = attrs.field(factory=threading.Event, init=False)
    _thread: threading.Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def join(self) -> None:
        self.wake()
        self._thread.join(SHUTDOWN_S)

    def _run(self) -> None:
        while not self.stopped.is_set():
            self._woken.wait(EVERY_S)
            self._woken.clear()
            if self.stopped.is_set():
                return
            try:
                self.work()
            except ConexxusError as exc:
                _log.warning("Conexxus notices failed, and are tried again: %s", exc)
            except Exception:  # noqa: BLE001  # whatever it is, the next look may go well
                _log.exception("Conexxus notices failed, and are tried again")


@contextmanager
def notify_in_background(service: MonitoredService, clock: Clock) -> Iterator[Callable[[], None]]:
    """
    Until the end of the block, look at *service* and send what is to be told.

    Neither keeps anybody waiting: both have a thread of their own, which is
    left behind at the end if it hangs.

    Yields:
        Makes them look at once.
    """
    if service.missing:
        yield _nothing
        return

    stopped = threading.Event()
    monitor = NoticeMonitor(service=service, clock=clock, stop=stopped.is_set)

    with ExitStack() as stack:
        sender = _sender(service, clock, monitor, stack)
        workers: list[_Worker] = []

        def look() -> None:
            monitor.check()
            for worker in workers[1:]:
                worker.wake()

        workers.append(_Worker("conexxus-look", look, stopped))
        if sender is not None:
            workers.append(
                _Worker("conexxus-send", lambda: sender.send_due(stopped.is_set), stopped)
            )

        try:
            yield workers[0].wake
        finally:
            stopped.set()
            for worker in workers:
                worker.join()


def notify_once(service: MonitoredService, clock: Clock) -> None:
    """
    Look at *service* once and send what is due, for who does not stay.

    Nobody will look again soon: an alert need not last before it is told.
    """
    if service.missing:
        return

    monitor = NoticeMonitor(service=service, clock=clock)

    with ExitStack() as stack:
        sender = _sender(service, clock, monitor, stack)
        if sender is None:
            service.share_last_call()
            return
        try:
            monitor.check(min_duration=timedelta())
            sender.send_due()
        except ConexxusError as exc:
            _log.warning("Conexxus notices failed, and are tried again: %s", exc)


def _sender(
    service: MonitoredService, clock: Clock, monitor: NoticeMonitor, stack: ExitStack
) -> Sender | None:
    """
    Who sends; None if this process can't.

    What another queued stays: it may have a webhook where we have none.
    """
    config, address = service.config, service.config.alert_webhook

    if address is None:
        return None

    client = service.client
    webhook = stack.enter_context(open_webhook(address, None if client is None else client.config))

    return Sender(
        store=service.store,
        location_id=config.location_id,
        clock=clock,
        webhook=webhook,
        urgent=monitor.urgent,
    )
