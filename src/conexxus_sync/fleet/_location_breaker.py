"""
`LocationBreaker`: makes a location wait whose runs keep failing.  Pure.
"""

from datetime import datetime, timedelta

import attrs


# The engines' own waits grow from a minute to a quarter of an hour; this one
# bounds what a location costs that holds a worker for long each time.
SHORT = timedelta(seconds=30)
OPEN = timedelta(minutes=5)
LONGEST = timedelta(minutes=30)

# So many failures in a row open the circuit.
THRESHOLD = 3


@attrs.frozen
class LocationBreaker:
    """
    The failures of one location.

    Attributes:
        failures: In a row.
        until: Before it, no run begins; then there is one attempt.
    """

    failures: int = 0
    until: datetime | None = None

    @property
    def is_tripped(self) -> bool:
        """
        Did so many runs fail in a row that the circuit is open?
        """
        return self.failures >= THRESHOLD

    def is_open(self, now: datetime) -> bool:
        """
        Is it too early for another run?  A clock that was set back ends the wait.
        """
        return self.until is not None and now < self.until <= now + LONGEST

    def after(self, *, failed: bool, now: datetime) -> "LocationBreaker":
        """
        The breaker after a run that ended at *now*.
        """
        if not failed:
            return LocationBreaker()

        failures = self.failures + 1
        grown = OPEN * 2 ** min(max(failures - THRESHOLD, 0), 10)
        wait = SHORT if failures < THRESHOLD else min(grown, LONGEST)

        return LocationBreaker(failures, now + wait)
