"""
Runs monitor and sender in threads of their own, beside the scheduler.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from datetime import timedelta
from functools import partial

from conexxus_client import ConexxusError
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.threads import JobThread

from ._monitor import MonitoredService, NoticeMonitor
from ._sender import Sender
from ._webhook import open_webhook


# At the end, so long for each of two threads; what they did not send by then
# is in the store.
SHUTDOWN_S = 0.25

_log = logging.getLogger(__name__)


def _nothing() -> None:
    """
    Default for no monitor; does nothing.
    """


@contextmanager
def notify_in_background(service: MonitoredService, clock: Clock) -> Iterator[Callable[[], object]]:
    """
    Until the end of the block, check *service* and send its notices.

    Neither keeps anybody waiting: both have a thread of their own, which is
    left behind at the end if it hangs.

    Yields:
        Makes them look at once; called in each round of the scheduler.
    """
    if service.missing:
        yield _nothing
        return

    stopped = threading.Event()
    monitor = NoticeMonitor(service=service, clock=clock, stop=stopped.is_set)

    with ExitStack() as stack:
        sender = _sender(service, clock, monitor, stack)
        yield stack.enter_context(in_background(monitor.check, sender, stopped))


@contextmanager
def in_background(
    check: Callable[[], None], sender: Sender | None, stopped: threading.Event
) -> Iterator[Callable[[], object]]:
    """
    Until the end of the block, check and send, each in a thread.

    Args:
        stopped: Is set at the end.

    Yields:
        Makes them look at once.
    """
    looking, sending = threads = JobThread("look"), JobThread("send")

    def look() -> None:
        attempt(check)
        if sender is not None:
            sending.start(partial(attempt, partial(sender.send_due, stopped.is_set)))

    try:
        # In an empty context: a post that the scheduler's stop broke off
        # would be sent again.
        yield lambda: Context().run(looking.start, look)
    finally:
        stopped.set()
        for thread in threads:
            thread.join(within_s=SHUTDOWN_S)


def notify_once(service: MonitoredService, clock: Clock) -> None:
    """
    Check *service* once and send what is due, for a process that ends.

    No further check follows soon: an alert need not last before it is sent.
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


def attempt(work: Callable[[], None]) -> None:
    """
    Do *work*; what goes wrong is logged.
    """
    try:
        work()
    except ConexxusError as exc:
        _log.warning("Conexxus notices failed, and are tried again: %s", exc)
    except Exception:  # noqa: BLE001  # whatever it is, the next look may go well
        _log.exception("Conexxus notices failed, and are tried again")


def _sender(
    service: MonitoredService, clock: Clock, monitor: NoticeMonitor, stack: ExitStack
) -> Sender | None:
    """
    Who sends; None if this process can't.

    What another queued stays: it may have a webhook where we have none.
    """
    address = service.config.alert_webhook

    if address is None:
        return None

    client = service.client
    webhook = stack.enter_context(open_webhook(address, None if client is None else client.config))

    return Sender(
        store=service.store,
        clock=clock,
        webhook=webhook,
        urgent=monitor.urgent,
    )
