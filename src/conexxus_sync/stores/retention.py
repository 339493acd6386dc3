"""
Prevents purging when the system clock looks wrong.
"""

from datetime import datetime
from typing import Any

from conexxus_sync.model.calendar import DAY

from ._store_protocols import SyncStore


# A clock that is wrong is noticed, and set, within a day.
PROVEN_AFTER = DAY

# A shop may be closed for so long, and a clock ahead by no more than that
# forgets little too early.
PROVEN_FOR = 30 * DAY


def is_safe_to_purge(store: SyncStore, connection: Any, location_id: str, now: datetime) -> bool:
    """
    Has the clock that shows *now* gone on for a day, as the runs tell?

    By one that has just jumped ahead by years, everything is old.
    """
    return store.runs.any_between(connection, location_id, now - PROVEN_FOR, now - PROVEN_AFTER)
