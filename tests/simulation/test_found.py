"""
What the simulation found in the code, by its shrunken events.
"""

from datetime import UTC, datetime, time

import attrs
import pytest

from .parts import Setup
from .replay import play


PLAIN = Setup(start=datetime(2026, 6, 1, 9, tzinfo=UTC), items=2, pull_hours=24, batch=50)

# The first push is at 23:30.
LOST_ANSWER = [("sell", 0, 2), ("line", "sales: after_commit(reset)"), ("wait", 14 * 60 + 30)]

FOUND = {
    "the computer slept between the look at the key's age and the request": (
        PLAIN,
        [*LOST_ANSWER, ("doze", "sending", 25), ("wait", 60)],
    ),
    "a new sale waited behind a parked batch, which was resolved after the last look": (
        attrs.evolve(
            PLAIN,
            zone="Pacific/Apia",
            sales_mode="replace_day",
            push_at=time(21),
            day_closes_at=time(2),
            dated=False,
            batch=1,
            items=24,
        ),
        [
            ("wait", 1_440),
            ("next",),
            ("next",),
            ("sell", 1, 1),
            ("quirk", "delay", "delay"),
            ("next",),
            ("doze", 25, 25),
            ("sell", 0, 1),
            ("line", "sales: reset, after_commit(reset), after_commit(hang), ok"),
            ("wait", 1_440),
            ("wait", 1_440),
        ],
    ),
    "another process delivered while this one stood still, and the key is forgotten": (
        PLAIN,
        [("sell", 0, 2), ("suspend", "sending", 1_600), ("wait", 15 * 60)],
    ),
    "the same, after an answer was lost": (
        PLAIN,
        [*LOST_ANSWER, ("suspend", "sending", 1_600), ("wait", 60)],
    ),
    "two registers used one number, and ids were recognised before the second sale went": (
        attrs.evolve(
            PLAIN,
            start=datetime(2026, 10, 22, 9, tzinfo=UTC),
            zone="Pacific/Apia",
            on_changed="resend",
            trickle=True,
            push_at=time(1, 15),
            day_closes_at=time(2),
            batch=3,
            items=5,
            removals="keep",
            retries=2,
            lookback=3,
        ),
        [
            *(("next",), ("sell", 1, 4), ("register", 1, 0, 2), ("sell", 0, 4), ("next",)),
            *(("kill", 28), ("next",), ("change_profile", "append", "transaction_id", 3)),
        ],
    ),
}


@pytest.mark.parametrize(("setup", "events"), FOUND.values(), ids=FOUND)
def test_found(setup, events):
    """
    What was found does not happen any more.
    """
    assert play(setup, events).error is None


@pytest.mark.parametrize("dedupe", ["key", "transaction_id", "none"])
def test_asleep_before_sending(dedupe):
    """
    Where a computer sleeps before a batch is sent, nothing is sent in that push:
    what happens is decided anew.
    """
    story = []
    events = [("sell", 0, 2), ("doze", "sending", 1), ("wait", 15 * 60)]

    found = play(attrs.evolve(PLAIN, dedupe=dedupe), events, log=story.append)

    assert found.error is None
    assert [line for line in story if line.startswith("booked")] == [
        "booked loc-0 2026-06-01: ['t1', 't2']"
    ]
