"""
A chain by a simulated clock: `scripts/bench fleet`.

Clock, runs and the SDK's store are simulated.  What decides is the fleet itself:
agenda, schedules, due dates, shares of back offices, credentials, circuit breakers.
"""

import heapq
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import attrs

from conexxus_client import ConexxusError, RateLimitError, RequestTimeoutError
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, WorkItem
from conexxus_sync.fleet._location import push_offset, push_start
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import DateVisit
from conexxus_sync.sales._due_dates import DueDates
from conexxus_sync.stores._lease_table import LeaseState
from conexxus_sync.testing import FakeClock

from .fleet_figures import lag_lines


ZONES = [f"America/{name}" for name in ("New_York", "Chicago", "Denver", "Los_Angeles")]
# An hour before the first stores close.
BEGIN = datetime(2026, 1, 2, 3, tzinfo=UTC)
OFFICES = 20
SECOND = timedelta(seconds=1)

# A fleet looks at what is due every five seconds; here, later, to save time.
ROUND = timedelta(seconds=30)


@attrs.frozen
class Behaviour:
    """
    How the back office of a store answers.

    Attributes:
        share: Of a hundred stores.
        pull_s: How long a pull takes.
        push_s: How long a push takes.
        error: How each request ends.
        has_own: Whether each of these stores has a back office of its own.
    """

    share: float
    pull_s: float
    push_s: float
    error: ConexxusError | None = None
    has_own: bool = False


HANGS = RequestTimeoutError(30_000)
LIMITED = RateLimitError(status=429, path="/", retry_after=600)
# Those that hang cost one request, until it times out.
BEHAVIOURS = {
    "hanging": Behaviour(1, 30.0, 30.0, HANGS),
    "alone": Behaviour(1, 30.0, 30.0, HANGS, has_own=True),
    "429": Behaviour(2, 1.0, 1.0, LIMITED),
    "slow": Behaviour(5, 20.0, 30.0),
    "well": Behaviour(91, 0.3, 1.5),
}
FAILING = tuple(name for name, it in BEHAVIOURS.items() if it.error is not None)


@attrs.define
class Branch:
    """
    One simulated store, and what the ledger holds of it.
    """

    name: str
    kind: str
    calendar: StoreCalendar
    schedule: PullSchedule
    latest: SyncRun | None = None
    failures: int = 0
    visits: dict[date, DateVisit] = attrs.field(factory=dict)

    def next_start(self, kind: RunKind, now: datetime) -> datetime:
        """
        When the next run begins.
        """
        if kind is RunKind.INVENTORY:
            return self.schedule.next_pull(self.latest, now)
        due = DueDates(
            calendar=self.calendar,
            start=BEGIN.date() - timedelta(days=1),
            visits=self.visits,
            waiting=frozenset(),
        )
        return push_start(self.name, due.next_due(now), now)

    def ended(self, kind: RunKind, began: datetime, now: datetime, *, failed: bool) -> None:
        """
        A run ended.
        """
        self.failures = self.failures + 1 if failed else 0
        # As the engines wait.
        wait = min(timedelta(minutes=2 ** min(self.failures - 1, 4)), timedelta(minutes=15))
        if kind is RunKind.INVENTORY:
            self.latest = SyncRun(
                id="r", kind=kind, location_id=self.name, start_time=began, end_time=now,
                status=RunStatus.FAILED if failed else RunStatus.SUCCESS,
                retry_at=now + wait if failed else None,
            )  # fmt: skip
        elif not failed:
            day = self.calendar.business_date(now)
            for back in range(9):
                self.visits[day - timedelta(days=back)] = DateVisit(at=began)


class SimulatedFleet(Fleet):
    """
    A fleet whose store is simulated.
    """

    branches: dict[str, Branch]
    leases: dict[tuple[str, RunKind], LeaseState]

    def lease_states(self, now: datetime) -> list[LeaseState]:
        """
        As the runs have left them.
        """
        return list(self.leases.values())

    def next_start(self, location_id: str, kind: RunKind, now: datetime) -> datetime:
        """
        By what the branch has done.
        """
        return self.branches[location_id].next_start(kind, now)


class Simulation:
    """
    A fleet whose clock and runs are simulated; its executor, too.
    """

    def __init__(self, count: int, workers: int, store: str) -> None:
        self.clock, self.workers = FakeClock(BEGIN), workers
        self.running: dict[tuple[str, RunKind], datetime] = {}
        self.ends: list[tuple[datetime, str, WorkItem]] = []
        self.lags: dict[tuple[str, RunKind], list[float]] = {}
        dice = random.Random(count)
        self.kinds = dict(self._drawn(count, dice))
        settings = [*self._settings(store, dice)]
        self.branches = {it.location_id: self._branch(it) for it in settings}
        self.fleet = SimulatedFleet(
            settings,
            options=FleetOptions(workers=workers),
            orders=(),  # type: ignore[arg-type]  # is never asked
            clock=self.clock,
            executor=lambda _: self,
        )
        self.fleet.branches, self.fleet.leases = self.branches, {}
        self.fleet.offices.monotonic = self.clock.monotonic

    def _drawn(self, count: int, dice: random.Random) -> Iterator[tuple[str, str]]:
        shares = [it.share for it in BEHAVIOURS.values()]
        for number in range(count):
            yield f"loc-{number:06}", dice.choices([*BEHAVIOURS], shares)[0]

    def _settings(self, store: str, dice: random.Random) -> Iterator[StoreSettings]:
        for name, kind in self.kinds.items():
            own = name if BEHAVIOURS[kind].has_own else ""
            office = dice.randrange(OFFICES) if kind == "well" else own
            row = {"location": name, "api.url": f"https://{kind}{office}.example",
                   "api.key_env": name, "timezone": dice.choice(ZONES)}  # fmt: skip
            yield StoreSettings.of(row, {"store": store}, environ={name: "a-key-of-a-store"})

    def _branch(self, settings: StoreSettings) -> Branch:
        name, zone = settings.location_id, settings.sync.timezone
        assert zone is not None
        return Branch(name, self.kinds[name], StoreCalendar(timezone=zone), PullSchedule(name))

    def run(self, hours: float) -> None:
        """
        Let so many hours pass.
        """
        until = BEGIN + timedelta(hours=hours)

        while (now := self.clock.now()) < until:
            self.fleet._agenda.refresh(now)
            self.fleet._dispatch()
            # Within a round, a worker that becomes free takes the next item.
            while self.ends and self.ends[0][0] < now + ROUND:
                ends_at, _, item = heapq.heappop(self.ends)
                self.clock.advance_to(ends_at)
                self._end(item)
                self.fleet._dispatch()
            self.clock.advance_to(now + ROUND)

    def submit(self, item: WorkItem) -> None:
        """
        Begin a run.
        """
        kind, now = self.kinds[item.location_id], self.clock.now()
        behaviour, key = BEHAVIOURS[kind], (item.location_id, item.kind)
        self.running[key] = now
        self.fleet.leases[key] = LeaseState(
            location_id=item.location_id, kind=item.kind, epoch=item.attempt + 1, run_id="a run"
        )
        seconds = behaviour.push_s if item.kind is RunKind.SALES else behaviour.pull_s
        heapq.heappush(self.ends, (now + SECOND * seconds, item.key, item))
        lag = (now - item.slot) / SECOND
        if item.kind is RunKind.SALES:
            # After the store's own time.
            lag += push_offset(item.location_id) / SECOND
        self.lags.setdefault((kind, item.kind), []).append(lag)

    def capacity(self) -> int:
        """
        How many workers are free.
        """
        return self.workers - len(self.running)

    def cancel(self, key: str) -> None:
        """
        Never asked for.
        """

    def reconcile(self) -> None:
        """
        There are no other processes.
        """

    def close(self) -> None:
        """
        There is nothing to close.
        """

    def _end(self, item: WorkItem) -> None:
        key, now = (item.location_id, item.kind), self.clock.now()
        location, branch = self.fleet.locations[item.location_id], self.branches[item.location_id]
        error = BEHAVIOURS[branch.kind].error
        branch.ended(item.kind, self.running.pop(key), now, failed=error is not None)
        self.fleet.leases[key] = attrs.evolve(self.fleet.leases[key], run_id=None)
        self.fleet.offices.note(location.settings, error)
        location.breaker = location.breaker.after(failed=error is not None, now=now)
        self.fleet._agenda.ended(item)


def simulated(count: int, workers: int, hours: float) -> Simulation:
    """
    A fleet after so many hours.
    """
    with tempfile.TemporaryDirectory() as folder:
        simulation = Simulation(count, workers, f"sqlite:///{folder}/conexxus.db")
        simulation.run(hours)
        simulation.fleet.close()

    return simulation


def simulated_day(count: int, workers: int, hours: float) -> None:
    """
    Show how late runs begin.
    """
    began, cpu = time.monotonic(), time.process_time()
    simulation = simulated(count, workers, hours)
    print(
        f"{count:,} simulated stores, {workers} workers, {hours:g} h by a simulated clock "
        f"({time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU):"
    )
    for line in lag_lines(simulation.lags):
        print(line)
