"""
A fleet of thousands of stores: `scripts/bench fleet --help`.

The day is simulated: see `fleet_simulation`.  The process at rest is real: a store of
the SDK with as many locations, of which none is due.  With `--minutes`, the fleet
runs on the real clock against sandboxes instead: see `fleet_hour`.  With `--costs`,
one location is measured, and many are planned: see `fleet_plan`.
"""

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import attrs

from conexxus_sync.fleet import Fleet, StoreSettings
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.stores import SyncStore, open_store

from .fleet_costs import costs
from .fleet_engine import engine_costs
from .fleet_hour import real_hour
from .fleet_plan import ROUND_S, Costs, Queue, plan_lines
from .fleet_simulation import simulated_day


# Ended runs in the queue's tables: of 200 stores in a day, and of 2,000.
LOOKS = (5_000, 50_000)


def at_rest(count: int, seconds: float) -> float:
    """
    Show what a process with as many stores costs while nothing is due.

    Returns:
        The share of a core.
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
            share, used = _measured(fleet, seconds, lambda: len(due))
    print(used)

    return share


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


def _measured(fleet: Fleet, seconds: float, due: Callable[[], int]) -> tuple[float, str]:
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

    return share, (
        f"{len(fleet.locations):,} stores in SQLite, {before} due, for {seconds:g} s: "
        f"{share:.1%} of a core, {threads} threads, {memory:.0f} MB at most"
    )


def planned(count: int, seconds: float) -> None:
    """
    Show what a location costs, and what follows for many.
    """
    costs(100, 1_000, 300, with_postgres=False)
    found = {it.name: it for it in costs(100, 1_000, 300, with_postgres=True)}
    pull, push = found["pull, 1 % changed"], found["push of 300 sales"]
    measured = Costs(
        pull_ms=pull.process_ms,
        push_ms=push.process_ms,
        pull_database_ms=pull.database_ms,
        push_database_ms=push.database_ms,
        round_ms=at_rest(count, seconds) * ROUND_S * 1e3 / count,
    )
    engine_costs(1_000, LOOKS, with_postgres=False)
    engine = engine_costs(1_000, LOOKS, with_postgres=True)
    queue = Queue(process_ms=engine.process_ms, database_ms=engine.database_ms,
                  per_second=engine.per_second, row_bytes=engine.row_bytes)  # fmt: skip
    for executor, each in (("local", Queue()), ("dbos", queue)):
        print(f"With the executor {executor}:")
        for line in plan_lines(attrs.evolve(measured, queue=each)):
            print(line)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench fleet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stores", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--hours", type=float, default=24, help="of the simulated clock")
    parser.add_argument("--rest", type=float, default=60, help="seconds at rest")
    parser.add_argument("--minutes", type=float, help="run so many minutes on the real clock")
    parser.add_argument("--postgres", action="store_true", help="with it, in PostgreSQL")
    parser.add_argument("--costs", action="store_true", help="measure one location, and plan")
    options = parser.parse_args()

    if options.costs:
        planned(options.stores, options.rest)
        return
    if options.minutes:
        real_hour(options.stores, options.workers, options.minutes, with_postgres=options.postgres)
        return

    at_rest(options.stores, options.rest)
    simulated_day(options.stores, options.workers, options.hours)


if __name__ == "__main__":
    main()
