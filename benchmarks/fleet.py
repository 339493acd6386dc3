"""
A fleet of thousands of stores: `scripts/bench fleet --help`.

The day is simulated: the clock and the runs are, and what decides is the code
itself (agenda, schedules, due dates, circuit breaker).  The process at rest is
real: a store of the SDK with as many locations, of which none is due.
"""

import argparse
import heapq
import random
import resource
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from conexxus_sync.fleet import Fleet, StoreSettings, WorkItem
from conexxus_sync.fleet._agenda import Agenda
from conexxus_sync.fleet._location import push_offset, push_start
from conexxus_sync.fleet._location_breaker import LocationBreaker
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.model.sales import DateVisit
from conexxus_sync.sales._due_dates import DueDates
from conexxus_sync.stores import SyncStore, open_store
from conexxus_sync.stores._lease_table import LeaseState


ZONES = [ZoneInfo(f"America/{name}") for name in ("New_York", "Chicago", "Denver", "Los_Angeles")]
# An hour before the first stores close.
BEGIN = datetime(2026, 1, 2, 3, tzinfo=UTC)

# Of a hundred stores, so many hang until all attempts are over, answer 429, or are
# slow; seconds of a pull and of a push of each kind.
KINDS = {"hanging": (2, 127.0, 127.0), "429": (2, 1.0, 1.0), "slow": (5, 20.0, 30.0)}
WELL = (0.3, 1.5)
FAILING = ("hanging", "429")
SECOND = timedelta(seconds=1)

# A fleet looks at what is due every five seconds; here, later, to save time.
SIMULATED_ROUND_S = 30.0


@attrs.define
class Branch:
    """
    One simulated store, and what the ledger holds of it.
    """

    name: str
    kind: str
    calendar: StoreCalendar
    latest: SyncRun | None = None
    failures: int = 0
    visits: dict[date, DateVisit] = attrs.field(factory=dict)
    breaker: LocationBreaker = attrs.field(factory=LocationBreaker)


class Simulation:
    """
    A fleet whose clock and runs are simulated.
    """

    def __init__(self, count: int, workers: int) -> None:
        dice = random.Random(count)
        names = [f"loc-{number:05}" for number in range(count)]
        self.branches = {name: self._branch(name, dice) for name in names}
        self.agenda = Agenda(self, dict.fromkeys(names, tuple(RunKind)))
        self.workers, self.now = workers, BEGIN
        self.epochs: dict[tuple[str, RunKind], int] = {}
        self.running: dict[tuple[str, RunKind], datetime] = {}
        self.ends: list[tuple[datetime, str, WorkItem]] = []
        self.lags: dict[tuple[str, RunKind], list[float]] = {}

    def _branch(self, name: str, dice: random.Random) -> Branch:
        drawn, kind = dice.uniform(0, 100), "well"
        for each, (share, _, _) in KINDS.items():
            if 0 <= drawn < share:
                kind = each
            drawn -= share
        return Branch(name, kind, StoreCalendar(timezone=dice.choice(ZONES)))

    def lease_states(self, now: datetime) -> list[LeaseState]:
        return [
            LeaseState(location_id=name, kind=kind, epoch=epoch,
                       run_id="a run" if (name, kind) in self.running else None)
            for (name, kind), epoch in self.epochs.items()
        ]  # fmt: skip

    def next_start(self, location_id: str, kind: RunKind, now: datetime) -> datetime:
        branch = self.branches[location_id]
        if kind is RunKind.INVENTORY:
            return PullSchedule(location_id).next_pull(branch.latest, now)
        due = DueDates(
            calendar=branch.calendar,
            start=BEGIN.date() - timedelta(days=1),
            visits=branch.visits,
            waiting=frozenset(),
        )
        return push_start(location_id, due.next_due(now), now)

    def run(self, hours: float) -> None:
        """
        Let so many hours pass.
        """
        until = BEGIN + timedelta(hours=hours)

        while self.now < until:
            round_ends_at = self.now + timedelta(seconds=SIMULATED_ROUND_S)
            self.agenda.refresh(self.now)
            due = deque(self.agenda.due(self.now))
            self._hand_out(due)
            # Within a round, a worker that becomes free takes the next item.
            while self.ends and self.ends[0][0] < round_ends_at:
                self.now, _, item = heapq.heappop(self.ends)
                self._end(item)
                self._hand_out(due)
            self.now = round_ends_at

    def _hand_out(self, due: deque[WorkItem]) -> None:
        while due and len(self.running) < self.workers:
            item = due.popleft()
            if not self.branches[item.location_id].breaker.is_open(self.now):
                self._begin(item)

    def _begin(self, item: WorkItem) -> None:
        branch, key = self.branches[item.location_id], (item.location_id, item.kind)
        _, *seconds = KINDS.get(branch.kind, (0, *WELL))
        self.agenda.submitted(item, self.now)
        self.epochs[key] = self.epochs.get(key, 0) + 1
        self.running[key] = self.now
        ends_at = self.now + SECOND * seconds[item.kind is RunKind.SALES]
        heapq.heappush(self.ends, (ends_at, item.key, item))
        lag = (self.now - item.slot) / SECOND
        if item.kind is RunKind.SALES:
            # After the store's own time.
            lag += push_offset(item.location_id) / SECOND
        self.lags.setdefault((branch.kind, item.kind), []).append(lag)

    def _end(self, item: WorkItem) -> None:
        branch, key = self.branches[item.location_id], (item.location_id, item.kind)
        began, failed = self.running.pop(key), branch.kind in FAILING
        branch.breaker = branch.breaker.after(failed=failed, now=self.now)
        branch.failures = branch.failures + 1 if failed else 0
        wait = min(timedelta(minutes=2 ** min(branch.failures - 1, 4)), timedelta(minutes=15))
        if item.kind is RunKind.INVENTORY:
            branch.latest = SyncRun(
                id="r", kind=item.kind, location_id=branch.name, start_time=began,
                end_time=self.now, status=RunStatus.FAILED if failed else RunStatus.SUCCESS,
                retry_at=self.now + wait if failed else None,
            )  # fmt: skip
        elif not failed:
            day = branch.calendar.business_date(self.now)
            for back in range(9):
                branch.visits[day - timedelta(days=back)] = DateVisit(at=began)
        self.agenda.ended(item)


def simulated_day(count: int, workers: int, hours: float) -> None:
    """
    Show how late runs begin.
    """
    began, cpu = time.monotonic(), time.process_time()
    simulation = Simulation(count, workers)
    simulation.run(hours)
    lags = simulation.lags
    print(
        f"{count:,} simulated stores, {workers} workers, {hours:g} h by a simulated clock "
        f"({time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU):"
    )

    for (kind, run), found in sorted(lags.items()):
        ordered = sorted(found)
        p99 = ordered[int(len(ordered) * 0.99) - 1]
        print(
            f"  {kind:8} {run:10} {len(found):8,} runs; begin after "
            f"{ordered[len(found) // 2]:5.0f} s (median), {p99:5.0f} s (p99), "
            f"{ordered[-1]:5.0f} s (most)"
        )


def at_rest(count: int, seconds: float) -> None:
    """
    Show what a process with as many stores costs while nothing is due.
    """
    with tempfile.TemporaryDirectory() as folder:
        url, now = f"sqlite:///{folder}/conexxus.db", datetime.now(UTC)
        defaults = {"store": url, "api.url": "http://127.0.0.1:9", "api.key_env": "K",
                    "timezone": "UTC", "sync_every": "7d"}  # fmt: skip
        names = [f"loc-{number:05}" for number in range(count)]
        settings = [
            StoreSettings.of({"location": it}, defaults, environ={"K": "a-key-of-all"})
            for it in names
        ]
        _pulled(open_store(url), names, now)

        class Till:
            def transactions(self, location_id: str, business_date: object) -> list[object]:
                return []

        with Fleet(settings, orders=Till()) as fleet:  # type: ignore[arg-type]  # sells nothing
            fleet._agenda.refresh(fleet.clock.now())
            due = fleet._agenda.due(fleet.clock.now())
            used = _measured(fleet, seconds, lambda: len(due))
    print(used)


def _pulled(store: SyncStore, names: list[str], now: datetime) -> None:
    """
    Each location was pulled a moment ago, and its sales were looked at.
    """
    with store.at("").write() as state:
        for name in names:
            run = SyncRun(id=f"r-{name}", kind=RunKind.INVENTORY, location_id=name,
                          start_time=now, end_time=now, status=RunStatus.SUCCESS)  # fmt: skip
            state.runs.save(run)
            since = StoreCalendar(timezone=ZoneInfo("UTC")).first_date(now).isoformat()
            state.session.execute(
                "INSERT INTO sales_floors (location, since, recorded_at) VALUES (?, ?, ?)",
                (name, since, now.isoformat()),
            )
            for kind in RunKind:
                state.session.execute(
                    "INSERT INTO leases (location, kind, epoch, run_id, boot, namespace, pid,"
                    " started, host, expires_at) VALUES (?, ?, 1, NULL, '', '', 0, '', '', ?)",
                    (name, kind.value, now.isoformat()),
                )


def _measured(fleet: Fleet, seconds: float, due: Callable[[], int]) -> str:
    stop = threading.Event()
    runner = threading.Thread(target=fleet.run_forever, args=(stop,))
    before = due()
    runner.start()
    cpu, began = time.process_time(), time.monotonic()
    stop.wait(seconds)
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    threads = threading.active_count()
    stop.set()
    runner.join()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    return (
        f"{len(fleet.locations):,} stores in SQLite, {before} due, for {seconds:g} s: "
        f"{share:.1%} of a core, {threads} threads, {memory:.0f} MB at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench fleet", description=__doc__)
    parser.add_argument("--stores", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--rest", type=float, default=60, help="seconds at rest")
    options = parser.parse_args()
    at_rest(options.stores, options.rest)
    simulated_day(options.stores, options.workers, options.hours)


if __name__ == "__main__":
    main()
