"""
The system's clock, for those who bring no other, and one that can be set.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from conexxus_sync.protocols import Clock


# Clocks are set back by a little all the time.
TOLERANCE = timedelta(minutes=5)


# Where it exists, `time.monotonic` stops while the computer is suspended.
_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def uptime_of(clock: Clock) -> Callable[[], float]:
    """
    Gives seconds that only ever grow until the computer is started anew.

    A clock of the host need not have `uptime`; it has `monotonic`.
    """
    uptime: Callable[[], float] = getattr(clock, "uptime", clock.monotonic)

    return uptime


class SystemClock:
    """
    Moments of the operating system.
    """

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def uptime(self) -> float:
        """
        Seconds that go on while the computer is suspended.
        """
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


class SettableClock:
    """
    Another clock, put forward or back for what one thread does.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_thread = threading.local()

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def uptime(self) -> float:
        return uptime_of(self._clock)()

    @contextmanager
    def set_to(self, moment: datetime) -> Iterator[None]:
        """
        Show *moment* now, and go on from there until the end of the block.
        """
        before, self._of_thread.ahead = self._ahead, moment - self._clock.now()

        try:
            yield
        finally:
            self._of_thread.ahead = before

    @property
    def _ahead(self) -> timedelta:
        ahead: timedelta = getattr(self._of_thread, "ahead", timedelta())
        return ahead
