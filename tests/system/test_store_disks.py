"""
A disk that is full, broken or read-only, with real causes.

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
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from databases import IS_SMALL

from conexxus_sync import StoreError
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase, SqliteSession
from peeks import peek

from .store_contents import NEW, OLD, catalog, content, outcome


pytestmark = pytest.mark.usefixtures("stores_from_nothing")


@contextmanager
def small_disk(folder):
    """
    A file system of a megabyte; where we may not mount one, a limit on
    the size of a file.
    """
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1024k", "tmpfs", str(folder)],
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

        advice = "Free space on its disk" if os.path.ismount(tmp_path) else "Check its disk"
        assert advice in error
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
        shutil.copy(site.path, folder / "conexxus.db")
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


class FailsOnce(SqliteSession):
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


class FailingDatabase(SqliteDatabase):
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

    def _connect(self):
        connection = super()._connect()
        connection.close()
        failing = sqlite3.connect(self.path, timeout=0, isolation_level=None, factory=FailsOnce)
        failing.file = connection.file
        failing.execute("PRAGMA synchronous = OFF")
        failing.plan = self
        return failing


def failing_store(path):
    return SqliteStore(path, database=FailingDatabase(path))


@pytest.mark.fault("S08", "Any one statement of a pull fails", "the old catalogue or the new one")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "stride",
    [4, pytest.param(4 if IS_SMALL else 1, marks=pytest.mark.long)],
    ids=["some", "all"],
)
def test_nth_statement_fails(new_site, tmp_path, states, after, stride):
    """
    S08: whichever statement of a pull fails, and whether or not it had its
    effect, the store is whole, and a run that changed it says so.
    """
    base = new_site()
    base.pull(OLD)
    fatal, survived = -2 * after, 0

    while survived * stride < 3:
        fatal += stride
        path = tmp_path / f"{fatal}.db"
        shutil.copy(base.path, path)
        site = new_site(store=failing_store, path=path)
        database = site.store.database
        database.fatal, database.after = fatal, after

        error = outcome(site, NEW)

        survived = survived + 1 if database.count < fatal else 0
        database.fatal = None
        assert error is None or "disk I/O error" in error, fatal
        assert content(site) in states, fatal
        runs = peek(site.store).runs.history()
        changes = sum(run.created for run in runs)
        assert changes == (300 if content(site) == states[1] else 40), fatal
        site.pull(NEW)
        assert content(site) == states[1], fatal

    assert fatal > 40
