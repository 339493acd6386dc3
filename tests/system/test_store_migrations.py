"""
A store of an older version, and migrations that are killed.
"""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from conexxus_sync import RunStatus, stores
from conexxus_sync.stores.sqlite import SqliteStore, _migrations
from peeks import peek

from .kill_steps import in_child
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


class Killed(tuple):
    """
    A migration that ends the process at its *fatal*-th statement.
    """

    seen, fatal = 0, None

    def __iter__(self):
        for statement in super().__iter__():
            Killed.seen += 1
            if Killed.seen == Killed.fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            yield statement


def migrate(path):
    with SqliteStore(path).at("loc-001").read():
        pass


@pytest.mark.fault("S10", "Killed at any statement of a migration", "it is done again")
def test_killed_in_a_migration(tmp_path, new_site, monkeypatch):
    """
    S10: a migration that is killed is done again, from where the last whole
    one ended.
    """
    migrations = tuple(map(Killed, _migrations._migrations()))
    monkeypatch.setattr(_migrations, "_migrations", lambda: migrations)
    monkeypatch.setattr(Killed, "seen", 0)
    version_one(tmp_path / "whole.db")
    migrate(tmp_path / "whole.db")
    total = Killed.seen

    for fatal in range(1, total + 1, 3):
        path = tmp_path / f"killed{fatal}.db"
        version_one(path)
        monkeypatch.setattr(Killed, "seen", 0)
        monkeypatch.setattr(Killed, "fatal", fatal)
        assert in_child(lambda path=path: migrate(path)) == signal.SIGKILL
        monkeypatch.setattr(Killed, "fatal", None)

        other = new_site(path=path)
        assert set(other.shelf) == {"A", "B"}
        assert other.pull(OLD).status is RunStatus.SUCCESS
