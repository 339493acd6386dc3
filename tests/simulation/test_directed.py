"""
Worlds in which one thing happens at the moment at which a guarantee is needed.

Seeds reach these moments, too, but seldom: each of the worlds notices a planted
fault that many seeds do not.
"""

from datetime import UTC, datetime

import attrs
import pytest

from .parts import Setup
from .replay import play


# The first push is at 23:30, the first pull at once.
PLAIN = Setup(start=datetime(2026, 6, 1, 9, tzinfo=UTC), items=5, pull_hours=24, batch=50)
TO_THE_PUSH = ("wait", 14 * 60 + 31)
A_DAY = ("wait", 1_440)

DIRECTED = {
    "killed between what is one transaction": (
        PLAIN,
        [("catalog", "price", 1, 2), ("kill", "merged", "committed"), A_DAY],
    ),
    "suspended before a write, while another process did the same": (
        PLAIN,
        [("sell", 0, 2), ("suspend", "orders", 600, "begin"), TO_THE_PUSH, A_DAY],
    ),
    "an item comes with a price that is none": (PLAIN, [("catalog", "bad", 1, 2), A_DAY]),
    "an item is corrected and comes bad again": (
        PLAIN,
        [("catalog", "bad", 1, 1), A_DAY, ("correct", 0, 0, 5), A_DAY, ("catalog", "good"), A_DAY],
    ),
    "an item is gone from the catalogue": (
        PLAIN,
        [A_DAY, ("catalog", "drop", 1, 1), A_DAY, A_DAY],
    ),
    "a small catalogue is empty": (PLAIN, [("catalog", "empty", 0, 1), A_DAY]),
    "sold just before a look during the day": (
        attrs.evolve(PLAIN, trickle=True),
        [A_DAY, *[("sell", 0, 1), ("wait", 10)] * 24],
    ),
    "copied before sales were sent that were frozen": (
        PLAIN,
        [("sell", 0, 2), ("kill", "frozen"), ("next",), ("backup",), A_DAY, ("restore",)],
    ),
    "restored after sales were sent": (
        attrs.evolve(PLAIN, dedupe="none"),
        [("sell", 0, 2), ("backup",), TO_THE_PUSH, ("restore",), ("wait", 60)],
    ),
    "pushed with another profile": (
        PLAIN,
        [("sell", 0, 2), TO_THE_PUSH, ("sell", 0, 1), ("foreign", 0, 0)],
    ),
    "the profile is changed while a sale waits": (
        PLAIN,
        [
            *(("sell", 0, 2), TO_THE_PUSH, ("sell", 0, 1), ("line", "sales: refuse")),
            *(("push_date", 0, 0), ("change_profile", "replace_day", "key", "committed"), A_DAY),
        ],
    ),
    "the profile is changed while a sale is unknown": (
        PLAIN,
        [
            *(("sell", 0, 2), ("line", "sales: after_commit(reset)"), ("push_date", 0, 0)),
            *(("change_profile", "append", "none", 1), A_DAY),
        ],
    ),
    "killed before the host has the catalogue": (
        PLAIN,
        [("catalog", "price", 1, 2), ("kill", "merged", "host"), A_DAY],
    ),
    "upgraded while another process is at work": (
        PLAIN,
        [
            *(("sell", 0, 2), ("beside", 0), ("upgrade", 2), ("beside", 0), TO_THE_PUSH),
            *(("sell", 0, 2), ("backup",), ("upgrade", 1), ("restore",), A_DAY),
        ],
    ),
    "a store of an earlier schema, with sales and a catalogue, is brought up to date": (
        PLAIN,
        [
            *(("catalog", "bad", 1, 1), ("sell", 0, 2), ("line", "sales: after_commit(reset)")),
            *(("push_date", 0, 0), ("older", 17, "begin"), ("sell", 0, 1), ("older", 24, 3)),
            A_DAY,
        ],
    ),
    "pushed by a clock that was ahead": (
        PLAIN,
        [("clock", 14_400), ("wait", 60), ("clock_right",), ("wait", 60), ("sell", 0, 2)],
    ),
}


@pytest.mark.parametrize(("setup", "events"), DIRECTED.values(), ids=DIRECTED)
def test_directed(setup, events):
    """
    All is as it must be, whatever was interrupted there.
    """
    assert play(setup, events).error is None
