"""
A day of very many stores from measured costs, minute by minute: `scripts/bench fleet --plan`.

Work arrives as the fleet spreads it: pulls over the hour, pushes over the 20 minutes
after each zone's time.  What one minute can't do waits for the next, pushes first.
"""

import math
from collections.abc import Iterator, Mapping

import attrs


MINUTES = 24 * 60
# Shares of the stores, and the minute of the day, UTC, at which they close at 23:30.
ZONES = {4.5 * 60: 0.47, 5.5 * 60: 0.29, 6.5 * 60: 0.07, 7.5 * 60: 0.17}
SPREAD_MIN = 20
ROUND_S = 5.0
# `max_connections` of PostgreSQL as it comes, less those that are reserved.
CONNECTIONS = 97


@attrs.frozen(kw_only=True)
class Queue:
    """
    What the queue of several processes adds to each run.

    Attributes:
        process_ms: CPU of the process.
        database_ms: CPU of the database.
        per_second: How many runs one process takes, at most.
        row_bytes: What an ended run takes, for a day.
    """

    process_ms: float = 0.0
    database_ms: float = 0.0
    per_second: float = math.inf
    row_bytes: float = 0.0


@attrs.frozen(kw_only=True)
class Costs:
    """
    What was measured, per location: milliseconds of CPU.

    Attributes:
        pull_ms: Of the hour's pull, in the process.
        push_ms: Of the day's push.
        pull_database_ms: Of the hour's pull, in the database; likewise of the push.
        round_ms: Of one round, per location that the process has.
        pull_s: How long a pull holds a worker; likewise a push.
        memory_mb: Of one location that the process has.
        queue: Of the executor `dbos`; that of `local` costs nothing.
    """

    pull_ms: float
    push_ms: float
    pull_database_ms: float
    push_database_ms: float
    round_ms: float
    pull_s: float = 0.3
    push_s: float = 1.5
    memory_mb: float = 0.012
    queue: Queue = Queue()


@attrs.frozen(kw_only=True)
class Machines:
    """
    What there is.

    Attributes:
        processes: Each with all stores, so that any can take over.
        workers: Of each process.
        database_cores: Of the one PostgreSQL.
    """

    processes: int
    workers: int = 16
    database_cores: int = 8


@attrs.frozen(kw_only=True)
class Day:
    """
    What a day came to.

    Attributes:
        pull_lag_min: The longest that a pull waited, in minutes; likewise a push.
        loads: The busiest minute's share of each limit.
    """

    pull_lag_min: int
    push_lag_min: int
    loads: Mapping[str, float]


def simulated_day(stores: int, costs: Costs, machines: Machines) -> Day:
    """
    Play a day.
    """
    rounds = stores * costs.round_ms / 1e3 / ROUND_S
    # A process is one core of Python.
    cpu_s = machines.processes * 60 * max(1 - rounds, 0.0)
    worker_s = machines.processes * machines.workers * 60.0
    database_s = machines.database_cores * 60.0
    queue = costs.queue
    taken_s = machines.processes * 60.0
    per_pull, per_push = (
        (
            (process_ms + queue.process_ms) / 1e3,
            seconds,
            (database_ms + queue.database_ms) / 1e3,
            1 / queue.per_second,
        )
        for process_ms, seconds, database_ms in (
            (costs.pull_ms, costs.pull_s, costs.pull_database_ms),
            (costs.push_ms, costs.push_s, costs.push_database_ms),
        )
    )
    limits = (cpu_s, worker_s, database_s, taken_s)
    pulls, pushes = _Waiting(), _Waiting()
    most = [0.0] * len(limits)

    for minute in range(2 * MINUTES):
        pulls.add(minute, stores / 60)
        pushes.add(minute, stores * _closing(minute % MINUTES))
        wanted = [
            pulls.count * a + pushes.count * b for a, b in zip(per_pull, per_push, strict=True)
        ]
        most = [max(it) for it in zip(most, wanted, strict=True)]
        left = list(limits)
        for waiting, each in ((pushes, per_push), (pulls, per_pull)):
            fits = min(have / need for have, need in zip(left, each, strict=True) if need)
            done = waiting.take(minute, fits)
            left = [have - done * need for have, need in zip(left, each, strict=True)]

    connections = machines.processes * (2 * machines.workers + 2) / CONNECTIONS
    names = ("processes' cores", "workers", "database's cores", "queue")
    loads = {
        name: want / max(have, 1e-9) for name, want, have in zip(names, most, limits, strict=True)
    }

    return Day(
        pull_lag_min=pulls.longest,
        push_lag_min=pushes.longest,
        loads={**loads, "rounds of the dispatcher": rounds, "connections": connections,
               "memory of 1 GB": stores * costs.memory_mb / 1_000},
    )  # fmt: skip


def _closing(minute: float) -> float:
    return sum(
        share / SPREAD_MIN
        for begins, share in ZONES.items()
        if begins <= minute < begins + SPREAD_MIN
    )


@attrs.define
class _Waiting:
    """
    Work by the minute in which it fell due.
    """

    longest: int = 0
    _waiting: list[tuple[int, float]] = attrs.field(factory=list)

    @property
    def count(self) -> float:
        return sum(number for _, number in self._waiting)

    def add(self, minute: int, number: float) -> None:
        if number:
            self._waiting.append((minute, number))

    def take(self, minute: int, most: float) -> float:
        """
        Take the oldest; how many there were.
        """
        done = 0.0
        while self._waiting and done < most - 1e-9:
            since, number = self._waiting.pop(0)
            part = min(number, most - done)
            done += part
            self.longest = max(self.longest, minute - since)
            if part < number:
                self._waiting.insert(0, (since, number - part))

        if self._waiting:
            self.longest = max(self.longest, minute - self._waiting[0][0])

        return done


def plan_lines(costs: Costs, counts: tuple[int, ...] = (5_000, 20_000, 100_000)) -> Iterator[str]:
    """
    What breaks first, by the number of stores and of processes.
    """
    queue = costs.queue
    per_hour = costs.pull_ms + costs.push_ms / 24 + queue.process_ms * 25 / 24
    per_core = 3_600_000 / per_hour
    yield f"{per_hour:.1f} ms of CPU per location and hour: {per_core:,.0f} stores per core"
    yield "  stores processes  pull waits  push waits  busiest minute"
    for stores in counts:
        for processes in (1, 2, 4, 8):
            day = simulated_day(stores, costs, Machines(processes=processes))
            worst = sorted(day.loads.items(), key=lambda it: -it[1])[:3]
            loads = ", ".join(f"{name} {load:.0%}" for name, load in worst)
            waits = f"{day.pull_lag_min:7} min {day.push_lag_min:7} min"
            yield f"{stores:8,} {processes:9} {waits}  {loads}"
        if queue.row_bytes:
            yield (
                f"{stores:8,} stores: the queue's tables hold {stores * 25:,} ended runs, "
                f"{stores * 25 * queue.row_bytes / 1e9:.1f} GB"
            )
