"""
A store in PostgreSQL needs no file on the machine of the service.
"""

import os
import sys

import pytest
from store_logs import priced

from conexxus_sync.model.runs import RunStatus


DATABASES = ("postgres",)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
MAKING = {"os.mkdir", "sqlite3.connect", "tempfile.mkdtemp", "tempfile.mkstemp"}

watched = []


def watch(event, arguments):
    """
    Write down what is written to while `watched` has a list.
    """
    if watched and (event in MAKING or (event == "open" and arguments[2] & WRITING)):
        watched[-1].append((event, arguments))


@pytest.fixture(scope="module", autouse=True)
def hook():
    # It can't be removed, and does nothing after these tests.
    sys.addaudithook(watch)


@pytest.mark.case(
    "D4",
    "a root that is read-only, no folder for temporary files, and a store in PostgreSQL",
    "a large catalogue is pulled: no file is written",
)
def test_no_file_is_written(site):
    """
    Neither for the store nor for what is compared.
    """
    site.pull(priced(1, count=10))
    watched.append([])

    run = site.pull(priced(2, count=8_000))
    written = watched.pop()

    assert (run.status, run.created) == (RunStatus.SUCCESS, 7_990)
    assert written == []
