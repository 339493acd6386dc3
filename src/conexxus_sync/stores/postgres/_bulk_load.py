"""
Rows that are loaded by COPY, and those that wait to be.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs

from ._copy_text import copy_text
from ._held_rows import HeldRows
from ._spelling import Copied, move_of


if TYPE_CHECKING:
    import psycopg


# Bytes of rows that wait, at most.
_MOST_WAITING = 1_000_000


@attrs.define
class WaitingCopies:
    """
    Rows of temporary tables, which are loaded once another statement may need
    them: each COPY costs as much as a hundred rows.
    """

    _texts: dict[str, list[bytes]] = attrs.field(factory=dict)
    _size: int = 0
    _held: HeldRows | None = None

    @property
    def is_full(self) -> bool:
        """
        Do they take much memory?
        """
        return self._size > _MOST_WAITING

    def add(self, copied: Copied, columns: Sequence[Sequence[Any]]) -> None:
        """
        Add rows, which are given by column.
        """
        if self._held is not None and self._held.add(copied, columns):
            return

        text = copy_text(columns)
        self._texts.setdefault(copied.statement, []).append(text)
        self._size += len(text)

    def clear(self) -> None:
        """
        Drop them all, but those that are held.
        """
        self._texts, self._size = {}, 0

    def hold(self, table: str) -> None:
        """
        Hold the rows of *table* until they are moved, or asked for; if they can't be,
        they are loaded as others.
        """
        self.release()
        with suppress(OSError):
            self._held = HeldRows(table)

    def release(self, table: str | None = None) -> None:
        """
        Forget what is held, of *table* or any.
        """
        if self._held is not None and table in (None, self._held.table):
            self._held.close()
            self._held = None

    @property
    def is_loaded(self) -> bool:
        """
        Was what is held loaded?
        """
        return self._held is not None and self._held.is_loaded

    def rolled_back(self, *, was_loaded: bool) -> None:
        """
        Take back what was loaded in a transaction that was rolled back.
        """
        self.clear()
        if self._held is not None:
            self._held.is_loaded = was_loaded

    def move(
        self, connection: "psycopg.Connection[Any]", statement: str, parameters: Sequence[Any]
    ) -> bool:
        """
        Do what *statement* does if it moves rows that are held; returns whether it did.
        """
        if self._held is None or (move := move_of(statement)) is None:
            return False

        return self._held.move(connection, move, parameters)

    def load(self, connection: "psycopg.Connection[Any]", statement: str = "") -> None:
        """
        Load them all, and those that are held if *statement* reads them.
        """
        texts = self._texts
        self.clear()
        if self._held is not None and self._held.is_needed(statement):
            self._held.load(connection)

        for statement, parts in texts.items():
            with connection.cursor().copy(statement.encode()) as copy:
                copy.write(b"".join(parts))
