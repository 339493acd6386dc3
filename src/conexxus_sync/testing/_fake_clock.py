"""
A clock under the control of a test.
"""

from datetime import UTC, datetime, timedelta

import attrs

from ._samples import NOON


@attrs.define(eq=False, init=False)
class FakeClock:
    """
    A `Clock` that stands still until the test moves it.

    Its wall time and its monotonic time pass together (`advance`,
    `advance_to`).  They differ once the wall clock is set (`set`), as on a
    computer whose clock was corrected or that slept in the meantime.

    Args:
        moment: The wall time at first; aware, in any zone. Noon of
            2026-01-02, UTC, unless it is given.

    Example:
        ```python
        clock = FakeClock(datetime(2026, 1, 2, 23, 30, tzinfo=UTC))
        clock.advance(minutes=45)
        assert clock.now() == datetime(2026, 1, 3, 0, 15, tzinfo=UTC)
        assert clock.monotonic() == 45 * 60
        ```
    """

    _wall: datetime
    _elapsed: timedelta

    def __init__(self, moment: datetime = NOON) -> None:
        self.__attrs_init__(_utc(moment), timedelta())

    def now(self) -> datetime:
        """
        The wall time; aware, in UTC.
        """
        return self._wall

    def monotonic(self) -> float:
        """
        Seconds that have passed on this clock; setting it adds none.
        """
        return self._elapsed.total_seconds()

    def advance(
        self,
        duration: timedelta = timedelta(),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        """
        Let time pass: wall time and monotonic time go on by the same amount.

        Args:
            duration: How long, together with the parts that follow.
            days: Days of 24 hours.
            hours: Hours.
            minutes: Minutes.
            seconds: Seconds.

        Raises:
            ValueError: The duration is negative. `set` puts the clock back.
        """
        passed = duration + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

        if passed < timedelta():
            msg = "time does not pass backwards: put the wall clock back with set()"
            raise ValueError(msg)

        self._wall += passed
        self._elapsed += passed

    def advance_to(self, moment: datetime) -> None:
        """
        Let time pass until the wall clock shows *moment*.

        Args:
            moment: Aware, in any zone, and not before `now()`.

        Raises:
            ValueError: *moment* is naive, or in the past.
        """
        self.advance(_utc(moment) - self._wall)

    def set(self, moment: datetime) -> None:
        """
        Set the wall clock, forward or back; monotonic time stays as it is.

        Args:
            moment: Aware, in any zone.

        Raises:
            ValueError: *moment* is naive.
        """
        self._wall = _utc(moment)


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        msg = "the moment must be an aware datetime: give it a time zone"
        raise ValueError(msg)

    return moment.astimezone(UTC)
