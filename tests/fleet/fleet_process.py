"""
A process that runs a fleet, for the proof that two of them may be killed.

Run as a script: `fleet_process.py EXECUTOR STORE DAY SILENT URL…`, with the addresses
of back offices: the stores are spread over them, and some more are at the silent one.
It ends by a signal, or once its standard input ends; on its standard output is a
line for each run that begins and each that ends: kind, location, run and moment.
"""

import logging
import os
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta

from conexxus_sync import InMemoryCollector
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings, _agenda, _fleet
from conexxus_sync.testing import sale


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
STORES = 40 if IS_SMALL else 400
HANGING = 4
SALES = 3
KEY = "the-key-of-the-stores"


class Till:
    """
    Some sales of one date.
    """

    def __init__(self, day):
        self.noon = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)

    def transactions(self, location_id, business_date):
        if business_date == self.noon.date():
            for number in range(SALES):
                yield sale(f"t{number}", "1.50", timestamp=self.noon + timedelta(seconds=number))


class Witness(InMemoryCollector):
    """
    Writes down when each run begins and ends.
    """

    def run_started(self, run):
        self._write("begins", run)

    def run_finished(self, run):
        self._write("ends", run)

    def _write(self, what, run):
        line = f"{what} {run.kind} {run.location_id} {run.id} {time.time():.6f}\n"
        os.write(sys.stdout.fileno(), line.encode())


def location(number):
    return f"loc-{number:04}"


def stores(store, day, silent, urls):
    defaults = {
        "store": store,
        "timezone": "UTC",
        "sales_since": day.isoformat(),
        "api.key_env": "KEY",
        "retries": 0,
        "timeout": 1_000,
        "batch.transactions": 2,
        # Each location is due anew, again and again.
        "sync_every": "1m",
    }

    rows = [
        *((f"hanging-{number}", silent) for number in range(HANGING)),
        *((location(number), urls[number % len(urls)]) for number in range(STORES)),
    ]

    return [
        StoreSettings.of({"location": name, "api.url": url}, defaults, environ={"KEY": KEY})
        for name, url in rows
    ]


def main(executor, store, day, silent, urls):
    logging.disable()
    # What takes seconds in a store takes less in this proof.
    if executor == "dbos":
        from conexxus_sync.fleet import _dbos_executor

        _dbos_executor.POLLED_S = 0.1
    _fleet.ROUND_S = 0.5
    _agenda.SUBMITTED_AGAIN_AFTER = timedelta(seconds=5)
    stop = threading.Event()
    threading.Thread(target=lambda: sys.stdin.read() or stop.set(), daemon=True).start()
    options = FleetOptions(
        workers=6, budget=timedelta(seconds=5), rate=1_000, burst=1_000, executor=executor
    )

    with Fleet(
        stores(store, day, silent, urls), options=options, orders=Till(day), collectors=[Witness()]
    ) as fleet:
        fleet.run_forever(stop)


if __name__ == "__main__":
    main(*sys.argv[1:3], date.fromisoformat(sys.argv[3]), sys.argv[4], sys.argv[5:])
