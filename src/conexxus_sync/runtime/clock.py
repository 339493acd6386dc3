"""
The system's clock, for those who bring no other, and one that can be set.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from conexxus_sync.protocols import Clock


# Clocks are set back by a little all the time.
TOLERANCE = timedelta(minutes=5)


class SystemClock:
    """
    Moments as the operating system tells them.
    """

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


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
