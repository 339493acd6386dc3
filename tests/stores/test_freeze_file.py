"""
Facts about the file beside a store while more than one process writes it.
"""

import fcntl
import json
import os

import pytest

from conexxus_sync import StoreError
from conexxus_sync.stores import _freeze_file
from conexxus_sync.stores._freeze_file import FreezeFile


@pytest.fixture
def file(tmp_path):
    return FreezeFile(tmp_path / "conexxus.db.freeze")


def test_one_process_writes_at_a_time(file, monkeypatch):
    """
    From the reading of the numbers to the new file, no other process writes.
    """
    dump, refused = json.dump, []

    def attempted(*arguments):
        folder = os.open(file.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            refused.append(exc)
        finally:
            os.close(folder)
        dump(*arguments)

    monkeypatch.setattr(_freeze_file.json, "dump", attempted)

    file.write("loc-001", 1)
    file.write("loc-002", 1)

    assert len(refused) == 2
    assert file.numbers() == {"loc-001": 1, "loc-002": 1}


def test_a_number_that_comes_late(file):
    """
    Of two processes that counted, the first may write last: the file keeps the
    higher number, and another location's is its own.
    """
    file.write("loc-001", 2)
    file.write("loc-002", 1)
    file.write("loc-001", 1)

    assert file.numbers() == {"loc-001": 2, "loc-002": 1}


@pytest.fixture
def as_another():
    """
    Act as a user who owns nothing here.
    """
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    yield
    if user == 0:
        os.seteuid(user)


def test_file_of_another_user(file, request):
    """
    A file that may not be read is not taken for a missing one.
    """
    file.write("loc-001", 1)
    file.path.chmod(0)
    request.getfixturevalue("as_another")

    with pytest.raises(StoreError, match=r"can't be read: Permission denied\. It shows whether"):
        file.numbers()
