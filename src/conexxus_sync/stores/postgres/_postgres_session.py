"""
`PostgresSession`: statements, streams and transactions of one connection.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, islice
from typing import Any, LiteralString

import attrs
import psycopg
from psycopg.pq import TransactionStatus

from conexxus_sync.errors import HostError, StoreError, TransactionEndedError
from conexxus_sync.stores._database import Row

from ._connections import PooledConnection
from ._spelling import copied, spelled


# Rows of a stream that are fetched at a time, and of a bulk load.
ROWS_AT_A_TIME = 500

# So many rows are cheaper to copy than to insert.
_MANY = 8

_READ_ON = "rows of the store were still being read when {}"
_OVER = "their unit of work ended"

_TEMPORARY = re.compile(r"CREATE TEMP (TABLE|VIEW) (\w+)")
_numbers = count()

# Not as the role's default has it: who waited for a lock must see what the other wrote.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# A crash loses the statistics, and may give a number to a second transaction.
_STATISTICS_SINCE = "SELECT CAST(pg_stat_get_bgwriter_stat_reset_time() AS TEXT)"
_NUMBER = "CAST(pg_current_xact_id() AS TEXT)"
_BEGUN = f"{_STATISTICS_SINCE}, {_NUMBER}, pg_backend_pid(), current_schema()"


@attrs.define(eq=False)
class PostgresSession:
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
    _temporary: dict[str, str] = attrs.field(factory=dict)
    _streams: "list[_Stream]" = attrs.field(factory=list)
    _after_commit: list[Callable[[], None]] = attrs.field(factory=list)
    _is_over: bool = False

    @property
    def raw(self) -> "psycopg.Connection[Row]":
        """
        The connection below, for a host that shares the database.
        """
        return self.pooled.raw

    @property
    def is_usable(self) -> bool:
        """
        Is it open, in this process?
        """
        return self.process == os.getpid() and not self.raw.closed

    @property
    def in_transaction(self) -> bool:
        return self.raw.info.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        )

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        return _Stream(self, statement, parameters)

    def open_cursor(
        self, stream: "_Stream", statement: str, parameters: Sequence[Any]
    ) -> psycopg.RawServerCursor[Row]:
        """
        A cursor at the server, for a stream that is ended with what it reads.
        """
        if self._is_over:
            raise StoreError(_READ_ON.format(_OVER))

        self._streams.append(stream)
        name = f"conexxus_{next(_numbers)}"
        withhold = not self.in_transaction
        stream.cursor = psycopg.RawServerCursor(self.raw, name, withhold=withhold)

        return stream.cursor.execute(spelled(statement).encode(), list(parameters))

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> psycopg.Cursor[Row]:
        if len(parameters) >= _MANY and (copy := copied(statement)) and copy.rows >= _MANY:
            width = copy.width
            rows = (parameters[at : at + width] for at in range(0, len(parameters), width))
            return self._copy(copy.statement, rows)

        text, cursor = spelled(statement).encode(), psycopg.RawCursor(self.raw)

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
                self._copy(copy.statement, few)
                few = list(islice(rows, ROWS_AT_A_TIME))
            return

        while few:
            psycopg.RawCursor(self.raw).executemany(spelled(statement).encode(), few)
            few = list(islice(rows, ROWS_AT_A_TIME))

    def create_temporary(self, *statements: str) -> None:
        self._end_streams()

        for statement in statements:
            if found := _TEMPORARY.search(statement):
                kind, name = found.groups()
                if name in self._temporary:
                    self.execute(f"DROP {self._temporary[name]} IF EXISTS pg_temp.{name} CASCADE")
                self._temporary[name] = kind
            self.execute(statement)

    def storable(self, row: Sequence[Any]) -> Row:
        return tuple(each.replace("\0", "\ufffd") if type(each) is str else each for each in row)

    def number_after(self, table: str, last: int) -> None:
        if last:
            self.execute("SELECT setval(pg_get_serial_sequence(?, 'number'), ?)", (table, last))

    @contextmanager
    def filling(self) -> Iterator[None]:
        with self._between(_BEGIN):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """
        A transaction in which all reads see one state, and nothing is written.
        """
        with self._between(_BEGIN_SNAPSHOT):
            yield

    @contextmanager
    def _between(self, begin: LiteralString) -> Iterator[None]:
        self.raw.execute(begin)

        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):
                self.raw.execute("ROLLBACK")
            raise

        self.raw.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        number = self._transaction()

        try:
            # psycopg refuses `commit()` and `rollback()` in it.
            with self.raw.transaction():
                yield
                if self.raw.info.transaction_status == TransactionStatus.INERROR:
                    msg = "a statement of `apply_in` failed, and its error was not raised"
                    raise HostError(msg)
                self._ensure_within(number)
        except psycopg.ProgrammingError as exc:
            if exc.sqlstate is None and "forbidden" in str(exc):
                msg = "`apply_in` must neither commit nor roll back, but raise"
                raise HostError(msg) from exc
            raise
        finally:
            self._ensure_within(number)

    def _ensure_within(self, number: str) -> None:
        # One that failed would be that of our savepoint, which is rolled back.
        is_open = self.is_usable and (self.raw.info.transaction_status == TransactionStatus.INTRANS)

        if not is_open or self._transaction() != number:
            raise TransactionEndedError

    def after_commit(self, call: Callable[[], None]) -> None:
        assert self.in_transaction
        self._after_commit.append(call)

    @contextmanager
    def transaction(self, lock: str, *numbers: int, durable: bool) -> Iterator[None]:
        """
        One transaction that takes the locks of *numbers* with the statement *lock*.
        """
        self._end_streams()

        try:
            self.raw.execute(_BEGIN)
            if not durable:
                self.raw.execute("SET LOCAL synchronous_commit = off")
            self.execute(lock, numbers)
            since, number = self._begun()
            yield
            self._commit(number, since)
        except BaseException:
            self._after_commit.clear()
            with suppress(psycopg.Error):
                self.raw.execute("ROLLBACK")
            raise

        calls, self._after_commit = self._after_commit, []
        with ExitStack() as all_of_them:
            for call in reversed(calls):
                all_of_them.callback(call)

    def clean(self) -> bool:
        """
        Make the connection as good as new; returns whether it is.
        """
        self._is_over = True
        self._end_streams(_OVER)

        if self.in_transaction:
            self.raw.execute("ROLLBACK")
        if self._temporary:
            self.raw.execute("DISCARD TEMP")

        return self.raw.info.transaction_status == TransactionStatus.IDLE

    def set_timeout(self, seconds: int) -> None:
        """
        For how long another writer is waited for.
        """
        self.pooled.use(self.schema, seconds)

    def _copy(self, statement: str, rows: Iterable[Sequence[Any]]) -> psycopg.Cursor[Row]:
        cursor = self.raw.cursor()

        with cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(row)

        return cursor

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
        row = self.execute(_BEGUN).fetchone()
        assert row is not None

        if row[2:] != (self.pooled.backend, self.schema):
            msg = (
                f"a statement for the schema {self.schema} was executed in another connection: "
                "set pool_mode = session in PgBouncer, see docs/how-to/use-postgresql.md"
            )
            raise StoreError(msg)

        return str(row[0]), str(row[1])

    def _commit(self, number: str, since: str) -> None:
        try:
            said = self.raw.execute("COMMIT").statusmessage
        except psycopg.OperationalError:
            if not self.raw.closed or not self._was_committed(number, since):
                raise
        else:
            # What failed and was caught has ended the transaction.
            if said != "COMMIT":
                msg = "a statement failed, and PostgreSQL rolled its transaction back"
                raise StoreError(msg)

    def _was_committed(self, number: str, since: str) -> bool:
        """
        Whether the transaction whose COMMIT was not answered is known to be committed.
        """
        with self.reconnect() as connection:
            if connection.execute(_STATISTICS_SINCE).fetchone() != (since,):
                return False

            for _ in range(100):
                row = connection.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchone()
                assert row is not None
                if row[0] != "in progress":
                    return bool(row[0] == "committed")
                connection.execute("SELECT pg_sleep(0.05)")

        return False

    def _end_streams(self, why: str = "a transaction began") -> None:
        for stream in self._streams:
            stream.end(why)
        self._streams.clear()


@attrs.define(eq=False)
class _Stream:
    """
    Rows of a statement, some at a time.
    """

    session: PostgresSession
    statement: str
    parameters: Sequence[Any]
    cursor: "psycopg.RawServerCursor[Row] | None" = None
    _rows: Iterator[Row] = attrs.field(factory=lambda: iter(()))
    _ended: str | None = None

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        if self._ended is not None:
            raise StoreError(_READ_ON.format(self._ended))

        row = next(self._rows, None)

        return self._fetched() if row is None else row

    def _fetched(self) -> Row:
        cursor = self.cursor

        if cursor is None:
            cursor = self.session.open_cursor(self, self.statement, self.parameters)

        self._rows = iter(cursor.fetchmany(ROWS_AT_A_TIME))

        return next(self._rows)

    def end(self, why: str) -> None:
        """
        Read no further: a transaction begins, or the unit of work ends.
        """
        self._ended = why
        # Where the connection is lost, the first attempt finds that out.
        for cursor in (self.cursor, self.cursor):
            if cursor is not None:
                with suppress(psycopg.Error):
                    cursor.close()
