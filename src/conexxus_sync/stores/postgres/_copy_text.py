"""
Rows in the text format of COPY: https://www.postgresql.org/docs/current/sql-copy.html.
"""

from collections.abc import Sequence
from typing import Any


# In no text that a PostgreSQL stores.
_BETWEEN = "\0"
_SPECIAL = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = str.maketrans(_SPECIAL)


def copy_text(columns: Sequence[Sequence[Any]]) -> bytes:
    """
    Rows, which are given by column.

    The text is made a column at a time: most have nothing to escape.
    """
    lines = map("\t".join, zip(*map(_column, columns), strict=True))

    return "\n".join([*lines, ""]).encode()


def _column(values: Sequence[Any]) -> Sequence[str]:
    try:
        joined = _BETWEEN.join(values)
    except TypeError:
        if isinstance(values, range):
            return [f"{each}" for each in values]
        if set(map(type, values)) == {int}:
            return list(map(str, values))
        return [copy_value(each) for each in values]

    if joined.count(_BETWEEN) != len(values) - 1:
        return [copy_value(each) for each in values]
    if any(special in joined for special in _SPECIAL):
        return joined.translate(_ESCAPED).split(_BETWEEN)

    return values


def copy_value(value: Any) -> str:
    """
    A value of a row.
    """
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace(_BETWEEN, "\ufffd").translate(_ESCAPED)
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"

    return repr(int(value) if isinstance(value, bool) else value)
