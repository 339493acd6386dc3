"""
Prevents purging when the system clock looks wrong.
"""

from datetime import datetime

from conexxus_sync.model.calendar import DAY

from ._sync_store import State


# A clock that is wrong is noticed, and set, within a day.
PROVEN_AFTER = DAY

# A shop may be closed for so long, and a clock ahead by no more than that
# forgets little too early.
PROVEN_FOR = 30 * DAY


def is_safe_to_purge(state: State, now: datetime) -> bool:
    """
    Has the clock that shows *now* gone on for a day, by the recorded runs?

    By one that has just jumped ahead by years, everything is old.
    """
    return state.runs.any_between(now - PROVEN_FOR, now - PROVEN_AFTER)
