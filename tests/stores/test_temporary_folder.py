"""
Temporary files lie beside the store.
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from conexxus_sync import StoreError
from conexxus_sync.stores.sqlite import SqliteStore, _sqlite_database
from conexxus_sync.stores.sqlite._error_advice import explained


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


DATABASES = ("sqlite",)

# SQLite has one folder for a process: each of these has a process of its own.
PROGRAM = """
import os, sqlite3, sys
from conexxus_sync.stores.sqlite import SqliteStore

path, host_choice = sys.argv[1:]
if host_choice:
    sqlite3.connect(":memory:").execute(f"PRAGMA temp_store_directory = '{host_choice}'")
with SqliteStore(path).at("loc-001").read() as state:
    state.session.execute("PRAGMA temp.cache_size = 1")
    state.session.execute("CREATE TEMP TABLE large AS SELECT randomblob(1000000) AS bytes")
    for number in os.listdir("/proc/self/fd"):
        try:
            name = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if "etilqs" in name:
            print(os.path.dirname(name))
"""


def folder_of(path, *, host_choice="", **variables):
    """
    Where a process that opens the store at *path* has its temporary file.
    """
    env = {name: it for name, it in os.environ.items() if name != "SQLITE_TMPDIR"}
    command = [sys.executable, "-c", PROGRAM, str(path), str(host_choice)]
    ended = subprocess.run(
        command, env=env | variables, capture_output=True, text=True, check=True, timeout=60
    )
    return ended.stdout.strip()


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.case(
    "D4",
    "a catalogue needs temporary files, and the system's folder for them is full or read-only",
    "they lie beside the store",
)
@pytest.mark.parametrize("name", ["plain", "o'clock"])
def test_beside_the_store(tmp_path, name):
    (folder := tmp_path / name).mkdir()

    assert folder_of(folder / "conexxus.db") == str(folder)


@needs_proc
def test_a_host_that_chose_a_folder(tmp_path):
    """
    By variable or statement: its choice stays.
    """
    (chosen := tmp_path / "chosen").mkdir()
    path = tmp_path / "conexxus.db"

    assert folder_of(path, SQLITE_TMPDIR=str(chosen)) == str(chosen)
    assert folder_of(path, host_choice=chosen) == str(chosen)


@pytest.mark.case(
    "D4",
    "there is no folder for temporary files",
    "the error says so, and does not speak of the store's disk",
)
def test_no_folder_is_named():
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_GETTEMPPATH"

    said = explained(Path("conexxus.db"), error)

    assert "no folder for temporary files of the store conexxus.db" in said
    assert "SQLITE_TMPDIR" in said
    assert "disk" not in said


def test_temporary_file_is_tried(tmp_path, monkeypatch):
    """
    What fails with it is a failure of the store.
    """
    database = SqliteStore(tmp_path / "conexxus.db").database
    database.try_temporary_file()
    monkeypatch.setattr(_sqlite_database, "try_temporary_file", lambda it: it.execute("NONSENSE"))

    with pytest.raises(StoreError):
        database.try_temporary_file()
