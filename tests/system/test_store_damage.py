"""
A file that is damaged.

After each: the mirror is the old catalogue or the new one, whole; the outcome
is success or a named error; the next pull on a sound disk ends at the new one.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from conexxus_client import ConexxusError
from conexxus_sync import StoreError
from peeks import peek

from .store_contents import NEW, OLD, content, outcome


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


def pages_of(path):
    with closing(sqlite3.connect(path)) as db:
        size, count = (db.execute(f"PRAGMA page_{it}").fetchone()[0] for it in ("size", "count"))
    return size, count


def readable(site):
    """
    What the mirror holds; or, if it can't be read, what is said about that.
    """
    try:
        return content(site)
    except StoreError as exc:
        known = ("It is damaged: restore a backup", "It is no SQLite database")
        return next((advice for advice in known if advice in str(exc)), str(exc))


@pytest.mark.fault(
    "S07", "Any page of the file is damaged", "a named error or the right content; the file is kept"
)
def test_corrupt_page(site, new_site, tmp_path, states):
    """
    S07: whichever page is damaged, the outcome is named or right, nothing
    but a named error ever comes out, and the file is kept.
    """
    site.pull(OLD)
    size, count = pages_of(site.path)
    named = 0

    for page in range(count):
        path = tmp_path / f"page{page}.db"
        shutil.copy(site.path, path)
        with path.open("r+b") as file:
            file.seek(page * size)
            file.write(b"\xa5" * size)
        broken = new_site(path=path)

        error = outcome(broken, NEW)

        assert readable(broken) in (
            *states,
            "It is damaged: restore a backup",
            "It is no SQLite database",
        )
        named += error is not None
        assert path.stat().st_size >= size

    assert named > count / 4


@pytest.mark.fault(
    "S07", "The write-ahead log is cut off anywhere", "what was committed before the cut"
)
def test_truncated_log(site, new_site, tmp_path, states):
    """
    S07: of a log that was cut off anywhere, what was committed before the cut
    counts, and the next pull ends at the new catalogue.
    """
    site.pull(OLD)
    with site.store.read() as keeps_the_log:
        keeps_the_log.session.execute("SELECT count(*) FROM items").fetchall()
        site.pull(NEW)
        files = {end: Path(f"{site.path}{end}").read_bytes() for end in ("", "-wal")}
    log = files["-wal"]

    for cut in range(0, len(log), len(log) // 40):
        path = tmp_path / "cut.db"
        for old in tmp_path.glob("cut.db*"):
            old.unlink()
        path.write_bytes(files[""])
        Path(f"{path}-wal").write_bytes(log[:cut])
        other = new_site(path=path)

        assert content(other) in states
        other.pull(NEW)
        assert content(other) == states[1]


@pytest.mark.fault("S07", "The file is garbage", "`StoreError` to every question")
def test_no_other_error_comes_out(site):
    """
    A store that can't be read says so in its own words, to every question.
    """
    site.pull(OLD)
    site.path.write_bytes(b"garbage" * 1000)

    for ask in (
        lambda: peek(site.store).mirror.counts(),
        lambda: list(peek(site.store).mirror.items()),
        lambda: peek(site.store).mirror.item("S0001"),
        lambda: list(peek(site.store).mirror.quarantined()),
        lambda: list(peek(site.store).plans.prices("r")),
        lambda: peek(site.store).mirror.checkpoint(),
        lambda: peek(site.store).host_queue.waiting("S0001"),
        lambda: peek(site.store).runs.history(),
        lambda: site.store.leases.holder("inventory", site.clock.now()),
        lambda: site.pull(NEW),
    ):
        with pytest.raises(ConexxusError, match=r"no SQLite database: check CONEXXUS_STORE"):
            ask()
