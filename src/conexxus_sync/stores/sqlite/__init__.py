"""
The SDK's own state in one SQLite file.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from conexxus_sync.errors import StoreError
from conexxus_sync.model.leases import Lease
from conexxus_sync.runtime.processes import LinuxProcesses, Processes
from conexxus_sync.stores._api_calls import SqliteApiCalls
from conexxus_sync.stores._freeze_numbers import SqliteFreezes
from conexxus_sync.stores._lease_table import SqliteLeases
from conexxus_sync.stores._mirror import SqliteCatalog
from conexxus_sync.stores._notice_queue import SqliteNotices
from conexxus_sync.stores._outbox import SqliteOutbox
from conexxus_sync.stores._run_history import SqliteRuns
from conexxus_sync.stores._unreadable_rows import UnreadableRows, find_unreadable_rows

from ._migrations import migrate


# A writer waits for another one.  Whoever only wants to know how things are, or
# to begin something, is told soon that this can't be.
BUSY_TIMEOUT_S = 10
HASTY_TIMEOUT_S = 1
CACHE_KIB = 4096


class SqliteStore:
    """
    Everything that the SDK remembers, in the file at *path*.

    Every unit of work has a connection of its own, so a store may be shared
    by threads and survives a fork; `snapshot` makes one unit of several.

    Attributes:
        runs: History of the runs.
        leases: Who may write.
        catalog: The mirror, its quarantine and the host's queue.
        outbox: Batches of sales and what became of them.
        notices: What people were told, and what they are still to be told.
        calls: How the back office was last seen.
        freezes: How often sales were frozen, here and in the file beside.
    """

    def __init__(self, path: Path | str, *, processes: Processes | None = None) -> None:
        self.path: Path = Path(path)
        self._here = _PerThread()
        self.runs: SqliteRuns = SqliteRuns(self)
        self.leases: SqliteLeases = SqliteLeases(self, processes or LinuxProcesses())
        self.catalog: SqliteCatalog = SqliteCatalog(self)
        self.freezes: SqliteFreezes = SqliteFreezes(self, freeze_file(self.path))
        self.outbox: SqliteOutbox = SqliteOutbox(self)
        self.notices: SqliteNotices = SqliteNotices(self)
        self.calls: SqliteApiCalls = SqliteApiCalls(self)

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    @property
    def boot(self) -> str:
        """
        Which boot of this computer it is; empty if that is unknown.
        """
        return self.leases.processes.current().boot

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """
        A connection outside of any transaction; temporary tables are welcome.

        Raises:
            StoreError: The database can't be opened, read or written.
        """
        with self._translated():
            if self._here.connection is not None:
                yield self._here.connection
                return

            connection = self._connect()
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """
        Let all questions of this thread see one state, over one connection.

        To open one costs more than most questions.  Nothing may be written
        meanwhile, and nobody waits long for a store that another process has
        to itself.

        Raises:
            StoreError: The database can't be opened or read.
        """
        if self._here.connection is not None:
            yield
            return

        try:
            with self.short_timeout(), self.reading() as connection:
                connection.execute("BEGIN")
                self._here.connection = connection
                yield
        finally:
            self._here.connection = None

    def unreadable_rows(self, location_id: str) -> list[UnreadableRows]:
        """
        Rows of sales and runs that can't be read, and are passed over.

        Raises:
            StoreError: The database can't be opened or read.
        """
        with self.reading() as connection:
            return list(find_unreadable_rows(connection, location_id))

    @contextmanager
    def short_timeout(self) -> Iterator[None]:
        """
        Let this thread wait no longer than a second for other processes.

        Whoever asks for a store that one of them has to itself then raises
        `StoreError` soon, and has changed nothing.
        """
        before, self._here.has_short_timeout = self._here.has_short_timeout, True

        try:
            yield
        finally:
            self._here.has_short_timeout = before

    @contextmanager
    def writing(
        self, lease: Lease | None = None, *, connection: sqlite3.Connection | None = None
    ) -> Iterator[sqlite3.Connection]:
        """
        One transaction: all of it, or nothing.

        Args:
            lease: Must still be ours; checked under the write lock.
            connection: Of a `reading` unit, to see its temporary tables.

        Raises:
            LeaseLostError: Another run took over; nothing was written.
            StoreError: The database can't be opened, read or written.
        """
        if connection is None:
            with self.reading() as fresh, self.writing(lease, connection=fresh):
                yield fresh
            return

        with self._translated():
            connection.execute("BEGIN IMMEDIATE")
            try:
                if lease is not None:
                    self.leases.check(connection, lease)
                yield connection
                self._ensure_same_file(connection)
                connection.execute("COMMIT")
            except BaseException:
                self.freezes.rolled_back(connection)
                # A full disk has rolled back by itself.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

            self.freezes.committed(connection)

    def _connect(self) -> sqlite3.Connection:
        self._create()
        connection = sqlite3.connect(
            self.path,
            timeout=HASTY_TIMEOUT_S if self._here.has_short_timeout else BUSY_TIMEOUT_S,
            isolation_level=None,
            factory=_Connection,
        )

        try:
            connection.file = _identity(self.path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA temp_store = FILE")
            migrate(connection, self.path)
        except BaseException:
            connection.close()
            raise

        return connection

    def _ensure_same_file(self, connection: sqlite3.Connection) -> None:
        """
        Whatever is written to a file that was deleted is lost.
        """
        if isinstance(connection, _Connection) and connection.file != _identity(self.path):
            msg = (
                f"the store {self.path} was deleted or replaced while it was in use; "
                "nothing was written. Run again."
            )
            raise StoreError(msg)

    def _create(self) -> None:
        """
        Create the file for its owner alone; WAL and its index take after it.
        """
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise StoreError(self._explain(exc)) from exc
        except OSError as exc:
            if exc.filename != str(self.path):
                raise
            msg = f"the store {self.path} can't be created: {exc.strerror}. Check CONEXXUS_STORE."
            raise StoreError(msg) from exc

    def _explain(self, exc: sqlite3.Error) -> str:
        name = getattr(exc, "sqlite_errorname", "")
        advice = next((text for code, text in _ADVICE.items() if name.startswith(code)), "")

        return f"the store {self.path} failed: {exc}. {advice}".rstrip()


class _PerThread(threading.local):
    """
    Attributes:
        has_short_timeout: Whether this thread waits for nobody.
        connection: What it glances at.
    """

    has_short_timeout: bool = False
    connection: sqlite3.Connection | None = None


class _Connection(sqlite3.Connection):
    """
    Attributes:
        file: What its path led to when it was opened.
    """

    file: tuple[int, int] | None = None


def freeze_file(path: Path) -> Path:
    """
    The file beside the store at *path*, whichever link leads there.
    """
    real = Path(os.path.realpath(path))
    return real.with_name(f"{real.name}.freeze")


def _identity(path: Path) -> tuple[int, int] | None:
    """
    Device and number of the file at *path*; None if there is none.
    """
    try:
        found = path.stat()
    except OSError:
        return None

    return found.st_dev, found.st_ino


# By the prefix of SQLite's result code: https://sqlite.org/rescode.html
_ADVICE = {
    "SQLITE_BUSY": "Another process holds it; try again, or stop that process.",
    "SQLITE_CANTOPEN": "Check that its folder exists and may be written to.",
    "SQLITE_CORRUPT": "Restore it from a backup, or move it away and pull again.",
    "SQLITE_FULL": "Free space on its disk and run again; nothing was changed.",
    "SQLITE_IOERR": "Check its disk and run again; nothing was changed.",
    "SQLITE_NOTADB": "It is no SQLite database: check CONEXXUS_STORE.",
    "SQLITE_PERM": "Check who owns the file.",
    "SQLITE_READONLY": "The file or its folder may not be written to: check who owns it.",
}
