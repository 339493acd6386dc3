"""
An hour of a chain on the real clock, against sandboxes: `scripts/bench fleet --minutes`.

The back offices are in a process of their own; the figures are those of the fleet's.
"""

import argparse
import json
import logging
import resource
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from conexxus_client import Transaction, TransactionLine
from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.model.runs import RunKind, SyncRun

from .fleet_figures import lag_lines
from .postgres import empty_store


KEY = "the-key-of-the-stores"
OFFICES = 20
ITEMS, SALES = 20, 10
SLOW_S = 20

# Of a hundred stores, so many have a back office like this; `alone` hang each at an
# address of their own.
SHARES = {"hanging": 1, "alone": 1, "429": 2, "slow": 5}
FAILING = ("hanging", "alone", "429")


def offices() -> None:
    """
    The back offices: prints their addresses, and serves until its input ends.
    """
    with ExitStack() as stack:

        def front(faults: str = "") -> str:
            office = BackOffice(ITEMS, api_key=KEY, faults=faults)
            return stack.enter_context(SandboxServer(office)).url

        listener = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=1_000))
        kept: list[socket.socket] = []
        threading.Thread(target=_accept, args=(listener, kept), daemon=True).start()
        urls: dict[str, Any] = {
            "well": [front() for _ in range(OFFICES)],
            "slow": [front(f"slow({SLOW_S}s)*1000000")],
            "429": [front("429(retry_after=600)*1000000")],
            "silent_port": listener.getsockname()[1],
        }
        print(json.dumps(urls), flush=True)
        sys.stdin.read()


def _accept(listener: socket.socket, kept: list[socket.socket]) -> None:
    with suppress(OSError):
        while True:
            kept.append(listener.accept()[0])


@contextmanager
def _offices() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.fleet_hour", "--offices"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def kind_of(number: int, count: int) -> str:
    """
    Of which kind the store with this *number* is.
    """
    place = number * 100 / count
    for kind, share in SHARES.items():
        if place < share:
            return kind
        place -= share

    return "well"


def _url(kind: str, number: int, urls: dict[str, Any]) -> str:
    if kind == "hanging":
        return f"http://127.0.0.1:{urls['silent_port']}"
    if kind == "alone":
        return f"http://127.1.{number // 250}.{number % 250 + 1}:{urls['silent_port']}"

    return str(urls[kind][number % len(urls[kind])])


def store_settings(
    count: int, urls: dict[str, Any], store: str, now: datetime, *, first: int = 10
) -> list[StoreSettings]:
    """
    The stores; they close from *first* minutes after *now* on, in four groups.
    """
    # Where it is late in the evening now.
    west = (now.hour - 22) % 24
    zone = f"Etc/GMT{west if west <= 12 else west - 24:+d}"
    local = now.astimezone(ZoneInfo(zone))
    rows = []

    for number in range(count):
        kind = kind_of(number, count)
        url = _url(kind, number, urls)
        push_at = local + timedelta(minutes=first + number % 4 * first // 2)
        rows.append({
            "location": f"{number * 7919 % count:05}-{kind}", "api.url": url,
            "api.key_env": f"KEY_{number % 97}", "timezone": zone, "push_at": f"{push_at:%H:%M}",
        })  # fmt: skip

    environ = {f"KEY_{number}": KEY for number in range(97)}

    return [StoreSettings.of(row, {"store": store}, environ=environ) for row in rows]


class Till:
    """
    As many sales of each date in each store.
    """

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        Those of one date.
        """
        noon = datetime.combine(business_date, datetime.min.time(), UTC)
        for number in range(SALES):
            line = TransactionLine(sku="A", quantity=1, price=Decimal("9.99"))
            yield Transaction(
                id=f"{business_date}-{number}", timestamp=noon + timedelta(seconds=number),
                total=Decimal("9.99"), items=[line], business_date=business_date,
            )  # fmt: skip


class Witness:
    """
    How late each run begins, in seconds.
    """

    def __init__(self, settings: list[StoreSettings], began: datetime) -> None:
        self.began = began
        self.settings = {it.location_id: it for it in settings}
        self.lags: dict[tuple[str, RunKind], list[float]] = {}
        self.statuses: Counter[tuple[str, RunKind, str]] = Counter()
        self._pulled: set[str] = set()

    def run_started(self, run: SyncRun) -> None:
        """
        A pull is late by its slot, and the first of a store, which counts apart, by
        the start of the fleet; a push by the store's own time.
        """
        config = self.settings[run.location_id].sync
        kind = run.location_id.rpartition("-")[2]
        if run.kind is RunKind.SALES:
            assert config.timezone is not None
            assert run.business_date is not None
            calendar = StoreCalendar(timezone=config.timezone, push_at=config.push_at)
            due_at = calendar.push_moment(run.business_date)
        elif run.location_id in self._pulled:
            due_at = PullSchedule(run.location_id, config.sync_every).slot(run.start_time)
        else:
            due_at = self.began
            self._pulled.add(run.location_id)
            kind += ", first"
        lag = (run.start_time - due_at).total_seconds()
        self.lags.setdefault((kind, run.kind), []).append(lag)

    def run_finished(self, run: SyncRun) -> None:
        """
        Counts how it ended.
        """
        kind = run.location_id.rpartition("-")[2]
        self.statuses[kind, run.kind, str(run.status)] += 1


def real_hour(count: int, workers: int, minutes: float, *, with_postgres: bool) -> None:
    """
    Run the fleet for so many *minutes*, and print how it did.
    """
    logging.disable()
    with ExitStack() as stack:
        url = stack.enter_context(empty_store(with_postgres=with_postgres))
        urls = stack.enter_context(_offices())
        now = datetime.now(UTC)
        settings = store_settings(count, urls, url, now, first=max(int(minutes / 6), 1))
        witness = Witness(settings, now)
        fleet = stack.enter_context(
            Fleet(settings, options=FleetOptions(workers=workers), orders=Till(),
                  collectors=[witness])
        )  # fmt: skip
        witness.began = datetime.now(UTC)
        for line in _watched(fleet, minutes * 60):
            print(line, flush=True)
        print(f"{count:,} stores, {workers} workers, {minutes:g} min on the real clock:")
        for line in lag_lines(witness.lags):
            print(line)
        for (kind, run, status), number in sorted(witness.statuses.items()):
            print(f"  {kind:8} {run:10} {status:8} {number:8,}")


def _watched(fleet: Fleet, seconds: float) -> Iterator[str]:
    """
    Run *fleet*; every five minutes, a line about the process.
    """
    stop = threading.Event()
    runner = threading.Thread(target=fleet.run_forever, args=(stop,))
    runner.start()
    began, cpu = time.monotonic(), time.process_time()
    every = min(300.0, seconds)

    try:
        while (passed := time.monotonic() - began) < seconds:
            stop.wait(min(every, seconds - passed))
            used, cpu = time.process_time() - cpu, time.process_time()
            now = time.monotonic() - began
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            share = used / max(now - passed, 0.001)
            yield (
                f"  after {now / 60:4.1f} min: {share:6.1%} of a core since, "
                f"{threading.active_count()} threads, {memory:.0f} MB at most, "
                f"{len(fleet._agenda._due):,} due"
            )
    finally:
        stop.set()
        runner.join()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offices", action="store_true")
    if parser.parse_args().offices:
        offices()
