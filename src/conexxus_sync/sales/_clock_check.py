"""
Detects a system clock that cannot be right; then no sales are pushed automatically.

What is due follows from the clock.  One that fell back to 1970 when a battery
ran out, or that still shows last week, must not decide about sales: see
[a clock that is wrong](../../../docs/explanation/business-days.md).
"""

from datetime import UTC, datetime, timedelta

import attrs

from conexxus_sync.model.sales import RunsAround
from conexxus_sync.runtime.clock import TOLERANCE


# This version did not exist before: no clock that shows an earlier moment is
# right.  To be moved on with each release.
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)

# `conexxus run` records a run each hour: a longer time without any is a clock
# that jumped, or a machine that was off.
JUMP = timedelta(days=2)


@attrs.frozen(kw_only=True)
class ClockProblem:
    """
    Why no sales are pushed automatically.

    Attributes:
        shows: What the clock shows.
        last_run: Start of the latest run, if that is later; None if the clock
            shows a time before this version was released.
    """

    shows: datetime
    last_run: datetime | None = None

    def __str__(self) -> str:
        advice = (
            "no sales are pushed automatically. Set the clock; "
            "`conexxus push --orders ORDERS --date DATE` works meanwhile"
        )

        if self.last_run is None:
            return (
                f"the clock shows {_shown(self.shows)}, which is before this version of "
                f"conexxus-sdk was released: {advice}"
            )

        return (
            f"the clock shows {_shown(self.shows)}, which is before the last run, of "
            f"{_shown(self.last_run)}: {advice}. If the clock is right, "
            "`conexxus push --orders ORDERS` says so once and for all"
        )


def find_clock_problem(
    now: datetime, *, last_run: datetime | None, released: datetime = RELEASED
) -> ClockProblem | None:
    """
    What speaks against a clock that shows *now*; None if nothing does.

    Args:
        last_run: When the latest run started, whatever its kind.
        released: When this version of the SDK was.
    """
    if now < released:
        return ClockProblem(shows=now)
    if last_run is not None and now < last_run - TOLERANCE:
        return ClockProblem(shows=now, last_run=last_run)

    return None


def believable_last_run(runs: RunsAround, now: datetime) -> datetime | None:
    """
    When the latest run started, by a clock that can be believed; None if none did.

    A clock that was ahead for minutes and came back has left runs in the
    future.  They are known by the gap before them, in which no run started,
    and by how little time they span; and the clock now continues the runs
    from before the gap: it is nearer to them than to those, and has gone on
    from there for longer than it was ahead.

    Args:
        runs: On both sides of *now*.
        now: What the clock shows.
    """
    if runs.first is None or runs.last is None:
        return runs.before
    if runs.before is None:
        return runs.last

    was_ahead = (
        runs.first - runs.before > JUMP
        and runs.last - runs.first < JUMP
        and now - runs.before < runs.first - now
        and now - runs.before > runs.last - runs.first + TOLERANCE
    )

    return runs.before if was_ahead else runs.last


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
