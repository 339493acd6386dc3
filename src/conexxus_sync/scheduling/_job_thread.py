"""
A thread that runs one job at a time and can be abandoned when it hangs.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.runtime.host_exceptions import ends_process
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.runtime.threads import has_ended, start_thread


# How soon a wait notices that it is to end.
SLICE_S = 0.25

_log = safe_logger(__name__)


@attrs.define(eq=False)
class JobThread:
    """
    Where one kind of run takes place.

    The work calls the host, and the host may hang: whoever began the work
    goes on after a while, and nobody begins more of it until it is over.

    Attributes:
        name: What takes place here, for people.
        work: Does what is due at a moment.
    """

    name: str
    work: Callable[[datetime], object]
    _thread: threading.Thread | None = attrs.field(default=None, init=False)
    _began: float = attrs.field(default=0.0, init=False)
    _complaint: str | None = attrs.field(default=None, init=False)

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, now: datetime) -> None:
        """
        Do what is due at *now*, unless something is still at work.
        """
        if self.is_running:
            _log.info("Conexxus %s: the one begun before is still at work", self.name)
            return

        self._thread = start_thread(lambda: self._attempt(now), name=f"conexxus-{self.name}")

    def wait(self, stop: Callable[[], bool], *, within_s: float) -> bool:
        """
        Wait until the work is over, *stop* is true, or so many seconds passed.

        Returns:
            Whether it is over.
        """
        ends_at = time.monotonic() + within_s

        while self._thread is not None and not stop():
            remaining = max(ends_at - time.monotonic(), 0.0)
            if has_ended(self._thread, within_s=min(remaining, SLICE_S)) or not remaining:
                break

        return not self.is_running

    def join(self, *, within_s: float) -> bool:
        """
        Wait until the work is over, or so many seconds passed.

        Returns:
            Whether it is over.
        """
        return self.wait(lambda: False, within_s=within_s)

    def _attempt(self, now: datetime) -> None:
        """
        Nothing that goes wrong ends the scheduler.
        """
        complaint: str | None = None

        try:
            self.work(now)
        except ConfigurationError as exc:
            # It does not mend itself while we run: once is enough.
            complaint = str(exc)
            if complaint != self._complaint:
                _log.error("Conexxus runs are not possible as configured: %s", exc)
        except ConexxusError as exc:
            _log.error("Conexxus runs failed, and are tried again: %s", exc)
        except BaseException as exc:
            # Where no thread was to be had, this may be the main one.
            if ends_process(exc):
                raise
            _log.exception("Conexxus runs failed, and are tried again")

        self._complaint = complaint
