"""
What follows for very many stores from what one costs.
"""

import attrs

from benchmarks.fleet_plan import Costs, Machines, Queue, plan_lines, simulated_day


DATABASES = ("sqlite",)
COSTS = Costs(
    pull_ms=20, push_ms=16, pull_database_ms=10, push_database_ms=10, round_ms=0.01, memory_mb=0.02
)


def test_what_fits_does_not_wait():
    """
    Where every minute's work fits into it, nothing waits for the next.
    """
    day = simulated_day(5_000, COSTS, Machines(processes=1))

    assert (day.pull_lag_min, day.push_lag_min) == (0, 0)
    assert max(day.loads.values()) < 1


def test_what_does_not_fit_waits():
    """
    Pushes go first; the limit that is exceeded is named.
    """
    slow = attrs.evolve(COSTS, pull_s=2.0)
    day = simulated_day(20_000, slow, Machines(processes=1))

    assert day.pull_lag_min > 10
    assert day.push_lag_min == 0
    assert max(day.loads, key=day.loads.get) == "workers"
    assert simulated_day(20_000, slow, Machines(processes=4)).pull_lag_min == 0


def test_connections_are_bounded():
    """
    Each process has its connections to the one database.
    """
    loads = simulated_day(1_000, COSTS, Machines(processes=4)).loads

    assert loads["connections"] > 1


def test_a_queue_is_a_limit():
    """
    What one process takes from it in a second bounds them all, and more processes take
    more; what has ended stays for a day.
    """
    queue = Queue(process_ms=1, database_ms=1, per_second=5, row_bytes=1e6)
    costs = attrs.evolve(COSTS, queue=queue)
    one, two = (simulated_day(20_000, costs, Machines(processes=it)) for it in (1, 4))

    assert max(one.loads, key=one.loads.get) == "queue"
    assert one.pull_lag_min > two.pull_lag_min
    assert "1,000 stores: the queue's tables hold 25,000 ended runs, 25.0 GB" in [
        line.strip() for line in plan_lines(costs, (1_000,))
    ]
