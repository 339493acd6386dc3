"""
A night of a small chain, whose clock and runs are simulated.
"""

from benchmarks.fleet_figures import percentile
from benchmarks.fleet_simulation import FAILING, simulated
from conexxus_sync.model.runs import RunKind


DATABASES = ("sqlite",)
MINUTE_S = 60


def test_runs_begin_in_time():
    """
    Of stores that answer, pulls begin within ten minutes of their slots, and
    pushes within thirty of the stores' own times, whatever the others do.
    """
    night = simulated(120, 4, 6)

    for (kind, run), lags in night.lags.items():
        if kind not in FAILING:
            most = 10 if run is RunKind.INVENTORY else 30
            assert max(lags) <= most * MINUTE_S, (kind, run)

    well = [it for it in night.branches.values() if it.kind not in FAILING]
    assert len(night.lags["well", RunKind.SALES]) >= sum(it.kind == "well" for it in well)
    assert all(it.visits and it.latest for it in well)
    assert len({it.kind for it in night.branches.values()}.intersection(FAILING)) > 1


def test_percentile():
    """
    Ninety-nine of a hundred values do not exceed the 99th.
    """
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7], 0.99) == 7
