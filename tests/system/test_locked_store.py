"""
A store that another process has to itself.
"""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from conexxus_sync.model.alerts import AlertName
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import BUSY_TIMEOUT_S, SqliteDatabase


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("UPDATE runs SET planned = planned")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path):
    command = [sys.executable, "-c", HOLD, str(path)]

    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield
        process.stdin.close()


class Counting(SqliteDatabase):
    """
    Counts how often it is opened.
    """

    opened = 0

    def _connect(self):
        self.opened += 1
        return super()._connect()


def health(shop):
    return {alert.name for alert in shop.service.health().alerts}


def overview(shop):
    seen = shop.service.overview()

    assert seen.problem == seen.health.last_error
    return {alert.name for alert in seen.health.alerts}


def metrics(shop):
    found = shop.scrape()

    assert found["conexxus_store_readable",] == 0
    return {key[1] for key, value in found.items() if key[0] == "conexxus_alert_active" and value}


@pytest.mark.fault(
    "S01", "Another process has the store to itself", "health, page and metrics say so in a second"
)
@pytest.mark.parametrize("ask", [health, overview, metrics])
def test_locked_store_is_told_soon(busy, ask):
    """
    Health, page and metrics do not wait for as long as a writer does, and do
    not ask again what could not be read.
    """
    database = Counting(busy.service.store.database.path)
    busy.open(store=SqliteStore(database.path, database=database))

    with held(database.path):
        began = time.monotonic()
        found = ask(busy)
        took = time.monotonic() - began

    assert found == {AlertName.STORE_UNUSABLE}
    assert database.opened == 1
    assert took < BUSY_TIMEOUT_S / 2
    assert AlertName.STORE_UNUSABLE not in health(busy)
