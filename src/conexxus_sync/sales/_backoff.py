"""
Backoff between pushes, and the circuit breaker that protects a failing back office.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import attrs


A_DAY_S = 86_400.0

# So many dates in a row that did not settle: the back office is in trouble.
TROUBLED = 3


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


@attrs.define
class CircuitBreaker:
    """
    Which date comes next while the back office is in trouble.

    Oldest first, as long as all goes well.  After `TROUBLED` dates in a row
    that did not settle there is one more attempt, with the date that was not
    tried for the longest time: a few that will never settle must not hold up
    the others for ever.  If that fails, too, the rest is left for later.

    Attributes:
        in_a_row: Dates that did not settle, one after the other.
    """

    in_a_row: int = 0

    @property
    def is_likely(self) -> bool:
        return self.in_a_row >= TROUBLED

    @property
    def is_certain(self) -> bool:
        return self.in_a_row > TROUBLED

    def note(self, *, settled: bool, exhausted: bool) -> None:
        """
        Count a date.

        Args:
            exhausted: Whether it alone had enough failures to give up.
        """
        if settled:
            self.in_a_row = 0
        elif exhausted and not self.is_likely:
            self.in_a_row = TROUBLED
        else:
            self.in_a_row += 1


def least_recently_tried(dates: list[date], attempted: Mapping[date, datetime]) -> date:
    """
    The date whose last attempt was the longest ago; one that had none comes first.
    """
    never = [day for day in dates if day not in attempted]

    return min(never) if never else min(dates, key=lambda day: (attempted[day], day))
