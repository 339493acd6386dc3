"""
A process that is killed while the first catalogue goes into a PostgreSQL stores none of it.
"""

import os
import signal
import sys
import traceback
import warnings

import pytest

from conexxus_sync.model.runs import RunStatus
from conexxus_sync.stores.postgres import _held_rows
from conexxus_sync.stores.postgres._held_rows import HeldRows


DATABASES = ("postgres",)
# By SKU, and some windows of them.
UPSTREAM = [
    {"sku": f"S{number:05}", "name": "A rather long name of an item" * 3, "price": "1.50"}
    for number in range(8_000)
]


def killing(after):
    read = HeldRows._read

    def part_by_part(rows):
        for number, part in enumerate(read(rows)):
            if number == after:
                os.kill(os.getpid(), signal.SIGKILL)
            yield part

    return part_by_part


@pytest.mark.parametrize("after", [0, 3])
def test_killed_while_rows_are_moved(site, monkeypatch, after):
    """
    The next pull starts at once, and has all of it.
    """
    monkeypatch.setattr(_held_rows, "_PARTS_A_COPY", 1)

    with warnings.catch_warnings():
        # Our threads are not at work on anything that the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            HeldRows._read = killing(after)
            # One pull in some hundreds ended otherwise, on a busy machine.  What it
            # says is shown if none is killed.
            for _ in range(3):
                print("not killed:", site.pull(UPSTREAM))
        except BaseException as exc:
            traceback.print_exception(exc)
        finally:
            sys.stdout.flush()
            os._exit(0)
    _, status = os.waitpid(child, 0)
    left = len(site.shelf)
    run = site.pull(UPSTREAM)

    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert left == 0
    assert (run.status, run.created, len(site.shelf)) == (RunStatus.SUCCESS, *[len(UPSTREAM)] * 2)
