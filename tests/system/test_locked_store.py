"""
A store that another process has to itself.
"""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from conexxus_sync import StoreError
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.stores.sqlite import SqliteStore, _sqlite_database
from conexxus_sync.stores.sqlite._sqlite_database import BUSY_TIMEOUT_S, SqliteDatabase


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement).fetchall()
print("held", flush=True)
sys.stdin.read()
"""
EXCLUSIVELY = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "BEGIN EXCLUSIVE",
    "UPDATE runs SET planned = planned",
)
# Of a file that is no store yet.
NEW = ("PRAGMA user_version = 0", "BEGIN", "SELECT * FROM sqlite_schema")


@contextmanager
def held(path, statements=EXCLUSIVELY):
    command = [sys.executable, "-c", HOLD, str(path), *statements]

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

    openings = 0

    def _connect(self):
        self.openings += 1
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
    assert database.openings == 1
    assert took < BUSY_TIMEOUT_S / 2
    assert AlertName.STORE_UNUSABLE not in health(busy)


def pull(shop):
    return shop.service.sync_inventory()


def trigger(shop):
    return shop.service.trigger_sync()


@pytest.mark.case(
    "E8",
    "A trigger or a pull finds a store that another process has to itself, new or not",
    "The store is opened once, for one deadline, and the error says who is in the way",
)
@pytest.mark.parametrize("ask", [trigger, pull])
@pytest.mark.parametrize("statements", [EXCLUSIVELY, NEW], ids=["in use", "new"])
def test_locked_store_is_opened_once(shop, tmp_path, monkeypatch, ask, statements):
    """
    No step that failed is followed by another one.
    """
    monkeypatch.setattr(_sqlite_database, "BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr(_sqlite_database, "HASTY_TIMEOUT_S", 0.1)
    database = Counting(tmp_path / "held.db")
    shop.open(store=SqliteStore(database.path, database=database))
    if statements is EXCLUSIVELY:
        health(shop)
    database.openings = 0

    with (
        held(database.path, statements),
        pytest.raises(StoreError, match="Another process holds it"),
    ):
        ask(shop)

    assert database.openings == 1


@pytest.mark.case(
    "E8",
    "Health is asked for while another process has a new store to itself",
    "It answers once one deadline has passed, with `store_unusable`",
)
def test_health_of_a_new_store_that_is_held(shop, tmp_path, monkeypatch):
    """
    Health opens the store once.
    """
    monkeypatch.setattr(_sqlite_database, "HASTY_TIMEOUT_S", 0.1)
    database = Counting(tmp_path / "held.db")
    shop.open(store=SqliteStore(database.path, database=database))

    with held(database.path, NEW):
        found = health(shop)

    assert found == {AlertName.STORE_UNUSABLE}
    assert database.openings == 1
