"""
A till that misbehaves, a network that loses answers, processes that die, stores
that come from a backup, and clocks that jump: in the end, the back office has
what the till has, or a person was asked.
"""

import os

import pytest
from databases import LATER
from hypothesis import HealthCheck, Phase, given, settings

from .hostile_office import DAYS
from .hostile_plots import EXAMPLES, play
from .hostile_shop import Way


WAYS = [
    Way(sales_mode, dedupe, on_changed)
    for sales_mode, dedupe in (
        ("append", "key"),
        ("append", "transaction_id"),
        ("append", "none"),
        ("replace_day", "key"),
    )
    for on_changed in ("report", "resend")
]

# Found among tens of thousands of examples.
FOUND = {
    "a receipt number of five registers": [
        ("move", DAYS[1], 3),
        ("register", DAYS[1], 3),
        ("move", DAYS[0], 5),
        ("register", DAYS[1], 0),
        ("register", DAYS[1], 5),
        ("register", DAYS[1], 3),
    ],
    "a refusal that was lost, and then refusals of whole batches": [
        ("refuse", DAYS[1], 5, "listed"),
        ("crash", DAYS[1], 4),
        ("refuse", DAYS[1], 2, "batch"),
    ],
    "a refusal that was lost, of a sale that is deleted": [
        ("refuse", DAYS[1], 5, "listed"),
        ("tick", ["after_commit(hang)", "401"]),
        ("delete", DAYS[1], 5),
    ],
    "a backup from before an adoption": [("back_up",), ("adopt",), ("restore",)],
}

# An example has a dozen events at most, and is read as it is: shrinking one
# takes minutes, and a slow computer's time-out would end it.
AS_IT_IS = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
# On PostgreSQL, an example takes ten times as long.
SCALES = {"sqlite": 60, "postgres": 2} if IS_SMALL else {"sqlite": 6_250, "postgres": 500}
# The same ones in each run, so that what fails was changed; --long at full
# scale looks for others.
SAME = settings(AS_IT_IS, derandomize=True, database=None)
IN_POSTGRES = [] if IS_SMALL else [LATER]

each_way = pytest.mark.parametrize("way", WAYS, ids=str)


@each_way
@pytest.mark.parametrize("hostile_shops", ["sqlite", *IN_POSTGRES], indirect=True)
@pytest.mark.parametrize("events", FOUND.values(), ids=FOUND)
def test_found(hostile_shops, way, events):
    """
    What is rare among the examples is right as well.
    """
    with hostile_shops.open(way) as shop:
        play(shop, events)


@pytest.mark.timeout(600)
@each_way
@settings(SAME, max_examples=10)
@given(**EXAMPLES)
def test_any_plot(hostile_shops, way, events, **settings):
    """
    Whatever happens, no sale is lost or doubled, except where the guarantees
    say that a person must decide; and then the person is asked.
    """
    with hostile_shops.open(way, **settings) as shop:
        play(shop, events)


@pytest.mark.long
@pytest.mark.timeout(7_200)
@each_way
@pytest.mark.parametrize(("hostile_shops", "scale"), SCALES.items(), indirect=["hostile_shops"])
def test_thousands_of_plots(hostile_shops, way, scale):
    """
    The same for thousands of examples.
    """

    @settings(SAME if IS_SMALL else AS_IT_IS, max_examples=scale)
    @given(**EXAMPLES)
    def holds(events, **options):
        with hostile_shops.open(way, **options) as shop:
            play(shop, events)

    holds()
