"""
Other processes that write to the store.
"""

import sqlite3
from contextlib import closing

import pytest

from conexxus_sync import RunStatus
from conexxus_sync.stores.sqlite import _sqlite_database

from .store_contents import NEW, OLD, content, outcome


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


@pytest.mark.fault(
    "S01", "Another process writes, and does not end", "the run fails and says who; nothing changed"
)
def test_locked_by_another_writer(site, monkeypatch):
    """
    S01: it waits, says who holds the store, and changes nothing.
    """
    monkeypatch.setattr(_sqlite_database, "BUSY_TIMEOUT_S", 0.05)
    site.pull(OLD)
    before = content(site)

    with closing(sqlite3.connect(site.path, isolation_level=None)) as other:
        said = []

        def lock(step):
            if step == "compared":
                other.execute("BEGIN IMMEDIATE")

        said.append(site.pull(NEW, failpoint=lock).last_error)
        said.append(outcome(site, NEW))

    assert all("Another process holds it" in error for error in said)
    assert content(site) == before
    assert site.pull(NEW).created == 260


@pytest.mark.fault("S02", "Another process writes while a pull reads", "the pull succeeds")
@pytest.mark.parametrize("step", ["page", "read", "compared"])
def test_others_may_write_meanwhile(site, step):
    """
    S02: a pull does not turn from reader to writer: whoever writes while it
    reads makes it neither wait nor fail.
    """
    site.pull(OLD)

    def write(name):
        if name == step:
            with closing(sqlite3.connect(site.path, timeout=0)) as other, other:
                other.execute("CREATE TABLE IF NOT EXISTS foreign_table (x)")
                other.execute("INSERT INTO foreign_table VALUES (1)")

    assert site.pull(NEW, failpoint=write).status is RunStatus.SUCCESS
