"""
A store that belongs to another user.
"""

import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conexxus_sync import StoreError
from conexxus_sync.stores.sqlite import SqliteStore


DATABASES = ("sqlite",)

NOBODY = 65534

pytestmark = [
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
    ),
    pytest.mark.usefixtures("stores_from_nothing"),
]


@pytest.fixture
def path():
    """
    In a folder that everybody may use.
    """
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder) / "conexxus.db"


@contextmanager
def nobody():
    """
    As another user, until the end of the block.
    """
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def touch(path):
    with SqliteStore(path).at("loc-001").read():
        pass


@pytest.mark.case(
    "D5",
    "the store, its log or its folder belongs to root, and the service runs as another user",
    "the error names the file, both users and the command that gives it away",
)
@pytest.mark.parametrize("kept", ["conexxus.db", "conexxus.db-wal", "."])
def test_store_of_root(path, kept):
    touch(path)
    with closing(sqlite3.connect(path)) as other:
        # With another connection, the log stays.
        other.execute("BEGIN")
        other.execute("SELECT * FROM runs").fetchall()
        for end in ("", "-wal", "-shm"):
            os.chown(f"{path}{end}", NOBODY, NOBODY)
        denied = path.parent / kept
        os.chown(denied, 0, 0)
        denied.chmod(0o700)
        with nobody(), pytest.raises(StoreError) as caught:
            touch(path)

    assert f"{denied} belongs to root, and this process runs as nobody" in str(caught.value)
    given = denied if denied.is_dir() else f"{path}*"
    assert f"`chown nobody {given}` as root" in str(caught.value)


def test_new_store_in_a_folder_of_root(path):
    path.parent.chmod(0o755)

    with nobody(), pytest.raises(StoreError, match=r"can't be opened.* belongs to root"):
        touch(path)
