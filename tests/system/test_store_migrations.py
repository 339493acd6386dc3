"""
A store of an older version, and migrations that are killed.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from conexxus_sync import RunStatus, stores
from peeks import peek

from .store_contents import NEW, OLD, content


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


@pytest.fixture
def states(new_site):
    """
    What the mirror holds before and after.
    """
    site = new_site()
    site.pull(OLD)
    old = content(site)
    site.pull(NEW)
    return old, content(site)


def version_one(path):
    """
    A store as the first version left it, with a few items.
    """
    script = Path(stores.__file__).with_name("migrations") / "0001_catalogue.sql"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script.read_text())
        db.execute("PRAGMA journal_mode = WAL")
        db.executemany(
            "INSERT INTO items VALUES ('loc-001', ?, x'00', 'n', '1.00', NULL, NULL, NULL, ?,"
            " 'r1', 'r1')",
            [("A", None), ("B", None), ("C", "2026-01-01T00:00:00+00:00")],
        )
        db.execute("PRAGMA user_version = 1")
        db.commit()


@pytest.mark.fault("S10", "A store of an older version", "brought up to date, with what it holds")
def test_older_schema(site):
    """
    S10: a store of an older version is brought up to date, with what it holds.
    """
    version_one(site.path)

    assert set(site.shelf) == {"A", "B"}
    counts = peek(site.store).mirror.counts()
    assert (counts.present, counts.missing) == (2, 1)
    (gone,) = [it for it in peek(site.store).mirror.items(missing=True) if it.missing_since]
    assert (gone.decision, gone.page, gone.old_price) == (None, None, None)


KILLED_MIGRATION = """
import os, signal, sys
from conexxus_sync.stores.sqlite import _migrations
from conexxus_sync.stores.sqlite import SqliteStore

path, fatal = sys.argv[1], int(sys.argv[2])
seen, migrations = [], _migrations._migrations()

class Killed(tuple):
    def __iter__(self):
        for statement in super().__iter__():
            seen.append(statement)
            if len(seen) == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            yield statement

_migrations._migrations = lambda: tuple(map(Killed, migrations))
with SqliteStore(path).at("loc-001").read():
    print(len(seen))
"""


def killed_migration(path, fatal):
    command = [sys.executable, "-c", KILLED_MIGRATION, str(path), str(fatal)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.fault("S10", "Killed at any statement of a migration", "it is done again")
def test_killed_in_a_migration(site, tmp_path, new_site):
    """
    S10: a migration that is killed is done again, from where the last whole
    one ended.
    """
    version_one(tmp_path / "whole.db")
    total = int(killed_migration(tmp_path / "whole.db", 0))

    for fatal in range(1, total + 1, 3):
        path = tmp_path / f"killed{fatal}.db"
        version_one(path)
        assert killed_migration(path, fatal) == ""

        other = new_site(path=path)
        assert set(other.shelf) == {"A", "B"}
        assert other.pull(OLD).status is RunStatus.SUCCESS
