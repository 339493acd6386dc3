"""
Worlds in which everything happens at once, each from one seed.

What fails is printed with its seed and a shrunken list of events;
`scripts/simulate --seed N` tells its story.  How to add an event is in
`CONTRIBUTING.md`.
"""

import gc
import os

import pytest

from .events import draw
from .replay import failure, play


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
SHORT = [range(first, first + 10) for first in range(0, 140, 10)]
# Parts run beside each other; a world has some 15 store-days.
PARTS = range(1 if IS_SMALL else 10)
SIZES = {"sqlite": 15, "postgres": 2} if IS_SMALL else {"sqlite": 670, "postgres": 75}


@pytest.mark.parametrize("seeds", SHORT, ids=str)
def test_seeds(seeds):
    """
    Whatever happens, each sale is at the office once, the catalogue is the old
    one or the new one, and what is left is said: on two thousand store-days.
    """
    for seed in seeds:
        assert failure(seed) is None


def test_same_seed():
    """
    A seed decides everything: the story is the same, word by word.
    """
    setup, events = draw(3)
    stories = [], []
    for story in stories:
        play(setup, events, log=story.append)

    assert stories[0] == stories[1]


@pytest.mark.long
@pytest.mark.timeout(20_000)
# A process that is killed while it reads rows of PostgreSQL closes no cursor.
@pytest.mark.filterwarnings("ignore:.*ServerCursor:ResourceWarning")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("store", "size"), SIZES.items(), ids=SIZES)
def test_thousands_of_seeds(store, size, part):
    """
    A hundred thousand store-days without a failure; on PostgreSQL, ten thousand.
    """
    days = 0
    for seed in range(140 + part * size, 140 + (part + 1) * size):
        found = play(*draw(seed), store=store)
        assert found.error is None, failure(seed, store=store)
        days += found.store_days

    gc.collect()
    print(f"{days:,} store-days")
