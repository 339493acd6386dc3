"""
Backoff between pushes that did not settle.
"""

from datetime import timedelta

import attrs


A_DAY_S = 86_400.0


@attrs.define
class Backoff:
    """
    How long the scheduler waits after a push that did not settle.

    Measured on the monotonic clock: one that jumps ahead and back must not
    keep the sales waiting until it has caught up.

    Attributes:
        failures: In a row.
        until: Monotonic seconds before which it is too early; None if all is
            well.
    """

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(minutes=15)
    failures: int = 0
    until: float | None = None

    def note(self, monotonic: float, *, settled: bool, retry_after: float) -> None:
        """
        After a failure, wait twice as long as before, and as long as we were
        asked to.
        """
        if settled:
            self.failures, self.until = 0, None
            return

        wait = min(self.first * 2 ** min(self.failures, 10), self.longest).total_seconds()
        self.failures += 1
        self.until = monotonic + max(wait, min(retry_after, A_DAY_S))

    def left(self, monotonic: float) -> timedelta | None:
        """
        How long to wait from now on; None if there is nothing to wait for.
        """
        return None if self.until is None else timedelta(seconds=max(self.until - monotonic, 0))
