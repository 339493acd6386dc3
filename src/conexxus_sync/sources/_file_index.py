"""
Index of an orders file: its lines, bounded, and where those of each business date are.
"""

import json
import os
from array import array
from collections.abc import Callable
from datetime import date, datetime
from hashlib import blake2b
from typing import IO, Any, ClassVar

import attrs


MIB = 1024 * 1024

# As much as a batch: no sale has more, but a file may have a line of any length.
LONGEST_LINE = 8 * MIB

# What is kept of a longer one, to be looked at.
KEPT_OF_LONG = 1024

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Stamp = tuple[int, int, int, int, int]


@attrs.frozen
class Line:
    """
    One line of the file, as far as it is read.

    Attributes:
        text: Its bytes without a byte order mark; of one that is too long the
            beginning.
        size: How many bytes of the file it is.
    """

    TOO_LONG: ClassVar[str] = f"it is longer than {LONGEST_LINE // MIB} MiB"

    text: bytes
    size: int

    @property
    def is_long(self) -> bool:
        return self.size > LONGEST_LINE

    @property
    def is_cut(self) -> bool:
        """
        Is it the last one, and still being written?
        """
        return not self.is_long and not self.text.endswith(b"\n") and self._json() is None

    def when(self) -> date | datetime | None:
        """
        The business date on the line, or else the moment, if one can be read.
        """
        fields = self._json()

        if not isinstance(fields, dict):
            return None

        return _read(date.fromisoformat, fields.get("businessDate")) or _aware(
            _read(datetime.fromisoformat, fields.get("timestamp"))
        )

    def _json(self) -> Any:
        try:
            return json.loads(self.text.decode())
        except (ValueError, RecursionError):
            return None


@attrs.define(eq=False)
class FileIndex:
    """
    Where the lines of each business date are, in one state of the file.

    Attributes:
        stamp: Identity, size and times of that state.
        size: How many bytes were read.
        digest: Of these bytes.
        places: Offsets and numbers of the lines, in turn, by business date.
        long: Numbers of the lines that are too long.
        first_fault: The first line that is no transaction, and why.
        cut: Number of the last line, if it is still being written.
        cut_on: The date under which that is remarked.
        number: Of the line at hand.
        foreign: Why the file as a whole is none of ours.
    """

    stamp: Stamp
    size: int = 0
    digest: bytes = b""
    places: "dict[date, array[int]]" = attrs.field(factory=dict)
    long: set[int] = attrs.field(factory=set)
    first_fault: tuple[int, str] | None = None
    cut: int | None = None
    cut_on: date | None = None
    number: int = 0
    foreign: str | None = None
    _latest: date | None = attrs.field(default=None, init=False)
    _undated: "array[int]" = attrs.field(factory=lambda: array("Q"), init=False)
    _hash: Any = attrs.field(factory=blake2b, init=False)

    def offsets(self, day: date) -> "array[int]":
        return self.places.get(day, array("Q"))[::2]

    def numbers(self, day: date) -> "array[int]":
        return self.places.get(day, array("Q"))[1::2]

    def add(self, piece: bytes) -> None:
        """
        Bytes that were read, in their order.
        """
        self._hash.update(piece)

    def place(self, day: date) -> None:
        """
        The line at hand is of *day*.
        """
        self._latest = day
        self._put(self.size, self.number, day)

        # What came before the first date goes with it.
        while self._undated:
            number, offset = self._undated.pop(), self._undated.pop()
            self._put(offset, number, day)

    def place_fault(self, line: Line, reason: str, day: date | None) -> None:
        """
        The line at hand is no sale.

        Args:
            day: Its date, if that much can be read; else it is that of the
                line before it.
        """
        if line.is_long:
            self.long.add(self.number)
        if self.number == 1 and line.text.startswith(_UTF_16):
            self.foreign = "it is in UTF-16, and must be in UTF-8"
        if self.first_fault is None:
            self.first_fault = (self.number, reason)

        day = day or self._latest

        if day is None:
            self._undated.extend((self.size, self.number))
        else:
            self.place(day)

    def place_cut(self) -> None:
        """
        The line at hand is the last, and has no end.
        """
        self.cut, self.cut_on = self.number, self._latest

    def finish(self) -> None:
        """
        The whole file was read.
        """
        self.digest = self._hash.digest()

        if self.foreign is None and self.first_fault is not None and not self.places:
            number, reason = self.first_fault
            self.foreign = f"no line of it is a transaction, like line {number}: {reason}"

    def _put(self, offset: int, number: int, day: date) -> None:
        self.places.setdefault(day, array("Q")).extend((offset, number))


def stamp_of(stat: os.stat_result) -> Stamp:
    """
    Identity, size and times of a file.

    The time of change also shows what was written with the time of
    modification put back.
    """
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def read_line(file: IO[bytes], seen: Callable[[bytes], None] = lambda _: None) -> Line:
    """
    Read the next line, of any length, in bounded memory.

    Args:
        seen: Gets all bytes of it.
    """
    text = piece = file.readline(LONGEST_LINE + 1)
    size = len(text)
    seen(piece)

    while len(text) > LONGEST_LINE and piece and not piece.endswith(b"\n"):
        piece = file.readline(MIB)
        size += len(piece)
        seen(piece)

    if size > LONGEST_LINE:
        text = text[:KEPT_OF_LONG]

    return Line(text.removeprefix(_BOM), size)


def digest_of(file: IO[bytes], size: int) -> bytes:
    """
    Of the first *size* bytes, as far as there are so many.
    """
    digest = blake2b()
    file.seek(0)

    while size and (piece := file.read(min(size, MIB))):
        digest.update(piece)
        size -= len(piece)

    return digest.digest()


def _read(parse: Callable[[str], Any], text: object) -> Any:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None or moment.utcoffset() is None else moment
