"""
Facts about the moments of pulls.
"""

from datetime import UTC, datetime, timedelta

import pytest

from conexxus_sync.model.pull_schedule import A_LITTLE, PullSchedule
from conexxus_sync.model.runs import RunKind, SyncRun


HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SCHEDULE = PullSchedule("loc-001")
SLOT = SCHEDULE.next_slot(NOON)


def pulled(at, **more):
    return SyncRun(id="r1", kind=RunKind.INVENTORY, location_id="loc-001", start_time=at, **more)


def test_slots():
    """
    A slot is an hour after the one before, and the location decides when.
    """
    moments = {PullSchedule(f"loc-{number}").next_slot(NOON) for number in range(20)}

    assert SCHEDULE.slot(SLOT) == SLOT
    assert SCHEDULE.slot(SLOT - SECOND) == SLOT - HOUR
    assert SCHEDULE.next_slot(SLOT) == SLOT + HOUR
    assert NOON < SLOT <= NOON + HOUR
    assert len(moments) == 20
    # It stays the same with the next version.
    assert datetime(2026, 1, 2, 12, 27, 8, 21386, tzinfo=UTC) == SLOT


@pytest.mark.parametrize(
    ("latest", "now", "due"),
    [
        (None, SLOT, True),
        (pulled(SLOT - SECOND), SLOT, True),
        (pulled(SLOT), SLOT, False),
        (pulled(SLOT), SLOT + HOUR - SECOND, False),
        (pulled(SLOT), SLOT + HOUR, True),
        # Tried again, not before its moment.
        (pulled(SLOT, retry_at=SLOT + MINUTE), SLOT + MINUTE - SECOND, False),
        (pulled(SLOT, retry_at=SLOT + MINUTE), SLOT + MINUTE, True),
        # The back office asked for a rest, which outlasts the slot.
        (pulled(SLOT - SECOND, not_before=SLOT + SECOND), SLOT, False),
        (pulled(SLOT - SECOND, not_before=SLOT), SLOT, True),
        # A clock that was set back.
        (pulled(SLOT + A_LITTLE), SLOT, False),
        (pulled(SLOT + A_LITTLE + SECOND), SLOT, True),
    ],
)
def test_due(latest, now, due):
    """
    Once in each slot, again where that was asked for, and never too early.
    """
    assert SCHEDULE.is_due(latest, now) is due


@pytest.mark.parametrize(
    ("latest", "now", "following"),
    [
        (None, SLOT + MINUTE, SLOT + MINUTE),
        (pulled(SLOT), SLOT + MINUTE, SLOT + HOUR),
        (pulled(SLOT, retry_at=SLOT + 5 * MINUTE), SLOT + MINUTE, SLOT + 5 * MINUTE),
        (pulled(SLOT, retry_at=SLOT + 2 * HOUR), SLOT + MINUTE, SLOT + HOUR),
        (
            pulled(SLOT, retry_at=SLOT + 2 * MINUTE, not_before=SLOT + 5 * MINUTE),
            SLOT + MINUTE,
            SLOT + 5 * MINUTE,
        ),
        # What was asked for has passed, and so has what was done since.
        (pulled(SLOT + MINUTE, not_before=SLOT + MINUTE), SLOT + MINUTE, SLOT + HOUR),
    ],
)
def test_next_pull(latest, now, following):
    """
    The next slot, or before it the moment that was asked for.
    """
    assert SCHEDULE.next_pull(latest, now) == following
