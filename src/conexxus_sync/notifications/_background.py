"""
Looking and sending, without anybody having to wait for it.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.protocols import Clock

from ._monitor import NoticeWatch, Watched
from ._sender import Sender
from ._webhook import open_webhook


# Who is not called looks by itself: a pull may take an hour.
EVERY_S = 60.0

# At the end, so long for each of two threads; what they did not send by then
# is in the store.
LEAVE_AFTER_S = 0.25

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
    ended: threading.Event
    _called: threading.Event = attrs.field(factory=threading.Event, init=False)
    _thread: threading.Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def call(self) -> None:
        self._called.set()

    def leave(self) -> None:
        self.call()
        self._thread.join(LEAVE_AFTER_S)

    def _run(self) -> None:
        while not self.ended.is_set():
            self._called.wait(EVERY_S)
            self._called.clear()
            if self.ended.is_set():
                return
            try:
                self.work()
            except ConexxusError as exc:
                _log.warning("Conexxus notices failed, and are tried again: %s", exc)
            except Exception:  # noqa: BLE001  # whatever it is, the next look may go well
                _log.exception("Conexxus notices failed, and are tried again")


@contextmanager
def noticing(service: Watched, clock: Clock) -> Iterator[Callable[[], None]]:
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

    ended = threading.Event()
    watch = NoticeWatch(service=service, clock=clock, stop=ended.is_set)

    with ExitStack() as stack:
        sender = _sender(service, clock, watch, stack)
        workers: list[_Worker] = []

        def look() -> None:
            watch.look()
            for worker in workers[1:]:
                worker.call()

        workers.append(_Worker("conexxus-look", look, ended))
        if sender is not None:
            workers.append(_Worker("conexxus-send", lambda: sender.send_due(ended.is_set), ended))

        try:
            yield workers[0].call
        finally:
            ended.set()
            for worker in workers:
                worker.leave()


def notice_now(service: Watched, clock: Clock) -> None:
    """
    Look at *service* once and send what is due, for who does not stay.

    Nobody will look again soon: an alert need not last before it is told.
    """
    if service.missing:
        return

    watch = NoticeWatch(service=service, clock=clock)

    with ExitStack() as stack:
        sender = _sender(service, clock, watch, stack)
        if sender is None:
            service.share_last_call()
            return
        try:
            watch.look(hold=timedelta())
            sender.send_due()
        except ConexxusError as exc:
            _log.warning("Conexxus notices failed, and are tried again: %s", exc)


def _sender(service: Watched, clock: Clock, watch: NoticeWatch, stack: ExitStack) -> Sender | None:
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
        urgent=watch.urgent,
    )
