"""
Facts about a log that lies beside another file than the one that it was written for.
"""

import os
import shutil
import sqlite3
import threading
from contextlib import closing

import pytest
from store_logs import killed, priced, prices, pull, put, used, wal

from conexxus_sync import RunStatus, StoreError
from conexxus_sync.model.alerts import AlertName
from conexxus_sync.stores.sqlite import SqliteStore, _wal_generation
from peeks import peek


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)


@pytest.fixture
def generations(site, tmp_path):
    """
    Backups of three generations of prices; that of the last one has a log.
    """
    pull(site, priced(1))
    first = tmp_path / "first.db"
    shutil.copy(site.path, first)
    pull(site, priced(2))
    second = tmp_path / "second.db"
    shutil.copy(site.path, second)
    third = killed(site, priced(3), tmp_path / "killed")
    return first, second, third


@pytest.mark.case(
    "E3",
    "A backup is copied beside the `-wal` that a killed process left",
    "Nothing is read or written, and the error names the log and what to do",
)
def test_backup_beside_a_later_log(site, generations):
    """
    The file is older than what the log goes on with.
    """
    first, _, third = generations
    put(site, first, third)
    before = site.path.read_bytes(), wal(site.path).read_bytes()

    with pytest.raises(StoreError, match=r"-wal beside it is of another state") as caught:
        prices(site)

    assert "conexxus store restore BACKUP --overwrite" in str(caught.value)
    assert (site.path.read_bytes(), wal(site.path).read_bytes()) == before
    wal(site.path).unlink()
    assert prices(site) == {1}


@pytest.mark.case(
    "E3",
    "A newer file is put beside an older `-wal`",
    "It is noticed just the same",
)
def test_file_beside_an_earlier_log(site, generations):
    """
    The log is older than the file.
    """
    _, _, third = generations
    put(site, third, third)
    pull(site, priced(4))
    fourth = site.path.with_name("fourth.db")
    shutil.copy(site.path, fourth)
    put(site, fourth, third)

    with pytest.raises(StoreError, match="of another state"):
        prices(site)


@pytest.mark.case(
    "E3",
    "The file of another store is put beside a `-wal`",
    "It is noticed just the same",
)
def test_another_store(site, new_site, generations, tmp_path):
    """
    Marks of two stores are never the same.
    """
    other = new_site(path=tmp_path / "other.db")
    pull(other, priced(9))
    put(site, other.path, generations[2])

    with pytest.raises(StoreError, match="of another state"):
        prices(site)


@pytest.mark.case(
    "E3",
    "A backup that was used elsewhere is put back beside a `-wal` that went on from it",
    "It is noticed, though both have the same number of changes",
)
def test_backup_that_went_on_elsewhere(site, new_site, generations, tmp_path):
    """
    The log goes on with the file as it was, not as it is now.
    """
    _, second, third = generations
    elsewhere = new_site(path=tmp_path / "elsewhere.db")
    put(elsewhere, second)
    pull(elsewhere, priced(9))
    put(site, elsewhere.path, third)

    with pytest.raises(StoreError, match="of another state"):
        prices(site)


@pytest.mark.case(
    "E3",
    "A backup is copied over the file while a connection keeps the log",
    "The next opening notices it, also in a process that opened the store before",
)
def test_file_that_is_overwritten_in_place(site, generations):
    """
    What was compared before is compared again once the file has changed.
    """
    first, _, _ = generations
    with used(site.path):
        pull(site, priced(5))
        assert prices(site) == {5}
        with first.open("rb") as source, site.path.open("r+b") as target:
            shutil.copyfileobj(source, target)
            target.truncate()

        with pytest.raises(StoreError, match="of another state"):
            prices(site)


@pytest.mark.case(
    "E3",
    "Service and health find a store that was mixed from a backup and a `-wal`",
    "A pull writes nothing, and health names the log under `store_unusable`",
)
def test_health_names_the_log(shop):
    """
    It is the text of the alert, too.
    """
    path = shop.service.store.database.path
    shop.service.sync_inventory()
    first = path.with_name("first.db")
    shutil.copy(path, first)
    shop.service.sync_inventory()
    with used(path):
        shop.service.sync_inventory()
        log = wal(path).read_bytes()
    shutil.copy(first, path)
    wal(path).write_bytes(log)

    with pytest.raises(StoreError, match="of another state"):
        shop.service.sync_inventory()
    health = shop.service.health()

    assert AlertName.STORE_UNUSABLE in {alert.name for alert in health.alerts}
    assert f"{wal(path)} beside it" in health.last_error


def test_log_that_a_kill_left(site, generations):
    """
    File and log of one state are read together.
    """
    put(site, generations[2], generations[2])

    assert prices(site) == {3}
    assert pull(site, priced(4)).status is RunStatus.SUCCESS


def test_log_that_goes_on_with_the_file(site, generations):
    """
    A file to which nothing of the log was copied yet is no other file.
    """
    _, second, third = generations
    put(site, second, third)

    assert prices(site) == {3}


def test_part_of_the_log_is_in_the_file(site, tmp_path):
    """
    A log that was copied to the file, wholly or partly, still belongs to it.
    """
    pull(site, priced(1))

    with used(site.path) as other:
        pull(site, priced(2))
        other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        copied = tmp_path / "copied.db"
        shutil.copy(site.path, copied)
        # A reader keeps the log from beginning anew.
        other.execute("BEGIN")
        other.execute("SELECT * FROM runs").fetchall()
        pull(site, priced(3))
        shutil.copy(wal(site.path), wal(copied))
        other.execute("ROLLBACK")

    put(site, copied, copied)
    assert prices(site) == {3}


@pytest.mark.parametrize("version", [16, 0])
def test_store_that_was_upgraded_in_its_log(tmp_path, monkeypatch, version):
    """
    A file without a mark, and the log of the transactions that made it.
    """
    path, copy = tmp_path / "conexxus.db", tmp_path / "copy.db"
    with monkeypatch.context() as patch:
        migrations = _wal_migrations()
        patch.setattr(_sqlite_migrations(), "_migrations", lambda: migrations[:version])
        if version:
            with SqliteStore(path).at("loc").read():
                pass
        else:
            with closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA user_version = 0")

    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM sqlite_schema").fetchall()
        with SqliteStore(path).at("loc").write() as state:
            state.session.execute("INSERT INTO hosts VALUES ('loc', 1, 1)")
        shutil.copy(path, copy)
        shutil.copy(wal(path), wal(copy))

    with SqliteStore(copy).at("loc").read() as state:
        assert state.session.execute("SELECT count(*) FROM hosts").fetchone() == (1,)


def _sqlite_migrations():
    from conexxus_sync.stores.sqlite import _migrations

    return _migrations


def _wal_migrations():
    return _sqlite_migrations()._migrations()


def test_other_programs_write(site):
    """
    A transaction that changes no mark makes no other file of it.
    """
    pull(site, priced(1))

    with used(site.path) as other:
        with other:
            other.execute("UPDATE runs SET planned = planned")
        assert prices(site) == {1}
        assert pull(site, priced(2)).status is RunStatus.SUCCESS
        assert prices(site) == {2}


def test_deleted_store_beside_its_log(site, generations):
    """
    SQLite deletes the log of an empty file: a new store begins.
    """
    put(site, generations[2], generations[2])
    site.path.unlink()

    assert prices(site) == set()


def test_link_to_a_store(site, generations, tmp_path):
    """
    The log lies beside the file to which a link leads.
    """
    put(site, generations[0], generations[2])
    link = tmp_path / "links" / "conexxus.db"
    link.parent.mkdir()
    link.symlink_to(site.path)

    with pytest.raises(StoreError, match=rf"{wal(site.path)} beside it"):
        peek(SqliteStore(link).at("loc-001")).mirror.counts()


def test_log_that_begins_anew_while_it_is_read(site, generations, monkeypatch):
    """
    A difference that is seen once may be the work of another process.
    """
    first, _, third = generations
    put(site, third, third)
    marks = _wal_generation._mark_of_file
    found = [marks(str(first))]
    monkeypatch.setattr(
        _wal_generation, "_mark_of_file", lambda real: found.pop() if found else marks(real)
    )

    assert prices(site) == {3}


@pytest.mark.parametrize("follows", [True, False])
def test_log_that_ends_while_it_is_read(site, generations, monkeypatch, follows):
    """
    Another process closed the file meanwhile, and perhaps began another log.
    """
    first, _, third = generations
    put(site, first, third)
    marks, looks = _wal_generation._mark_of_file, []

    def ended(real):
        looks.append(real)
        if len(looks) == 1:
            wal(site.path).unlink()
        if len(looks) == 2 and follows:
            put(site, third, third)
        return marks(real)

    monkeypatch.setattr(_wal_generation, "_mark_of_file", ended)

    assert prices(site) == ({3} if follows else {1})


def test_log_is_compared_once(site, monkeypatch):
    """
    What was found to belong together is not read again.
    """
    pull(site, priced(1))
    seen = []
    marks = _wal_generation._mark_of_file
    monkeypatch.setattr(
        _wal_generation, "_mark_of_file", lambda real: seen.append(real) or marks(real)
    )

    with used(site.path) as other:
        with other:
            other.execute("UPDATE runs SET planned = planned")
        for _ in range(3):
            prices(site)

    assert seen == [os.fspath(site.path)]


def test_mark_changes_with_what_is_written(site):
    """
    A unit of work that changes nothing flushes nothing.
    """

    def mark():
        with site.store.read() as state:
            return state.session.execute("SELECT earlier, latest FROM store_generation").fetchone()

    before = mark()
    with site.store.write():
        pass
    assert mark() == before

    with site.store.write() as state:
        state.session.execute("INSERT INTO hosts VALUES ('loc', 1, 1)")
    earlier, latest = mark()
    assert earlier == before[1] != latest


def test_log_of_a_file_that_is_open_here_is_not_compared(site, monkeypatch):
    """
    A run opens more than one connection: the log is the one that it makes.
    """
    pull(site, priced(1))
    seen = []
    monkeypatch.setattr(_wal_generation, "_mark_of_file", seen.append)

    with site.store.keep_open():
        pull(site, priced(2))
        assert wal(site.path).stat().st_size > 0
        with site.store.database.read(apart=True):
            pass

    assert seen == []


def test_file_that_lacks_pages_of_its_log(site, tmp_path):
    """
    A disk that was full stops the copying of the log somewhere: the file's header
    names pages that are not there yet.
    """
    pull(site, priced(1))

    with used(site.path) as other:
        before = site.path.read_bytes()
        pull(site, priced(2, count=3000))
        log = wal(site.path).read_bytes()
        other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        after = site.path.read_bytes()
    copied = tmp_path / "copied.db"
    copied.write_bytes(after[:4096] + before[4096:])
    wal(copied).write_bytes(log)

    put(site, copied, copied)

    assert len(site.shelf) == 3000


@pytest.mark.parametrize(
    "number", [*range(3), *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 8))]
)
def test_processes_that_open_and_close_it(tmp_path, number):
    """
    The last process that closes the store copies and deletes its log: what others see of
    that is no other store's log.
    """
    errors = []

    def use(thread):
        # Of its own, as another process has it.
        store = SqliteStore(tmp_path / "store.db").at("loc-001")
        try:
            for step in range(60):
                if (step + thread) % 3 == 0:
                    with store.write() as state:
                        state.freezes.advance()
                else:
                    with store.read() as state:
                        state.runs.history()
        except StoreError as exc:
            errors.append(str(exc))

    threads = [threading.Thread(target=use, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
