"""
A process that is killed in the middle of a pull leaves the old catalogue or
the new one, and nobody waits for its lease.
"""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.stores.sqlite import SqliteStore


PULL = """
import os, signal, sqlite3, sys
from conexxus_client import ClientConfig, ConexxusClient
from conexxus_sync import InventorySync, SyncConfig
from conexxus_sync._clock import SystemClock
from conexxus_sync.stores.sqlite import SqliteStore

url, folder, kind, fatal = sys.argv[1:]

def apply_in(db, changes):
    for item in [*changes.created, *changes.updated]:
        db.execute("INSERT OR REPLACE INTO products VALUES (?, ?)", (item.sku, str(item.price)))

class Elsewhere:
    def apply(self, changes):
        with sqlite3.connect(f"{folder}/host.db") as db:
            apply_in(db, changes)

class Here:
    def apply_in(self, connection, changes):
        apply_in(connection, changes)

def step(name):
    if name == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

with ConexxusClient(ClientConfig(api_url=url, api_key="k", retries=0)) as client:
    run = InventorySync(
        client=client,
        store=SqliteStore(f"{folder}/conexxus.db"),
        config=SyncConfig(),
        clock=SystemClock(),
        storage=Elsewhere() if kind == "elsewhere" else Here(),
        steps=step,
    ).pull()

print(run.status, run.last_error)
"""

STEPS = [
    "leased",
    "request",
    "page",
    "read",
    "compared",
    "merge",
    "merged",
    "commit",
    "committed",
    "host",
    "host applied",
    "release",
]
OLD = {f"S{n}": "1.00" for n in range(30)}
NEW = {**dict.fromkeys(list(OLD)[:10], "2.00"), **dict(list(OLD.items())[10:]), "X": "3.00"}


@pytest.fixture(scope="module")
def office():
    with SandboxServer(BackOffice([], api_key="k", etag="off")) as server:
        yield server


class Till:
    """
    One folder with the store and the host's own database.
    """

    def __init__(self, server, folder, kind):
        self.server, self.folder, self.kind = server, folder, kind
        self.products = folder / ("host.db" if kind == "elsewhere" else "conexxus.db")
        with SqliteStore(folder / "conexxus.db").writing():
            pass
        with closing(sqlite3.connect(self.products)) as db:
            db.execute("CREATE TABLE products (sku TEXT PRIMARY KEY, price TEXT)")

    def sells(self, catalog):
        self.server.office.catalog = [
            {"sku": sku, "name": "x", "price": price} for sku, price in catalog.items()
        ]

    def pull(self, fatal="never"):
        arguments = [self.server.url, str(self.folder), self.kind, fatal]
        return subprocess.run(
            [sys.executable, "-c", PULL, *arguments], capture_output=True, text=True, check=False
        )

    @property
    def mirror(self):
        items = SqliteStore(self.folder / "conexxus.db").catalog.items("default")
        return {entry.item.sku: str(entry.item.price) for entry in items}

    @property
    def host(self):
        with closing(sqlite3.connect(self.products)) as db:
            return dict(db.execute("SELECT sku, price FROM products"))


@pytest.mark.parametrize("kind", ["elsewhere", "here"])
@pytest.mark.parametrize("step", STEPS)
def test_killed(office, tmp_path, step, kind):
    """
    Killed at any step, mirror and host are the old catalogue or the new one,
    each of them whole; the next pull starts at once and ends at the new one.
    """
    till = Till(office, tmp_path, kind)
    till.sells(OLD)
    assert till.pull().returncode == 0
    till.sells(NEW)

    killed = till.pull(step)

    if kind == "here" and step.startswith("host"):
        assert killed.returncode == 0
    else:
        assert killed.returncode == -signal.SIGKILL
    assert till.mirror in (OLD, NEW)
    assert till.host in (OLD, NEW)
    assert kind == "elsewhere" or till.mirror == till.host
    if step in STEPS[: STEPS.index("commit") + 1]:
        assert till.mirror == till.host == OLD

    again = till.pull()

    assert "success" in again.stdout, again.stderr
    assert till.mirror == till.host == NEW


def test_killed_at_the_very_first_pull(office, tmp_path):
    """
    A store that was never filled is empty or full.
    """
    till = Till(office, tmp_path, "elsewhere")
    till.sells(NEW)

    for step in STEPS:
        till.pull(step)
        assert till.mirror in ({}, NEW), json.dumps(step)

    till.pull()
    assert till.mirror == till.host == NEW
