"""
Rows of a statement as they are read, from a cursor at the server.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import attrs
import psycopg

from conexxus_sync.errors import StoreError
from conexxus_sync.stores._database import Row


# Rows that are fetched at a time, and of a bulk load.
ROWS_AT_A_TIME = 500

READ_ON = "rows of the store were still being read when {}"
OVER = "their unit of work ended"


@attrs.define(eq=False)
class Stream:
    """
    Rows of a statement, some at a time.
    """

    open: "Callable[[Stream, str, Sequence[Any]], psycopg.RawServerCursor[Row]]"
    statement: str
    parameters: Sequence[Any]
    cursor: "psycopg.RawServerCursor[Row] | None" = None
    _rows: Iterator[Row] = attrs.field(factory=lambda: iter(()))
    _ended: str | None = None

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        if self._ended is not None:
            raise StoreError(READ_ON.format(self._ended))

        row = next(self._rows, None)

        return self._fetched() if row is None else row

    def _fetched(self) -> Row:
        cursor = self.cursor

        if cursor is None:
            cursor = self.open(self, self.statement, self.parameters)

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
