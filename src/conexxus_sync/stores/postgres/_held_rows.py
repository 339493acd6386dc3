"""
Rows of a temporary table that wait in a file until they are moved, or asked for.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import attrs

from conexxus_sync.errors import StoreError

from ._copy_text import copy_text, copy_value
from ._spelling import Copied, Move


if TYPE_CHECKING:
    import psycopg


# About a megabyte: each COPY costs as much as a hundred rows, and a client that
# sends none for long is taken for one that stopped.
_PARTS_A_COPY = 8

_CREATED = re.compile(r"\s*CREATE TEMP VIEW (\w+)")
_QUOTIENT = re.compile(r"(\w+) / (\d+)")


@attrs.frozen
class _Part:
    """
    Neighbouring rows; `text` of them, without the last column, is in the file.
    """

    copied: Copied
    size: int
    numbers: range


@attrs.define
class HeldRows:
    """
    Rows of *table*, whose last column counts up.

    To copy them to where an INSERT moves them is half the work of copying them
    into *table* first.

    Attributes:
        is_loaded: Whether they are in *table*.
        is_whole: Whether all rows of it are held.
    """

    table: str
    _file: IO[bytes] = attrs.field(init=False)
    _parts: list[_Part] = attrs.field(factory=list)
    is_loaded: bool = False
    is_whole: bool = True
    _names: set[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115  # `close` closes it
        self._names = {self.table}

    def close(self) -> None:
        """
        Forget them.
        """
        self._file.close()

    def add(self, copied: Copied, columns: Sequence[Sequence[Any]]) -> bool:
        """
        Hold rows, which are given by column; returns whether they are held.
        """
        if copied.table != self.table:
            return False

        *others, numbers = columns
        if self.is_whole and not self.is_loaded and isinstance(numbers, range):
            if not numbers:
                return True
            text = copy_text(others)
            try:
                written = self._file.write(text)
            except OSError:
                written = 0
            if written == len(text):
                self._parts.append(_Part(copied, written, numbers))
                return True

        self.is_whole = False
        return False

    def is_needed(self, statement: str) -> bool:
        """
        Does *statement* read the table, or a view of it?
        """
        if self.is_loaded:
            return False
        if view := _CREATED.match(statement):
            self._names.add(view[1])
            return False

        return not self._names.isdisjoint(re.findall(r"\w+", statement))

    def load(self, connection: "psycopg.Connection[Any]") -> None:
        """
        Load them into the table after all.
        """
        _copy(
            connection,
            ((part.copied.statement, _numbered(text, part.numbers)) for part, text in self._read()),
        )
        self.is_loaded = True

    def move(
        self, connection: "psycopg.Connection[Any]", move: Move, parameters: Sequence[Any]
    ) -> bool:
        """
        Copy them to where *move* inserts them; returns whether it can be done.
        """
        if move.source != self.table or self.is_loaded or not self.is_whole:
            return False

        copies = [_copy_of(part, move, parameters) for part in self._parts]
        if None in copies:
            return False

        _copy(
            connection,
            (
                (copy[0], text.replace(b"\n", copy[1]))
                for copy, (_, text) in zip(copies, self._read(), strict=True)
                if copy is not None
            ),
        )
        return True

    def _read(self) -> Iterator[tuple[_Part, bytes]]:
        self._file.seek(0)

        for part in self._parts:
            text = self._file.read(part.size)
            if len(text) != part.size:
                msg = "the file of rows that wait to be stored was changed; nothing was stored"
                raise StoreError(msg)
            yield part, text


def _copy_of(part: _Part, move: Move, parameters: Sequence[Any]) -> tuple[str, bytes] | None:
    """
    The COPY that does to a part what *move* does, and what ends each row: values
    that are the same in all of them.  None if there is none.
    """
    *held, counted = part.copied.columns
    columns: dict[str, str] = {}
    same: dict[str, Any] = {}

    for column, value in move.values.items():
        quotient = _QUOTIENT.fullmatch(value)
        if value in held:
            columns[value] = column
        elif value.startswith("?"):
            same[column] = parameters[int(value[1:]) - 1]
        elif value.startswith("'"):
            same[column] = value.strip("'")
        elif quotient and quotient[1] == counted:
            same[column], last = (
                number // int(quotient[2]) for number in (part.numbers[0], part.numbers[-1])
            )
            if last != same[column]:
                return None
        elif value not in part.copied.absent:
            return None

    if len(columns) < len(held):
        return None

    names = ", ".join([*map(columns.__getitem__, held), *same])
    end = "".join(f"\t{copy_value(value)}" for value in same.values())

    return f"COPY {move.target} ({names}) FROM STDIN", f"{end}\n".encode()


def _numbered(text: bytes, numbers: range) -> bytes:
    rows = text.split(b"\n")[:-1]

    return b"".join(b"%b\t%d\n" % row for row in zip(rows, numbers, strict=True))


def _copy(connection: "psycopg.Connection[Any]", copies: Iterable[tuple[str, bytes]]) -> None:
    # All of them, or none.
    with connection.transaction():
        for statement, some in groupby(copies, key=itemgetter(0)):
            while texts := [text for _, text in islice(some, _PARTS_A_COPY)]:
                with connection.cursor().copy(statement.encode()) as copy:
                    copy.write(b"".join(texts))
