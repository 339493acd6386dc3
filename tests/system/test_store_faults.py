"""
What can happen to a store on a disk, with real causes.

After each: the mirror is the old catalogue or the new one, whole; the outcome
is success or a named error; the next pull on a sound disk ends at the new one.
"""

import ctypes
import errno
import os
import platform
import resource
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import warnings
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conexxus_client import ConexxusError, encode_item
from conexxus_sync import RunStatus, StoreError
from conexxus_sync.stores import sqlite
from conexxus_sync.stores.sqlite import SqliteStore


def catalog(count, price="1.00", text=200):
    return [{"sku": f"S{n:04d}", "name": "x" * text, "price": price} for n in range(count)]


OLD, NEW = catalog(40), [*catalog(15, "2.00"), *catalog(300)[15:]]


def content(site):
    """
    The mirror, byte for byte, and what was counted of it.
    """
    counts = site.store.catalog.counts("loc-001")
    items = b"\n".join(encode_item(it) for it in site.shelf.values())

    return items, counts.present, counts.missing


def outcome(site, upstream):
    """
    What a pull says: the error of its run, or the one that it raised.
    """
    try:
        return site.pull(upstream).last_error
    except StoreError as exc:
        return str(exc)


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


@pytest.mark.fault(
    "S01", "Another process writes, and does not end", "the run fails and says who; nothing changed"
)
def test_locked_by_another_writer(site, monkeypatch):
    """
    S01: it waits, says who holds the store, and changes nothing.
    """
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    site.pull(OLD)
    before = content(site)

    with closing(sqlite3.connect(site.store.path, isolation_level=None)) as other:
        said = []

        def lock(step):
            if step == "compared":
                other.execute("BEGIN IMMEDIATE")

        said.append(site.pull(NEW, failpoint=lock).last_error)
        said.append(outcome(site, NEW))

    assert all("Another process holds it" in error for error in said)
    assert content(site) == before
    assert site.pull(NEW).created == 260


@pytest.mark.fault("S02", "Another process writes while a pull reads", "the pull succeeds")
@pytest.mark.parametrize("step", ["page", "read", "compared"])
def test_others_may_write_meanwhile(site, step):
    """
    S02: a pull does not turn from reader to writer: whoever writes while it
    reads makes it neither wait nor fail.
    """
    site.pull(OLD)

    def write(name):
        if name == step:
            with closing(sqlite3.connect(site.store.path, timeout=0)) as other, other:
                other.execute("CREATE TABLE IF NOT EXISTS foreign_table (x)")
                other.execute("INSERT INTO foreign_table VALUES (1)")

    assert site.pull(NEW, failpoint=write).status is RunStatus.SUCCESS


@contextmanager
def small_disk(folder):
    """
    A file system of half a megabyte; where we may not mount one, a limit on
    the size of a file.
    """
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )
    if mounted:
        try:
            yield lambda: filled(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        yield lambda: file_limit(256 * 1024)


@contextmanager
def filled(folder):
    """
    No room but for what can't change the outcome.
    """
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        with pytest.raises(OSError, match="No space left"):
            ballast.writelines(b"x" * 4096 for _ in range(1024))
        yield
    (folder / "ballast").unlink()


@contextmanager
def file_limit(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.fault(
    "S03", "The disk is full", "the run fails and says what to do; the old catalogue stays"
)
def test_full_disk(new_site, tmp_path, states):
    """
    S03: a disk without room for the new catalogue keeps the old one, and the
    error says what to do.
    """
    with small_disk(tmp_path) as no_room_left:
        site = new_site(path=tmp_path / "conexxus.db")
        site.pull(OLD)

        with no_room_left():
            error = outcome(site, catalog(3000))

        assert "Free space on its disk" in error or "Check its disk" in error
        assert content(site) == states[0]
        site.pull(NEW)
        assert content(site) == states[1]


@pytest.mark.fault("S05", "The file may not grow, at any size", "the old catalogue or the new one")
@pytest.mark.parametrize("kib", range(0, 640, 32))
def test_file_size_limit(new_site, states, kib):
    """
    S05: wherever the limit stops the file or its log, the store is whole.
    """
    site = new_site()
    site.pull(OLD)

    with file_limit(kib * 1024):
        error = outcome(site, NEW)

    assert content(site) == states[error is None]
    site.pull(NEW)
    assert content(site) == states[1]


SYNC_CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}


def refuse_to_sync():
    """
    From now on, `fsync` and `fdatasync` fail in this process with EIO: by a
    seccomp filter, see seccomp(2).
    """
    fsync, fdatasync = SYNC_CALLS[platform.machine()]
    load, equal, answer = 0x20, 0x15, 0x06
    allow, fail = 0x7FFF0000, 0x00050000 | errno.EIO
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (load, 0, 0, 0),
            (equal, 1, 0, fsync),
            (equal, 0, 1, fdatasync),
            (answer, 0, 0, fail),
            (answer, 0, 0, allow),
        )
    )
    buffer = ctypes.create_string_buffer(program)
    filter_program = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, filter_program, 0, 0) == 0  # PR_SET_SECCOMP


def in_child(work):
    """
    What *work* returns, a short text, from a process of its own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        reading, writing = os.pipe()
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(work()).encode())
        finally:
            os._exit(0)

    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


@pytest.mark.fault("S04", "`fsync` fails", "the run fails and names the disk; the store is whole")
def test_fsync_fails(site, states):
    """
    S04: what can't be brought to the disk is not done; the error names the
    disk.
    """
    site.pull(OLD)

    def pull():
        refuse_to_sync()
        return outcome(site, NEW)

    assert "disk I/O error. Check its disk" in in_child(pull)
    assert content(site) in states
    site.pull(NEW)
    assert content(site) == states[1]


@contextmanager
def folder_of_nobody(site):
    """
    The store in a folder where we have no more rights than its mode gives.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(site.store.path, folder / "conexxus.db")
        if os.geteuid() != 0:
            yield folder
            folder.chmod(0o755)
            return

        os.chown(folder, 65534, 65534)
        os.chown(folder / "conexxus.db", 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


@pytest.mark.fault(
    "S06", "The file or its folder is read-only", "`StoreError` before anything is asked"
)
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "said"),
    [
        (0o555, 0o400, "can't|readonly|unable to open"),
        (0o555, 0o600, "can't|readonly|unable to open"),
        (0o755, 0o400, "readonly.*may not be written to"),
        (0o755, 0o000, "unable to open.*Check that"),
    ],
)
def test_read_only(site, new_site, folder_mode, file_mode, said):
    """
    S06: a file or folder that can't be written to is refused at the start:
    nothing is asked of the back office.
    """
    site.pull(OLD)
    before = content(site)
    with folder_of_nobody(site) as folder:
        other = new_site(path=folder / "conexxus.db")
        (folder / "conexxus.db").chmod(file_mode)
        folder.chmod(folder_mode)

        with pytest.raises(StoreError, match=said):
            other.pull(NEW)

        assert not other.office.requests

    assert content(site) == before


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
        known = ("Restore it from a backup", "It is no SQLite database")
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
    size, count = pages_of(site.store.path)
    named = 0

    for page in range(count):
        path = tmp_path / f"page{page}.db"
        shutil.copy(site.store.path, path)
        with path.open("r+b") as file:
            file.seek(page * size)
            file.write(b"\xa5" * size)
        broken = new_site(path=path)

        error = outcome(broken, NEW)

        assert readable(broken) in (*states, "Restore it from a backup", "It is no SQLite database")
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
    with site.store.reading() as keeps_the_log:
        keeps_the_log.execute("SELECT count(*) FROM items").fetchall()
        site.pull(NEW)
        files = {end: Path(f"{site.store.path}{end}").read_bytes() for end in ("", "-wal")}
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


class FailsOnce(sqlite3.Connection):
    """
    Fails at one statement, before or after it was executed.
    """

    plan = None

    def _try(self, execute, *arguments):
        plan = self.plan
        if plan is None:
            return execute(*arguments)
        plan.count += 1
        if plan.count == plan.fatal and not plan.after:
            raise plan.error()
        result = execute(*arguments)
        if plan.count == plan.fatal:
            raise plan.error()
        return result

    def execute(self, *arguments):
        return self._try(super().execute, *arguments)

    def executemany(self, *arguments):
        return self._try(super().executemany, *arguments)


class FailingStore(SqliteStore):
    """
    Its *fatal*-th statement fails.
    """

    def __init__(self, path):
        super().__init__(path)
        self.count, self.fatal, self.after = 0, None, False

    def error(self):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = "SQLITE_IOERR_WRITE"
        return error

    @contextmanager
    def reading(self):
        with super().reading() as connection:
            yield connection

    def _connect(self):
        connection = super()._connect()
        connection.close()
        failing = sqlite3.connect(self.path, timeout=0, isolation_level=None, factory=FailsOnce)
        failing.execute("PRAGMA synchronous = OFF")
        failing.plan = self
        return failing


@pytest.mark.fault("S08", "Any one statement of a pull fails", "the old catalogue or the new one")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_nth_statement_fails(new_site, tmp_path, states, after):
    """
    S08: whichever statement of a pull fails, and whether or not it had its
    effect, the store is whole, and a run that changed it says so.
    """
    base = new_site()
    base.pull(OLD)
    fatal, survived = 0, 0

    while survived < 3:
        fatal += 1
        path = tmp_path / f"{fatal}.db"
        shutil.copy(base.store.path, path)
        site = new_site(store=FailingStore, path=path)
        site.store.fatal, site.store.after = fatal, after

        error = outcome(site, NEW)

        survived = survived + 1 if site.store.count < fatal else 0
        site.store.fatal = None
        assert error is None or "disk I/O error" in error, fatal
        assert content(site) in states, fatal
        runs = site.store.runs.history("loc-001")
        changes = sum(run.created for run in runs)
        assert changes == (300 if content(site) == states[1] else 40), fatal
        site.pull(NEW)
        assert content(site) == states[1], fatal

    assert fatal > 40


def version_one(path):
    """
    A store as the first version left it, with a few items.
    """
    script = Path(sqlite.__file__).with_name("migrations") / "0001_catalogue.sql"
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
    version_one(site.store.path)

    assert set(site.shelf) == {"A", "B"}
    counts = site.store.catalog.counts("loc-001")
    assert (counts.present, counts.missing) == (2, 1)
    (gone,) = [it for it in site.store.catalog.items("loc-001", missing=True) if it.missing_since]
    assert (gone.decision, gone.page, gone.old_price) == (None, None, None)


KILLED_MIGRATION = """
import os, signal, sys
from conexxus_sync.stores.sqlite import _migrations
from conexxus_sync.stores.sqlite import SqliteStore

path, fatal = sys.argv[1], int(sys.argv[2])
seen, statements = [], _migrations._statements

def killed(script):
    for statement in statements(script):
        seen.append(statement)
        if len(seen) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement

_migrations._statements = killed
with SqliteStore(path).reading():
    print(len(seen))
"""


def killed_migration(path, fatal):
    command = [sys.executable, "-c", KILLED_MIGRATION, str(path), str(fatal)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.fault("S10", "Killed at any statement of a migration", "it is done again")
def test_killed_in_a_migration(site, tmp_path, new_site):
    """
    S10: a migration that is killed is done again, from where the last whole
    one ended.
    """
    version_one(tmp_path / "whole.db")
    total = int(killed_migration(tmp_path / "whole.db", 0))

    for fatal in range(1, total + 1, 3):
        path = tmp_path / f"killed{fatal}.db"
        version_one(path)
        assert killed_migration(path, fatal) == ""

        other = new_site(path=path)
        assert set(other.shelf) == {"A", "B"}
        assert other.pull(OLD).status is RunStatus.SUCCESS


@pytest.mark.fault("S07", "The file is garbage", "`StoreError` to every question")
def test_no_other_error_comes_out(site):
    """
    A store that can't be read says so in its own words, to every question.
    """
    site.pull(OLD)
    Path(site.store.path).write_bytes(b"garbage" * 1000)

    for ask in (
        lambda: site.store.catalog.counts("loc-001"),
        lambda: list(site.store.catalog.items("loc-001")),
        lambda: site.store.catalog.item("loc-001", "S0001"),
        lambda: list(site.store.catalog.quarantined("loc-001")),
        lambda: list(site.store.catalog.plans.prices("loc-001", "r")),
        lambda: site.store.catalog.checkpoint("loc-001"),
        lambda: site.store.catalog.hosts.waiting("loc-001", "S0001"),
        lambda: site.store.runs.history("loc-001"),
        lambda: site.store.leases.holder("loc-001", "inventory", site.clock.now()),
        lambda: site.pull(NEW),
    ):
        with pytest.raises(ConexxusError, match=r"no SQLite database: check CONEXXUS_STORE"):
            ask()
