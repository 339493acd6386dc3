"""
Facts about copies of a store: made while it is used, put back, and checked.
"""

import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from store_logs import killed, priced, prices, pull, put, shm, used, wal

from conexxus_client import ConfigurationError
from conexxus_sync import StoreError
from conexxus_sync.stores.sqlite import SqliteStore, _migrations, copies, freeze_file
from conexxus_sync.stores.sqlite.copies import back_up, check, restore


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)


@pytest.fixture
def backup(tmp_path):
    return tmp_path / "copies" / "backup.db"


@pytest.fixture(autouse=True)
def folder(backup):
    backup.parent.mkdir()
    return backup.parent


def insert(path, statement):
    with SqliteStore(path).at("loc-001").write() as state:
        state.session.execute(statement)


SALES = "INSERT INTO sales_floors (location, since, recorded_at) VALUES ('loc-001', '', '')"


@pytest.mark.case(
    "E3",
    "`conexxus store backup` copies a store while another process writes to it",
    "The copy is one state, complete in one file, for its owner alone",
)
def test_backup_of_a_store_in_use(site, new_site, backup, monkeypatch):
    """
    What is committed while pages are copied is not in the copy.
    """
    monkeypatch.setattr(copies, "_PAGES_AT_ONCE", 8)
    seen = []

    def write(done, total):
        if not seen:
            pull(site, priced(2))
        seen.append((done, total))

    pull(site, priced(9))
    with used(site.path):
        pull(site, priced(1))
        back_up(site.path, backup, progress=write)
        assert prices(site) == {2}

    assert [file.name for file in backup.parent.iterdir()] == ["backup.db"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert prices(new_site(path=backup)) == {1}
    assert len(seen) > 3
    assert seen[-1][0] == seen[-1][1]


def test_backup_overwrites_nothing_unasked(site, backup):
    """
    Neither a file nor a log of one; asked to, it replaces both.
    """
    pull(site, priced(1))
    wal(backup).write_text("of something else")

    with pytest.raises(
        ConfigurationError, match=r"backup\.db-wal: name another one, or say --over"
    ):
        back_up(site.path, backup)
    backup.write_text("precious")
    with pytest.raises(ConfigurationError, match="say --overwrite"):
        back_up(site.path, backup)
    assert backup.read_text() == "precious"

    back_up(site.path, backup, overwrite=True)

    assert [file.name for file in backup.parent.iterdir()] == ["backup.db"]
    assert check(backup).problems == ()


def test_store_is_no_copy_of_itself(site, backup):
    """
    Not by way of a link either.
    """
    pull(site, priced(1))
    backup.symlink_to(site.path)

    for work in (back_up, restore):
        with pytest.raises(ConfigurationError, match="is the store itself"):
            work(site.path, backup, overwrite=True)


def test_interrupted_backup_leaves_nothing(site, backup):
    """
    Whatever ends it, the file that is replaced stays as it was.
    """
    pull(site, priced(1))
    backup.write_text("precious")

    def interrupted(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(site.path, backup, overwrite=True, progress=interrupted)

    assert [file.name for file in backup.parent.iterdir()] == ["backup.db"]
    assert backup.read_text() == "precious"


def test_backup_without_a_folder(site, tmp_path):
    """
    The message names the file.
    """
    pull(site, priced(1))

    with pytest.raises(StoreError, match=r"nowhere/backup\.db.* can't be written: No such file"):
        back_up(site.path, tmp_path / "nowhere" / "backup.db")


def test_backup_is_of_the_same_version(tmp_path, backup, monkeypatch):
    """
    A copy that is made before an upgrade can be used after going back.
    """
    path = tmp_path / "conexxus.db"
    earlier = _migrations._migrations()[:15]
    with monkeypatch.context() as patch:
        patch.setattr(_migrations, "_migrations", lambda: earlier)
        with SqliteStore(path).at("loc").read():
            pass

    back_up(path, backup)

    assert (check(path).schema_version, check(backup).schema_version) == (15, 15)
    restore(backup, path, overwrite=True)
    with SqliteStore(path).at("loc").read() as state:
        assert state.session.execute("PRAGMA user_version").fetchone() == (
            _migrations.latest_version(),
        )


@pytest.mark.case(
    "E3",
    "`conexxus store restore` puts a backup beside the `-wal` of a later state",
    "The log is removed, and the mirror holds the prices of the backup alone",
)
@pytest.mark.parametrize("has_log", [False, True])
def test_restore(site, backup, tmp_path, has_log):
    """
    Whether the store was closed in order, killed, or mixed already.
    """
    pull(site, priced(1))
    back_up(site.path, backup)
    pull(site, priced(2))
    third = killed(site, priced(3), tmp_path / "killed")
    put(site, backup if has_log else third, third)

    restore(backup, site.path, overwrite=True)

    assert not any(file.exists() for file in (wal(site.path), shm(site.path)))
    assert stat.S_IMODE(site.path.stat().st_mode) == 0o600
    assert prices(site) == {1}
    assert backup.exists()


def test_restore_replaces_nothing_unasked(site, backup):
    """
    Neither a store, nor the log of one.
    """
    pull(site, priced(1))
    back_up(site.path, backup)

    with pytest.raises(ConfigurationError, match=r"conexxus\.db: name another one, or say --over"):
        restore(backup, site.path)
    site.path.unlink()
    wal(site.path).write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"conexxus\.db-wal"):
        restore(backup, site.path)
    wal(site.path).unlink()

    restore(backup, site.path)
    assert prices(site) == {1}


@pytest.mark.case(
    "E3",
    "`conexxus store restore` finds the store open in another process",
    "It exits with 1 and changes nothing",
)
@pytest.mark.parametrize("statement", ["SELECT 1", "BEGIN IMMEDIATE"])
def test_restore_of_a_store_in_use(site, backup, monkeypatch, statement):
    """
    An open connection is enough.
    """
    monkeypatch.setattr(copies, "HASTY_TIMEOUT_S", 0.05)
    pull(site, priced(1))
    back_up(site.path, backup)
    pull(site, priced(2))

    with used(site.path) as other:
        other.execute(statement)
        with pytest.raises(StoreError, match="another process uses the store"):
            restore(backup, site.path, overwrite=True)

    assert prices(site) == {2}
    assert not freeze_file(site.path).exists()


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("a list" * 999)])
def test_restore_over_a_damaged_store(site, backup, tmp_path, spoil):
    """
    What is there need not be a database, nor be there at all: its log goes.
    """
    pull(site, priced(1))
    back_up(site.path, backup)
    pull(site, priced(2))
    third = killed(site, priced(3), tmp_path / "killed")
    put(site, third, third)
    spoil(site.path)

    restore(backup, site.path, overwrite=True)

    assert not wal(site.path).exists()
    assert prices(site) == {1}


def test_failed_restore_over_a_mixed_store(site, backup, tmp_path):
    """
    The file is not mixed with the log of another one, not even to be replaced.
    """
    pull(site, priced(1))
    insert(site.path, SALES)
    back_up(site.path, backup)
    pull(site, priced(2))
    put(site, backup, killed(site, priced(3), tmp_path / "killed"))
    freeze_file(site.path).mkdir()

    with pytest.raises(StoreError, match="can't be written"):
        restore(backup, site.path, overwrite=True)

    assert prices(site) == {1}


def test_link_to_the_store_stays(site, backup, tmp_path):
    """
    The file behind it is replaced, and the file of freezes lies beside that.
    """
    pull(site, priced(1))
    insert(site.path, SALES)
    back_up(site.path, backup)
    link = tmp_path / "link.db"
    link.symlink_to(site.path)

    restore(backup, link, overwrite=True)

    assert link.is_symlink()
    assert freeze_file(site.path).exists()


@pytest.mark.parametrize("beside", [None, 0, 7])
def test_restored_store_is_behind_its_file(site, backup, beside):
    """
    Whatever the file counts, the store counts less, of each location with sales.
    """
    pull(site, priced(1))
    insert(site.path, SALES)
    insert(site.path, "INSERT INTO sales_freezes VALUES ('loc-001', 3)")
    back_up(site.path, backup)
    store = SqliteStore(site.path).at("loc-001")
    if beside is not None:
        store.freeze_file.write("loc-001", beside)

    assert restore(backup, site.path, overwrite=True) == ("loc-001",)

    with store.read() as state:
        assert state.freezes.numbers().is_behind
    assert store.freeze_file.numbers() == {"loc-001": max(4, beside or 0)}


def test_location_without_sales_does_not_wait(site, backup):
    """
    There is nothing to adopt.
    """
    pull(site, priced(1))
    back_up(site.path, backup)

    assert restore(backup, site.path, overwrite=True) == ()
    assert not freeze_file(site.path).exists()


def test_file_of_freezes_that_cannot_be_written(site, backup):
    """
    A restored store that would not be noticed is not put in place.
    """
    pull(site, priced(1))
    insert(site.path, SALES)
    back_up(site.path, backup)
    pull(site, priced(2))
    freeze_file(site.path).mkdir()

    with pytest.raises(StoreError, match="can't be written, by which a restored store is noticed"):
        restore(backup, site.path, overwrite=True)

    assert prices(site) == {2}


def damage(path):
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)


def other_program(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA application_id = 7")


def newer(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")


def emptied(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("a shopping list, long enough to be no empty database" * 99)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (damage, "damaged|malformed"),
        (other_program, "no store of conexxus-sdk: application id 7"),
        (newer, "schema version 999, this conexxus-sdk reads"),
        (emptied, "no store of conexxus-sdk: application id 0, schema version 0"),
        (text, "file is not a database"),
    ],
)
def test_unsound_backup_is_not_restored(site, backup, spoil, problem):
    """
    A check names what is wrong, and the store stays as it is.
    """
    pull(site, priced(1))
    back_up(site.path, backup)
    pull(site, priced(2))
    spoil(backup)

    with pytest.raises(StoreError, match=rf"is not restored.*({problem})"):
        restore(backup, site.path, overwrite=True)

    assert any(re.search(problem, it) for it in check(backup).problems)
    assert prices(site) == {2}


def test_mixed_store_is_no_sound_one(site, backup, tmp_path):
    """
    To check a file beside the log of another one changes neither.
    """
    pull(site, priced(1))
    back_up(site.path, backup)
    pull(site, priced(2))
    third = killed(site, priced(3), tmp_path / "killed")
    put(site, backup, third)
    before = site.path.read_bytes(), wal(site.path).read_bytes()

    (problem,) = check(site.path).problems

    assert "of another state of it" in problem
    assert (site.path.read_bytes(), wal(site.path).read_bytes()) == before


def test_check_counts(site, new_site):
    """
    Items, delivered sales and batches of each location.
    """
    pull(site, priced(1, count=3))
    new_site(path=site.path, location_id="loc-002").pull(priced(1, count=2))

    found = check(site.path)

    assert found.problems == ()
    assert (found.application_id, found.schema_version) == (
        0x434E5853,
        _migrations.latest_version(),
    )
    assert [(it.location_id, it.items, it.sales, it.batches) for it in found.locations] == [
        ("loc-001", 3, 0, 0),
        ("loc-002", 2, 0, 0),
    ]


def test_check_leaves_no_files(site, backup):
    """
    A backup beside which nothing may appear is looked at, and that is all.
    """
    pull(site, priced(1))
    back_up(site.path, backup)
    before = backup.read_bytes()

    check(backup)

    assert [file.name for file in backup.parent.iterdir()] == ["backup.db"]
    assert backup.read_bytes() == before
