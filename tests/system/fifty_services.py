"""
A process with a service for each of fifty locations, which all pull and push
without pause.

Run as a script: `fifty_services.py API STORE DAY BEGAN`.  It ends by a signal, or
once its standard input ends; writes when it has been at each location, and, as
errors, which run, or lock of a location, was in its way, and when.
"""

import logging
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import attrs

from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import ConexxusService, LeaseLostError, RunInProgressError, StoreError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model import leases
from conexxus_sync.runtime.processes import LinuxProcesses
from conexxus_sync.stores import _lease_table
from conexxus_sync.stores.postgres import PostgresStore, _writer_locks
from conexxus_sync.testing import sale


LOCATIONS = [f"loc-{number:03}" for number in range(50)]
SALES = 8
LEASE_S = 3
WORKERS = 8


class Till:
    """
    Has sold one more with each second, for *SALES* seconds.
    """

    def __init__(self, day, began):
        self.noon = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
        self.began = began

    def transactions(self, location_id, business_date):
        if business_date == self.noon.date():
            for number in range(min(SALES, int(time.time() - self.began))):
                yield sale(f"t{number}", "1.50", timestamp=self.noon + timedelta(seconds=number))


class OtherHost(LinuxProcesses):
    """
    No process can see whether this one is gone.
    """

    namespace = uuid.uuid4().hex

    def current(self):
        return attrs.evolve(super().current(), namespace=self.namespace)


def shorten_leases():
    for each in (leases, _lease_table, _writer_locks):
        each.LEASE_LENGTH = timedelta(seconds=LEASE_S)
    leases.RENEWED_AFTER = leases.LEASE_LENGTH / 4


def services(api, store, day, began):
    """
    They share one store and one client.
    """
    client = ConexxusClient(ClientConfig(api_url=api, api_key="k", retries=0, timeout_ms=2_000))
    kept = PostgresStore(f"{store}&connections=20", processes=OtherHost())

    return [
        ConexxusService(
            client,
            store=kept,
            config=SyncConfig(
                location_id=location,
                timezone=ZoneInfo("UTC"),
                sales_since=day,
                batch_transactions=2,
            ),
            orders=Till(day, began),
        )
        for location in LOCATIONS
    ]


def work(service, location, day, *, pulls):
    try:
        if pulls:
            service.sync_inventory()
        service.push_sales(day)
    except RunInProgressError as exc:
        sys.stderr.write(f"{exc.run_id} {time.time()}\n")
    except LeaseLostError:
        return
    except StoreError as exc:
        if "Another process holds it" in str(exc):
            sys.stderr.write(f"{location} {time.time()}\n")


def main(api, store, day, began):
    logging.disable()
    shorten_leases()
    ended = threading.Event()
    threading.Thread(target=lambda: sys.stdin.read() or ended.set(), daemon=True).start()
    every, count = services(api, store, day, began), 0

    with ThreadPoolExecutor(WORKERS) as workers:
        while not ended.is_set():
            count += 1
            each = partial(work, day=day, pulls=count % 20 == 1)
            list(workers.map(each, every, LOCATIONS))
            print(count, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], date.fromisoformat(sys.argv[3]), float(sys.argv[4]))
