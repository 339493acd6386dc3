"""
`SqliteDatabase`: connections, transactions and errors of one SQLite file.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._database import BaseSession, Row
from conexxus_sync.stores._sync_store import SharingDatabase

from ._error_advice import explained
from ._file_owner import owner_advice
from ._fork_gate import GATE
from ._lent_connection import lent
from ._migrations import Deadline, migrate, set_busy_timeout
from ._temporary_folder import keep_temporary_files_beside, try_temporary_file
from ._wal_generation import ADVANCE, WalGeneration


# A writer waits for another one.  A question of state, and the start of a run,
# fail soon instead.
BUSY_TIMEOUT_S = 10
HASTY_TIMEOUT_S = 1
CACHE_KIB = 4096

# Few lengths: a long statement for each number of rows, prepared and cached by
# sqlite3, once cost 30 MB.
ROWS_A_STATEMENT = (512, 64, 8, 1)

# Of `PRAGMA synchronous`.
NORMAL = 1

# Device and number.
FileIdentity = tuple[int, int]


class SqliteSession(sqlite3.Connection, BaseSession):
    """
    One connection; see `Session`.

    It is a connection of `sqlite3`, so that a statement takes no way round.

    Attributes:
        process: That opened it: a child process must not use it.
        file: What its path led to when it was opened.
        is_open: Was it not closed?
    """

    is_open: bool = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.process: int = os.getpid()
        self.file: FileIdentity | None = None
        self.states: dict[str, Any] = {}
        self.temporary: dict[str, str] = {}
        self._streams: list[sqlite3.Cursor] = []
        self.calls: list[Callable[[], None]] = []

    @property
    def raw(self) -> sqlite3.Connection:
        return self

    def close(self) -> None:
        self.is_open = False
        super().close()

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        cursor = self.execute(statement, parameters)
        self._streams.append(cursor)

        try:
            # `yield from` would close the cursor of a connection that is closed by then.
            for row in cursor:  # noqa: UP028
                yield row
        except sqlite3.ProgrammingError as exc:
            msg = (
                "rows of the store were still being read when their unit of work ended"
                if cursor in self._streams
                else "rows of the store were still being read when a transaction began"
            )
            raise StoreError(msg) from exc
        finally:
            with suppress(ValueError):
                self._streams.remove(cursor)
            with suppress(sqlite3.ProgrammingError):
                cursor.close()

    def insert_columns(self, statement: str, columns: Sequence[Sequence[Any]]) -> None:
        width, start = len(columns), 0
        values: list[Any] = [None] * (len(columns[0]) * width)

        for number, column in enumerate(columns):
            values[number::width] = column

        with self.filling():
            for rows in ROWS_A_STATEMENT:
                size = rows * width
                while start + size <= len(values):
                    self.execute(_for_rows(statement, rows), values[start : start + size])
                    start += size

    def drop_temporary(self, kind: str, name: str) -> None:
        """
        Drop the temporary table or view of this name.
        """
        self.execute(f"DROP {kind} IF EXISTS temp.{name}")

    def storable(self, row: Row) -> Row:
        return row

    def number_after(self, table: str, last: int) -> None:
        # Only what is AUTOINCREMENT asks for it; others go on after their last row.
        self.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))

    def ensure_unique(self, table: str, column: str) -> None:
        # Each table is sorted by its key as it is filled.
        pass

    def expect_move(self, table: str) -> None:
        # To move them from a temporary table costs little.
        pass

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        self.execute("BEGIN")

        try:
            yield
        finally:
            self.execute("ROLLBACK")

    @contextmanager
    def filling(self) -> Iterator[None]:
        # It locks nothing but the temporary database.
        try:
            self.execute("BEGIN")
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def attempt(self) -> AbstractContextManager[None]:
        return lent(self)

    def set_timeout(self, seconds: int) -> None:
        """
        For how long another writer is waited for.
        """
        set_busy_timeout(self, seconds)

    @contextmanager
    def without_flush(self) -> Iterator[None]:
        """
        Let what is committed be flushed with the next commit.
        """
        (level,) = self.execute("PRAGMA synchronous").fetchone()

        try:
            self.execute(f"PRAGMA synchronous = {min(level, NORMAL):d}")
            yield
        finally:
            # It may be closed by now.
            with suppress(sqlite3.Error):
                self.execute(f"PRAGMA synchronous = {level:d}")

    @contextmanager
    def transaction(self, before_commit: Callable[[], None]) -> Iterator[None]:
        """
        One transaction, in which no other connection writes.
        """
        self.end_streams()

        try:
            self._begin()
            changes = self.total_changes
            yield
            before_commit()
            if self.total_changes != changes:
                self.execute(ADVANCE)
            self.execute("COMMIT")
        except BaseException:
            self.calls.clear()
            # A full disk has rolled back by itself.
            with suppress(sqlite3.Error):
                self.execute("ROLLBACK")
            raise
        finally:
            self._without_implicit_transactions()

        if self.calls:
            self.make_calls()

    def _begin(self) -> None:
        """
        Where temporary tables have filled their disk, SQLite begins nothing
        until they are gone; what has failed can then be recorded.
        """
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as exc:
            if getattr(exc, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                raise
            # To change it deletes all of them.
            self.execute("PRAGMA temp_store = memory")
            self.temporary.clear()
            self.execute("BEGIN IMMEDIATE")

    def _without_implicit_transactions(self) -> None:
        """
        A host may have asked Python for them; to set this commits what is open.
        """
        if self.is_open and not self.in_transaction and self.isolation_level:
            self.isolation_level = None

    def end_streams(self) -> None:
        """
        End what is still being read: SQLite begins no transaction for a
        connection whose state of the file is old, and does not wait for it.
        """
        for cursor in self._streams:
            cursor.close()
        self._streams.clear()


@attrs.define(eq=False)
class SqliteDatabase(SharingDatabase[SqliteSession]):
    """
    The file at *path*; see `Database`.
    """

    path: Path
    monotonic: Callable[[], float] = time.monotonic
    _open: list[FileIdentity | None] = attrs.field(factory=list, init=False)
    _generation: WalGeneration = attrs.field(
        default=attrs.Factory(lambda self: WalGeneration(self.path), takes_self=True), init=False
    )

    @property
    def name(self) -> str:
        return str(self.path)

    @contextmanager
    def opened(self) -> Iterator[SqliteSession]:
        with GATE.use():
            connection = self._connect()
            self._open.append(connection.file)
            try:
                yield connection
            finally:
                connection.states.clear()
                # Until it is closed, what lies beside the file is its own log.
                try:
                    connection.close()
                finally:
                    self._open.remove(connection.file)

    @contextmanager
    def transaction(
        self, session: SqliteSession, *, location: str | None, durable: bool
    ) -> Iterator[None]:
        # One writer at a time, of whatever location.
        with (
            nullcontext() if durable else session.without_flush(),
            session.transaction(lambda: self._ensure_same_file(session)),
        ):
            yield

    @property
    def timeout(self) -> int:
        return HASTY_TIMEOUT_S if self.here.has_short_timeout else BUSY_TIMEOUT_S

    def exists(self) -> bool:
        # What is empty was made by something else; to open a folder says what is wrong.
        return self.path.is_dir() or (self.path.exists() and self.path.stat().st_size > 0)

    def try_temporary_file(self) -> None:
        """
        Make a temporary file, as a large catalogue does; there may be no store yet.

        Raises:
            StoreError: There is no folder for it, or no room.
        """
        with closing(sqlite3.connect(":memory:")) as connection:
            try:
                connection.execute("PRAGMA temp_store = FILE")
                keep_temporary_files_beside(self.path, connection)
                try_temporary_file(connection)
            except sqlite3.Error as exc:
                raise self.explained(exc) from exc

    def close(self) -> None:
        """
        Nothing is kept: a unit of work closes its connection.
        """

    def _connect(self) -> SqliteSession:
        self._create()
        file = _identity(self.path)
        # What lies beside a file that is open here already is its own log.
        if file not in self._open:
            self._generation.check()
        timeout = self.timeout
        ends = self.monotonic() + timeout
        connection = sqlite3.connect(
            self.path,
            timeout=timeout,
            isolation_level=None,
            factory=SqliteSession,
        )

        try:
            connection.file = file
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA temp_store = FILE")
            keep_temporary_files_beside(self.path, connection)
            if migrate(connection, self.path, Deadline(connection, ends, self.monotonic)):
                set_busy_timeout(connection, timeout)
        except BaseException:
            connection.close()
            raise

        return connection

    def _ensure_same_file(self, session: SqliteSession) -> None:
        """
        Whatever is written to a file that was deleted is lost.
        """
        if session.file != _identity(self.path):
            msg = (
                f"the store {self.path} was deleted or replaced while it was in use; "
                "nothing was written. Run again."
            )
            raise StoreError(msg)

    def _create(self) -> None:
        """
        Create the file for its owner alone; WAL and its index take after it.
        """
        # Where a link leads nowhere, SQLite would make the file, for everybody.
        path = os.path.realpath(self.path) if self.path.is_symlink() else self.path
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return sqlite3.Error, OSError

    def explained(self, exc: sqlite3.Error | OSError) -> Exception:
        if isinstance(exc, sqlite3.Error):
            return StoreError(explained(self.path, exc))
        if not str(exc.filename).startswith((str(self.path), os.path.realpath(self.path))):
            return exc

        what = "opened" if isinstance(exc, PermissionError) else "created"
        advice = owner_advice(self.path) or "Check CONEXXUS_STORE"

        return StoreError(f"the store {self.path} can't be {what}: {exc.strerror}. {advice}.")


@lru_cache(maxsize=64)
def _for_rows(statement: str, rows: int) -> str:
    """
    An INSERT of one row, for so many.
    """
    row = statement.rpartition("VALUES ")[2]

    return ", ".join([statement, *[row] * (rows - 1)])


def _identity(path: Path) -> FileIdentity | None:
    """
    Device and number of the file at *path*; None if there is none.
    """
    try:
        found = path.stat()
    except OSError:
        return None

    return found.st_dev, found.st_ino
