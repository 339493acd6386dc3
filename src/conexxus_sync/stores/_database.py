"""
The seam to a database: `Session` and `Database`; and moments as sortable UTC text.

All statements of the tables have one spelling for SQLite and PostgreSQL.
Parameters are `?`, or `?1` where one is used more than once; a database that
spells them otherwise translates.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs


R = TypeVar("R")
T = TypeVar("T")

Row = tuple[Any, ...]

# As a limit: what `-1` is to one database is an error to another.
NO_LIMIT = 2**62

_TEMPORARY = re.compile(r"CREATE TEMP (TABLE|VIEW) (\w+)")


class Cursor(Protocol):
    """
    What a statement found or did.
    """

    @property
    def rowcount(self) -> int:
        """
        How many rows it changed.
        """

    def fetchone(self) -> Any:
        """
        The first row; None if there is none.
        """

    def fetchall(self) -> list[Any]:
        """
        All rows.
        """


class Session(Protocol):
    """
    One connection, as long as a unit of work lasts.

    Attributes:
        states: What was made to work with it, by location.
    """

    states: dict[str, Any]

    @property
    def raw(self) -> Any:
        """
        The connection below, for a host that shares the database.
        """

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """
        The rows as they are read; a transaction that begins meanwhile ends them.
        """

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """
        Execute one statement.

        Rows are fetched at once, with `fetchone` or `fetchall`: a statement that
        is left in the middle keeps a transaction from beginning.
        """

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """
        Execute one statement for each of *rows*.
        """

    def insert_columns(self, statement: str, columns: Sequence[Sequence[Any]], /) -> None:
        """
        Execute *statement*, an INSERT of one row into a temporary table, for many
        rows, given by column; it locks no other writer out.
        """

    def create_temporary(self, *statements: str) -> None:
        """
        Create temporary tables and views, instead of those of the same names.
        """

    def storable(self, row: Row) -> Row:
        """
        What the database stores of *row*.
        """

    def number_after(self, table: str, last: int) -> None:
        """
        Give rows of *table* that are inserted without a number higher ones than *last*.
        """

    def ensure_unique(self, table: str, column: str) -> None:
        """
        Let *column* of a temporary table, its key, hold each value once from now on:
        a database may fill tables without their keys.
        """

    def expect_move(self, table: str) -> None:
        """
        Rows of *table*, a temporary one that is empty, are probably moved to another
        one as a whole: a database may keep them elsewhere until then.
        """

    def filling(self) -> AbstractContextManager[None]:
        """
        Many changes of temporary tables, which lock no other writer out.
        """

    def attempt(self) -> AbstractContextManager[None]:
        """
        A part of a transaction that may fail without the rest.

        Code that uses the connection in it can't end the transaction.

        Raises:
            HostError: It was tried.
            TransactionEndedError: It was done; nothing of the transaction is left.
        """

    def after_commit(self, call: Callable[[], None]) -> None:
        """
        Make *call* once the transaction that is open is committed, if it is.

        What one raises keeps no other from being made, and is raised then: what
        was committed stays.
        """


class BaseSession:
    """
    What the sessions of all databases do alike.

    Attributes:
        temporary: Whether a temporary name is of a TABLE or a VIEW.
        calls: Made after the commit.
    """

    temporary: dict[str, str]
    calls: list[Callable[[], None]]

    if TYPE_CHECKING:
        execute: Any
        in_transaction: Any
        drop_temporary: Any
        end_streams: Any
        _streams: Any

    def create_temporary(self, *statements: str) -> None:
        if self._streams:
            self.end_streams()

        for statement in statements:
            if found := _TEMPORARY.search(statement):
                kind, name = found.groups()
                if name in self.temporary:
                    self.drop_temporary(self.temporary[name], name)
                self.temporary[name] = kind
            self.execute(statement)

    def after_commit(self, call: Callable[[], None]) -> None:
        assert self.in_transaction
        self.calls.append(call)

    def make_calls(self) -> None:
        """
        Make the calls of a transaction that is committed, each of them.
        """
        calls, self.calls = self.calls, []

        with ExitStack() as all_of_them:
            for call in reversed(calls):
                all_of_them.callback(call)


class Database(Protocol):
    """
    One database, whichever it is; all that differs between them.
    """

    def read(self, *, apart: bool = False) -> AbstractContextManager[Session]:
        """
        A session for reading, and for temporary tables.

        Args:
            apart: Whether it has a connection of its own, whatever is open.

        Raises:
            StoreError: The database can't be opened, read or written.
        """

    def write(
        self, *, location: str | None, durable: bool = True
    ) -> AbstractContextManager[Session]:
        """
        A session with a transaction that no other writer can interrupt: all
        of it, or nothing.

        Args:
            location: Whose rows it writes: writers of others may go on, unless it
                is None, which stands for all of them.
            durable: Whether it outlasts the loss of power from its end on; if
                not, from the end of the next one that does.

        Raises:
            StoreError: The database can't be opened, read or written.
        """

    def snapshot(self) -> AbstractContextManager[Session]:
        """
        A session in which all reads see one state; it waits for no writer.

        Raises:
            StoreError: The database can't be opened or read.
        """

    def keep_open(self) -> AbstractContextManager[None]:
        """
        Let all units of work of this thread share one connection, which is
        shared with nothing outside of it: a run may begin within another's.

        Raises:
            StoreError: The database can't be opened.
        """

    def exists(self) -> bool:
        """
        Are there tables of a store?  None are made to find out.

        Raises:
            StoreError: The database can't be opened.
        """

    def close(self) -> None:
        """
        Close what is open and not in use.
        """

    def short_timeout(self) -> AbstractContextManager[None]:
        """
        Let this thread wait no longer than a second for other writers.
        """


@attrs.frozen
class Repository:
    """
    Rows of one location, in one unit of work.
    """

    session: Session
    location: str

    def value(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """
        The first value of the first row; None if there is no row.
        """
        row = self.session.execute(statement, parameters).fetchone()

        return None if row is None else row[0]


def text(moment: datetime) -> str:
    """
    Write *moment*.
    """
    return moment.astimezone(UTC).isoformat()


def texts(*moments: datetime | None) -> list[str | None]:
    """
    Write each of *moments* that there is.
    """
    return [None if it is None else it.astimezone(UTC).isoformat() for it in moments]


def moments(*stored: str | None) -> list[datetime | None]:
    """
    Read each moment that there is.
    """
    return [None if it is None else datetime.fromisoformat(it) for it in stored]


def optional_moment(stored: str | None) -> datetime | None:
    """
    Read a moment, if there is one.
    """
    return None if stored is None else datetime.fromisoformat(stored)


def first_readable(rows: Iterable[R], read: Callable[[R], T]) -> T | None:
    """
    What *read* makes of the first row that can be read; None if there is none.
    """
    for row in rows:
        try:
            return read(row)
        except Exception:  # noqa: BLE001, S112  # as below
            continue

    return None


def readable(rows: Iterable[R], read: Callable[[R], T]) -> Iterator[T]:
    """
    What *read* makes of each row; one that can't be read stops only itself.

    `conexxus doctor` names the rows that are passed over.
    """
    for row in rows:
        try:
            value = read(row)
        except Exception:  # noqa: BLE001, S112  # whatever is in it, the others count
            continue
        yield value
