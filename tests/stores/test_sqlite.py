"""
The SDK's own state in one SQLite file, and how it fails.
"""

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from conexxus_client import ConfigurationError
from conexxus_sync import RunKind, RunStatus, StoreError, SyncRun, open_store
from conexxus_sync.stores.sqlite import SqliteStore, _migrations
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
from peeks import peek


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "conexxus.db"


def store_at(path):
    return SqliteStore(path).at("loc")


def touch(store):
    with store.write():
        pass


def test_url(path):
    """
    Three slashes, then the path.
    """
    assert open_store(f"sqlite:///{path}").path == path
    assert str(open_store("sqlite:///conexxus.db").path) == "conexxus.db"


@pytest.mark.parametrize("url", ["sqlite:///", "mysql://x"])
def test_other_urls(url):
    """
    What can't be spoken yet is a question of configuration.
    """
    with pytest.raises(ConfigurationError, match="sqlite:///"):
        open_store(url)


def test_nothing_is_created_before_it_is_needed(path):
    """
    To name a store does not make it.
    """
    open_store(f"sqlite:///{path}")

    assert not path.exists()


def test_files_are_for_their_owner(path):
    """
    Nobody else reads what was sold, whatever the umask.
    """
    before = os.umask(0)
    try:
        store = store_at(path)
        with store.write() as state:
            state.session.execute("DELETE FROM runs")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert modes == {f"conexxus.db{end}": 0o600 for end in ("", "-wal", "-shm")}


@pytest.mark.case(
    "E14", "the store is a link that leads nowhere", "the file is made with mode 0600"
)
def test_link_that_leads_nowhere(path, tmp_path):
    (folder := tmp_path / "elsewhere").mkdir()
    path.symlink_to(folder / "real.db")
    before = os.umask(0)
    try:
        touch(store_at(path))
    finally:
        os.umask(before)

    assert stat.S_IMODE((folder / "real.db").stat().st_mode) == 0o600


def test_durability(path):
    """
    Every commit is on the disk before anything depends on it.
    """
    with store_at(path).read() as state:
        assert state.session.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert state.session.execute("PRAGMA synchronous").fetchone() == (2,)
        assert state.session.execute("PRAGMA busy_timeout").fetchone() == (10_000,)


def test_all_or_nothing(path):
    """
    A unit of work that raises leaves nothing.
    """
    store = store_at(path)

    with pytest.raises(StoreError), store.write() as state:
        state.session.execute("INSERT INTO hosts VALUES ('loc', 1, 1), ('loc', 1, 1)")

    with store.read() as state:
        assert state.session.execute("SELECT count(*) FROM hosts").fetchone() == (0,)


def test_one_writer(path):
    """
    From its first moment on, a transaction keeps others from writing: what it
    has read stays true until it ends.
    """
    store = store_at(path)
    touch(store)

    with (
        closing(sqlite3.connect(path, timeout=0)) as other,
        store.write(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_every_table_has_the_location_in_its_key(path):
    """
    From the first day; only what is of the whole store is of no location.
    """
    with store_at(path).read() as state:
        tables = state.session.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            if table in ("store_generation", "store_moves"):
                continue
            keys = [
                {
                    row[2]
                    for row in state.session.execute(f"PRAGMA index_info({index[1]})").fetchall()
                }
                for index in state.session.execute(f"PRAGMA index_list({table})").fetchall()
                if index[2]
            ]
            assert any("location" in key for key in keys), table


def test_newer_schema_is_refused(path):
    """
    A store that a newer version made is not touched.
    """
    touch(store_at(path))
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")

    with pytest.raises(StoreError, match=rf"{path} has schema version 999.*upgrade"):
        touch(store_at(path))


def test_broken_migration_leaves_nothing(path, monkeypatch):
    """
    A migration is one transaction.
    """
    monkeypatch.setattr(
        _migrations, "_migrations", lambda: (("CREATE TABLE a (x)", "CREATE TABLE a (x)"),)
    )

    with pytest.raises(StoreError):
        touch(store_at(path))

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        assert db.execute("PRAGMA user_version").fetchone() == (0,)


@pytest.mark.parametrize("again", [False, True], ids=["deleted", "replaced"])
def test_file_that_is_deleted_in_use(site, again):
    """
    A pull into a file that is no longer there is no success.
    """

    def delete(step):
        if step == "read":
            for file in site.path.parent.iterdir():
                file.unlink()
            if again:
                touch(store_at(site.path))

    run = site.pull([{"sku": "A", "name": "a", "price": 1}], failpoint=delete)

    assert (run.status, run.created) == (RunStatus.FAILED, 0)
    assert "was deleted or replaced" in run.last_error
    assert site.pull().created == 1


def test_no_database(path):
    """
    Another file is not overwritten.
    """
    path.write_text("a shopping list, long enough to be no empty database" * 9)

    with pytest.raises(StoreError, match="check CONEXXUS_STORE"):
        touch(store_at(path))

    assert path.read_text().startswith("a shopping list")


def test_no_folder(tmp_path):
    """
    Where it can't be created, it says so.
    """
    with pytest.raises(StoreError, match=r"can't be created: No such file.*CONEXXUS_STORE"):
        touch(store_at(tmp_path / "nowhere" / "conexxus.db"))


def test_corrupt_file(path):
    """
    A damaged file is reported as one.
    """
    touch(store_at(path))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (size - 100))

    with pytest.raises(StoreError, match="backup"):
        touch(store_at(path))


class SmallDisk(SqliteDatabase):
    """
    A database that has room for so many pages.
    """

    pages = 0

    def _connect(self):
        connection = super()._connect()
        connection.execute(f"PRAGMA max_page_count = {self.pages}")
        return connection


def test_full_disk(site):
    """
    A pull that finds no room changes nothing, and says what to do.
    """
    catalog = [{"sku": f"S{n}", "name": "x" * 200, "price": 1} for n in range(500)]
    site.pull(catalog[:10])
    before = site.dump("items", "checkpoints")
    small = SmallDisk(site.path)
    roomy, site.store = site.store, SqliteStore(site.path, database=small).at("loc-001")
    with site.store.read() as state:
        (small.pages,) = state.session.execute("PRAGMA page_count").fetchone()

    run = site.pull(catalog)

    site.store = roomy
    assert site.dump("items", "checkpoints") == before
    assert "Free space" in run.last_error
    assert site.pull(catalog).created == 490


def test_store_survives_a_fork(path):
    """
    Parent and child share the store, not a connection.
    """
    store = store_at(path)
    touch(store)
    code = 7

    child = os.fork()
    if child == 0:
        with store.write() as state:
            state.session.execute("INSERT INTO hosts VALUES ('child', 1, 1)")
        os._exit(code)

    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == code
    with store.read() as state:
        assert state.session.execute("SELECT location FROM hosts").fetchall() == [("child",)]


def test_one_glance(path):
    """
    Whoever glances sees one state, whatever is written meanwhile; other
    threads, and later questions, see the new one.
    """
    store = store_at(path)
    touch(store)

    def latest():
        return peek(store).runs.latest(RunKind.INVENTORY)

    with ThreadPoolExecutor() as elsewhere:
        with store.snapshot():
            before = latest()
            elsewhere.submit(save_run, store).result()
            during, outside = latest(), elsewhere.submit(latest).result()
        after = latest()

    assert (before, during) == (None, None)
    assert outside == after is not None


def save_run(store):
    run = SyncRun(
        id="r1",
        kind=RunKind.INVENTORY,
        location_id="loc",
        status=RunStatus.SUCCESS,
        start_time=datetime(2026, 1, 2, tzinfo=UTC),
        end_time=datetime(2026, 1, 2, tzinfo=UTC),
    )
    with store.write() as state:
        state.runs.save(run)


def test_nothing_is_written_at_a_glance(path):
    """
    A glance is for reading: to write in it fails, and changes nothing.
    """
    store = store_at(path)
    touch(store)

    with pytest.raises(StoreError), store.snapshot():
        save_run(store)

    assert peek(store).runs.latest(RunKind.INVENTORY) is None


def test_hurry_is_over_with_its_block(path, monkeypatch):
    """
    Whoever hurries does not wait for a writer; afterwards, and in other
    threads, all is as before.
    """
    monkeypatch.setattr("conexxus_sync.stores.sqlite._sqlite_database.HASTY_TIMEOUT_S", 0.01)
    store = store_at(path)
    touch(store)

    def patience():
        with store.read() as state:
            return state.session.execute("PRAGMA busy_timeout").fetchone()[0]

    with ThreadPoolExecutor() as elsewhere, store.short_timeout():
        with store.snapshot():
            pass
        hasty, outside = patience(), elsewhere.submit(patience).result()

    assert (hasty, outside, patience()) == (10, 10_000, 10_000)
