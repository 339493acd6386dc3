"""
One kind of work, at most once at a time, in a thread that may hang.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import attrs

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.runtime.safe_logging import safe_logger
from conexxus_sync.runtime.threads import begin, is_over


# How soon a wait notices that it is to end.
SLICE_S = 0.25

_log = safe_logger(__name__)


@attrs.define(eq=False)
class Lane:
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
    def is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def begin(self, now: datetime) -> None:
        """
        Do what is due at *now*, unless something is still at work.
        """
        if self.is_busy:
            _log.info("Conexxus %s: the one begun before is still at work", self.name)
            return

        self._thread = begin(lambda: self._attempt(now), name=f"conexxus-{self.name}")

    def wait(self, stop: Callable[[], bool], *, within_s: float) -> bool:
        """
        Wait until the work is over, *stop* is true, or so many seconds passed.

        Returns:
            Whether it is over.
        """
        ends_at = time.monotonic() + within_s

        while self._thread is not None and not stop():
            left = max(ends_at - time.monotonic(), 0.0)
            if is_over(self._thread, within_s=min(left, SLICE_S)) or not left:
                break

        return not self.is_busy

    def leave(self, *, within_s: float) -> bool:
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
        except Exception:  # noqa: BLE001  # whatever it is, the next round may go well
            _log.exception("Conexxus runs failed, and are tried again")

        self._complaint = complaint
