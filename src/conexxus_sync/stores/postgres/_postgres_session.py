"""
`PostgresSession`: statements, streams and transactions of one connection.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count, islice
from typing import Any

import attrs
import psycopg
from psycopg.pq import TransactionStatus

from conexxus_sync.errors import HostError, StoreError, TransactionEndedError
from conexxus_sync.stores._database import BaseSession, Row

from ._bulk_load import WaitingCopies
from ._connections import PooledConnection
from ._spelling import Copied, copied, spelled
from ._streams import OVER, READ_ON, ROWS_AT_A_TIME, Stream
from ._writer_locks import WriterLocks


# So many rows are cheaper to copy than to insert.
_MANY = 8

# For five seconds: a server that lost a client notices it soon.
READS_OF_OUTCOME = 100

_UNKNOWN = (
    "the connection to the store was lost during COMMIT, and whether it was committed can't be "
    "read back. Check that it runs, then run again: what is stored decides"
)
_numbers = count()

# Not as the role's default has it: who waited for a lock must see what the other wrote.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# A crash loses the statistics, and may give a number to a second transaction.
_STATISTICS_SINCE = "SELECT CAST(pg_stat_get_bgwriter_stat_reset_time() AS TEXT)"
_NUMBER = "CAST(pg_current_xact_id() AS TEXT)"
_BEGUN = (
    f"{_STATISTICS_SINCE}, {_NUMBER}, pg_backend_pid(), current_schema(),"
    " set_config('lock_timeout', ?, true)"
)


@attrs.define(eq=False)
class PostgresSession(BaseSession):
    """
    One connection; see `Session`.

    Attributes:
        reconnect: Opens another one, to ask what became of a lost COMMIT.
        process: That opened it: a child process must not use it.
        states: See `Session`.
    """

    pooled: PooledConnection
    schema: str
    reconnect: Callable[[], psycopg.Connection[Row]]
    process: int = attrs.field(factory=os.getpid)
    states: dict[str, Any] = attrs.field(factory=dict)
    temporary: dict[str, str] = attrs.field(factory=dict)
    _streams: "list[Stream]" = attrs.field(factory=list)
    calls: list[Callable[[], None]] = attrs.field(factory=list)
    _waiting: WaitingCopies = attrs.field(factory=WaitingCopies)
    _is_filling: bool = False
    _is_lent: bool = False
    _is_over: bool = False

    @property
    def connection(self) -> "psycopg.Connection[Row]":
        """
        The connection below.
        """
        return self.pooled.raw

    @property
    def raw(self) -> "psycopg.Connection[Row]":
        """
        The same for a host that shares the database: it is not used again.
        """
        self._is_lent = True

        return self.connection

    @property
    def is_open(self) -> bool:
        """
        Was it not closed?
        """
        return not self.connection.closed

    @property
    def in_transaction(self) -> bool:
        return self.connection.info.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        )

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        return Stream(self.open_cursor, statement, parameters)

    def open_cursor(
        self, stream: Stream, statement: str, parameters: Sequence[Any]
    ) -> psycopg.RawServerCursor[Row]:
        """
        A cursor at the server, for a stream that is ended with what it reads.
        """
        if self._is_over:
            raise StoreError(READ_ON.format(OVER))

        self._load(statement)
        self._streams.append(stream)
        name = f"conexxus_{next(_numbers)}"
        withhold = not self.in_transaction
        stream.cursor = psycopg.RawServerCursor(self.connection, name, withhold=withhold)

        return stream.cursor.execute(spelled(statement).encode(), list(parameters))

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> psycopg.Cursor[Row]:
        copy = copied(statement)
        if copy and copy.table in self.temporary:
            self._copy(copy, [(value,) for value in parameters])
            return psycopg.RawCursor(self.connection)
        if self._waiting.move(self.connection, statement, parameters):
            return psycopg.RawCursor(self.connection)

        self._load(statement)
        text, cursor = spelled(statement).encode(), psycopg.RawCursor(self.connection)

        try:
            return cursor.execute(text, list(parameters))
        except psycopg.DataError as exc:
            # Of texts from elsewhere, like an answer; names have none.
            if "NUL" not in str(exc):
                raise
            return cursor.execute(text, self.storable(parameters))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        rows = iter(rows)
        few = list(islice(rows, _MANY))

        if len(few) == _MANY and (copy := copied(statement)):
            while few:
                self._copy(copy, list(zip(*few, strict=True)))
                few = list(islice(rows, ROWS_AT_A_TIME))
            return

        # For one, a pipeline takes twice as long.
        if len(few) == 1:
            self.execute(statement, few[0])
            return

        self._load(statement)
        while few:
            psycopg.RawCursor(self.connection).executemany(spelled(statement).encode(), few)
            few = list(islice(rows, ROWS_AT_A_TIME))

    def insert_columns(self, statement: str, columns: Sequence[Sequence[Any]], /) -> None:
        copy = copied(statement)
        assert copy is not None
        with self.filling():
            self._copy(copy, columns)

    def expect_move(self, table: str) -> None:
        self._waiting.hold(table)

    def drop_temporary(self, kind: str, name: str) -> None:
        """
        Drop the temporary table or view of this name, and views of it.
        """
        self._waiting.release(name)
        self.execute(f"DROP {kind} IF EXISTS pg_temp.{name} CASCADE")

    def storable(self, row: Sequence[Any]) -> Row:
        return tuple(each.replace("\0", "\ufffd") if type(each) is str else each for each in row)

    def number_after(self, table: str, last: int) -> None:
        if last:
            self.execute("SELECT setval(pg_get_serial_sequence(?, 'number'), ?)", (table, last))

    def ensure_unique(self, table: str, column: str) -> None:
        self.execute(f"CREATE UNIQUE INDEX ON {table} ({column})")

    @contextmanager
    def filling(self) -> Iterator[None]:
        # Rows that wait need no transaction; the first other statement begins it.
        self._is_filling = True

        try:
            yield
        except BaseException:
            self._waiting.clear()
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")
            raise
        finally:
            self._is_filling = False

        if self.in_transaction:
            self._load()
            self.connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """
        A transaction in which all reads see one state, and nothing is written.
        """
        self._load()
        self.connection.execute(_BEGIN_SNAPSHOT)

        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")
            raise

        self.connection.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        number, connection = self._transaction(), self.connection
        kinds = connection.row_factory, connection.cursor_factory

        try:
            # psycopg refuses `commit()` and `rollback()` in it.
            with connection.transaction():
                try:
                    yield
                finally:
                    connection.row_factory, connection.cursor_factory = kinds
                if self.connection.info.transaction_status == TransactionStatus.INERROR:
                    msg = "a statement of `apply_in` failed, and its error was not raised"
                    raise HostError(msg)
                self._ensure_within(number)
                if self.execute("SHOW transaction_read_only").fetchone() != ("off",):
                    msg = "`apply_in` must not make the transaction read-only"
                    raise HostError(msg)
        except psycopg.ProgrammingError as exc:
            if exc.sqlstate is None and "forbidden" in str(exc):
                msg = "`apply_in` must neither commit nor roll back, but raise"
                raise HostError(msg) from exc
            raise
        finally:
            self._ensure_within(number)
            self.pooled.reset()

    def _ensure_within(self, number: str) -> None:
        # One that failed would be that of our savepoint, which is rolled back.
        is_ours = (
            self.is_open
            and self.process == os.getpid()
            and (self.connection.info.transaction_status == TransactionStatus.INTRANS)
        )

        if not is_ours or self._transaction() != number:
            raise TransactionEndedError

    @contextmanager
    def transaction(self, locks: WriterLocks, *, durable: bool) -> Iterator[None]:
        """
        One transaction that takes *locks*.
        """
        self.end_streams()
        self._load()
        was_loaded = self._waiting.is_loaded

        try:
            begin = _BEGIN if durable else f"{_BEGIN}; SET LOCAL synchronous_commit = off"
            locks.take(self, begin, self.pooled.lock_timeout)
            since, number = self._begun()
            yield
            self._load()
            self._commit(number, since)
        except BaseException:
            self.calls.clear()
            self._waiting.rolled_back(was_loaded=was_loaded)
            with suppress(psycopg.Error):
                self.connection.execute("ROLLBACK")
            raise

        self.make_calls()

    def clean(self) -> bool:
        """
        Make the connection as good as new; returns whether it is.
        """
        self._is_over = True
        self.end_streams(OVER)
        self._waiting.release()

        if self._is_lent:
            return False
        if self.temporary:
            self.connection.execute("DISCARD TEMP")

        return self.connection.info.transaction_status == TransactionStatus.IDLE

    def set_timeout(self, seconds: int) -> None:
        """
        For how long another writer is waited for.
        """
        self.pooled.use(self.schema, seconds)

    def _copy(self, copied: Copied, columns: Sequence[Sequence[Any]]) -> None:
        self._waiting.add(copied, columns)

        if copied.table not in self.temporary or self._waiting.is_full:
            self._load()

    def _load(self, statement: str = "") -> None:
        """
        Load the rows that wait, before another *statement*.
        """
        if self._is_filling and not self.in_transaction:
            self.connection.execute(_BEGIN)

        self._waiting.load(self.connection, statement)

    def _transaction(self) -> str:
        """
        The number of the transaction that is open, which outlives the connection.
        """
        row = self.execute(f"SELECT {_NUMBER}").fetchone()
        assert row is not None

        return str(row[0])

    def _begun(self) -> tuple[str, str]:
        """
        Since when the server has not crashed, and the number of the transaction.

        Raises:
            StoreError: This is not the connection that was prepared.
        """
        row = self.execute(_BEGUN, (f"{self.pooled.lock_timeout}s",)).fetchone()
        assert row is not None

        if row[2:4] != (self.pooled.backend, self.schema):
            msg = (
                f"a statement for the schema {self.schema} was executed in another connection: "
                "set pool_mode = session in PgBouncer, see docs/how-to/use-postgresql.md"
            )
            raise StoreError(msg)

        return str(row[0]), str(row[1])

    def _commit(self, number: str, since: str) -> None:
        try:
            said = self.connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError:
            if not self.connection.closed or not self._was_committed(number, since):
                raise
        else:
            # What failed and was caught has ended the transaction.
            if said != "COMMIT":
                msg = "a statement failed, and PostgreSQL rolled its transaction back"
                raise StoreError(msg)

    def _was_committed(self, number: str, since: str) -> bool:
        """
        What became of the transaction whose COMMIT was not answered.

        Raises:
            StoreError: It can't be read back, or not yet.
        """
        try:
            outcome = self._outcome(number, since)
        except (psycopg.Error, StoreError) as exc:
            raise StoreError(_UNKNOWN) from exc

        if outcome not in ("committed", "aborted"):
            raise StoreError(_UNKNOWN)

        return outcome == "committed"

    def _outcome(self, number: str, since: str) -> str | None:
        row: Row | None = None

        with self.reconnect() as connection:
            if connection.execute(_STATISTICS_SINCE).fetchone() != (since,):
                return None

            for _ in range(READS_OF_OUTCOME):
                row = connection.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchone()
                if row is None or row[0] != "in progress":
                    break
                connection.execute("SELECT pg_sleep(0.05)")

        return None if row is None else row[0]

    def end_streams(self, why: str = "a transaction began") -> None:
        for stream in self._streams:
            stream.end(why)
        self._streams.clear()
