"""
Rows that are loaded by COPY, and those that wait to be.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ._spelling import Copied


if TYPE_CHECKING:
    import psycopg


# Bytes of rows that wait, at most.
_MOST_WAITING = 1_000_000

# In no text that a PostgreSQL stores.
_BETWEEN = "\0"
_SPECIAL = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = str.maketrans(_SPECIAL)


@attrs.define
class WaitingCopies:
    """
    Rows of temporary tables, which are loaded once another statement may need
    them: each COPY costs as much as a hundred rows.
    """

    _texts: dict[str, list[bytes]] = attrs.field(factory=dict)
    _size: int = 0

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
        text = copy_text(columns)
        self._texts.setdefault(copied.statement, []).append(text)
        self._size += len(text)

    def clear(self) -> None:
        """
        Drop them all.
        """
        self._texts, self._size = {}, 0

    def load(self, connection: "psycopg.Connection[Any]") -> None:
        """
        Load them all.
        """
        texts = self._texts
        self.clear()

        for statement, parts in texts.items():
            with connection.cursor().copy(statement.encode()) as copy:
                copy.write(b"".join(parts))


def copy_text(columns: Sequence[Sequence[Any]]) -> bytes:
    """
    Rows, which are given by column, in the text format of COPY:
    https://www.postgresql.org/docs/current/sql-copy.html.

    It is made a column at a time: most have nothing to escape.
    """
    lines = map("\t".join, zip(*map(_column, columns), strict=True))

    return "\n".join([*lines, ""]).encode()


def _column(values: Sequence[Any]) -> Sequence[str]:
    try:
        joined = _BETWEEN.join(values)
    except TypeError:
        if set(map(type, values)) == {int}:
            return list(map(str, values))
        return [_value(each) for each in values]

    if joined.count(_BETWEEN) != len(values) - 1:
        return [_value(each) for each in values]
    if any(special in joined for special in _SPECIAL):
        return joined.translate(_ESCAPED).split(_BETWEEN)

    return values


def _value(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace(_BETWEEN, "\ufffd").translate(_ESCAPED)
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"

    return repr(int(value) if isinstance(value, bool) else value)
