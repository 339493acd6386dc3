"""
A process of a fleet at its real pace, for the proof that another takes over its runs.

Run as a script: `takeover_process.py EXECUTOR STORE DAY URL MACHINE LEASE_S STORES`.  It is
one of the machine MACHINE, so that another one can't see whether it is gone; where that is
empty, of this one.  Output and end are those of `fleet_process`; it begins at the first
line of its input, and says when it is ready, and when it has looked at what is due.
"""

import logging
import os
import sys
import threading
import time
from datetime import date, timedelta

import attrs
from fleet_process import KEY, Till, Witness, location

from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings
from conexxus_sync.model import leases
from conexxus_sync.runtime.processes import LinuxProcesses
from conexxus_sync.stores import _lease_table


class LookingFleet(Fleet):
    """
    Says when it has looked.
    """

    def _refresh(self):
        try:
            return super()._refresh()
        finally:
            say("looked")


def say(what):
    os.write(sys.stdout.fileno(), f"{what} - - - {time.time():.6f}\n".encode())


def short_leases(seconds, executor):
    """
    Leases that end so soon, wherever their length is known.
    """
    length = timedelta(seconds=seconds)
    leases.LEASE_LENGTH = _lease_table.LEASE_LENGTH = length
    leases.RENEWED_AFTER = length / 4
    if executor == "dbos":
        from conexxus_sync.fleet import _dbos_executor

        _dbos_executor.LEASE_LENGTH = length


def main(executor, store, day, url, machine, lease_s, count):
    logging.disable()
    current = LinuxProcesses.current
    if machine:
        LinuxProcesses.current = lambda self: attrs.evolve(current(self), boot=machine)
    short_leases(lease_s, executor)
    defaults = {
        "store": store,
        "timezone": "UTC",
        "sales_since": day.isoformat(),
        "api.url": url,
        "api.key_env": "KEY",
        "retries": 0,
        # A run that is taken over is due anew.
        "sync_every": "1m",
    }
    stores = [
        StoreSettings.of({"location": location(number)}, defaults, environ={"KEY": KEY})
        for number in range(count)
    ]
    options = FleetOptions(
        workers=12, per_back_office=12, rate=1_000, burst=1_000, executor=executor
    )

    collectors, stop = [Witness()], threading.Event()
    # A queue would hand out runs to a fleet that is only made.
    say("ready")
    sys.stdin.readline()
    with LookingFleet(stores, options=options, orders=Till(day), collectors=collectors) as fleet:
        threading.Thread(target=lambda: sys.stdin.read() or stop.set(), daemon=True).start()
        fleet.run_forever(stop)


if __name__ == "__main__":
    executor, store, day, url, machine, lease_s, count = sys.argv[1:]
    main(executor, store, date.fromisoformat(day), url, machine, float(lease_s), int(count))
