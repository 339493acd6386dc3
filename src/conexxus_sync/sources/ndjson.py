"""
The order source behind `--orders FILE.ndjson`: one transaction a line.
"""

import os
from array import array
from collections.abc import Iterator
from datetime import date
from hashlib import blake2b
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

import attrs

from conexxus_client import DecodeError, Transaction, decode_transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar


# How often a date is read anew because the file was written meanwhile.
ATTEMPTS = 3

# A date's lines wait in memory up to this size, then on disk.
COPY_IN_MEMORY = 1024 * 1024

_Stamp = tuple[int, int, int, int, int]


@attrs.define(eq=False)
class FileIndex:
    """
    Where the lines of each business date are, in one state of the file.

    Attributes:
        stamp: Identity, size and times of that state.
        size: How many bytes were read.
        digest: Of these bytes.
        places: Offsets of the lines, by business date.
    """

    stamp: _Stamp
    size: int = 0
    digest: bytes = b""
    places: "dict[date, array[int]]" = attrs.field(factory=dict)

    def add(self, day: date, offset: int) -> None:
        """
        Note that a line of *day* begins at *offset*.
        """
        self.places.setdefault(day, array("Q")).append(offset)


@attrs.define
class FileOrders:
    """
    An `OrderSource` over a file with one transaction a line.

    A line is a transaction of the wire contract in JSON, with an optional
    `"businessDate"`; without it, the store's calendar decides.  The file is
    indexed once by date: what stays in memory are places in the file.  If it
    has grown or was replaced, it is indexed again.

    The lines of a date are copied before the first of them is handed out, and
    the copy counts only if the file did not change meanwhile, other than by
    lines added at its end: a file that is rewritten gives no sale of one date
    for another.

    Attributes:
        path: The file; UTF-8, empty lines are passed over.

    Raises:
        HostError: The file can't be read, or changes all the time, or a line
            is no transaction; the message names file and line.
    """

    path: Path = attrs.field(converter=Path)
    calendar: StoreCalendar
    _indexed: FileIndex | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        with self._opened() as file:
            self._refreshed(file)

    @property
    def business_dates(self) -> list[date]:
        """
        The dates that have transactions, oldest first.
        """
        return [] if self._indexed is None else sorted(self._indexed.places)

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        The transactions of *business_date*, in the order of the file, which
        is of one location.
        """
        with SpooledTemporaryFile(COPY_IN_MEMORY) as copy:
            self._copy(business_date, copy)
            copy.seek(0)

            for line in copy:
                transaction = decode_transaction(line)
                if self._business_date(transaction) != business_date:
                    # Rewritten in a way that neither size nor times show.
                    self._indexed = None
                    raise self._restless(business_date)
                yield transaction

    def _copy(self, business_date: date, copy: IO[bytes]) -> None:
        """
        Copy the lines of *business_date*, all of one state of the file.
        """
        for _ in range(ATTEMPTS):
            copy.seek(0)
            copy.truncate()

            with self._opened() as file:
                index = self._refreshed(file)

                for offset in index.places.get(business_date, ()):
                    file.seek(offset)
                    copy.write(file.readline())

                if self._is_unchanged(index, file):
                    return

            self._indexed = None

        raise self._restless(business_date)

    def _is_unchanged(self, index: FileIndex, file: BinaryIO) -> bool:
        """
        Is *file* still what was indexed, and still under its name?

        A till that adds a line is no reason to read anew.
        """
        try:
            now = self._stamp_of(self.path.stat())
        except OSError:
            return False

        if now == index.stamp:
            return True

        return now[:2] == index.stamp[:2] and _digest(file, index.size) == index.digest

    def _restless(self, business_date: date) -> HostError:
        return HostError(
            f"{self.path} changed while it was read, so no sale of {business_date} was taken from "
            "it: only add lines at its end, or write a new file beside it and rename that, like "
            f"`mv NEW {self.path}`"
        )

    def _opened(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as exc:
            msg = f"{self.path} can't be read: {exc.strerror}"
            raise HostError(msg) from exc

    def _refreshed(self, file: BinaryIO) -> FileIndex:
        """
        The index of the file, made anew unless it still is the one that was indexed.
        """
        stamp = self._stamp_of(os.fstat(file.fileno()))

        if self._indexed is None or stamp != self._indexed.stamp:
            self._indexed = self._read_index(file, FileIndex(stamp))

        return self._indexed

    def _read_index(self, file: BinaryIO, index: FileIndex) -> FileIndex:
        digest = blake2b()

        for number, line in enumerate(file, start=1):
            if line.strip():
                index.add(self._business_date(self._decoded(line, number)), index.size)
            index.size += len(line)
            digest.update(line)

        index.digest = digest.digest()

        return index

    def _decoded(self, line: bytes, number: int) -> Transaction:
        try:
            return decode_transaction(line)
        except DecodeError as exc:
            msg = f"{self.path}, line {number}: {exc}"
            raise HostError(msg) from exc

    def _business_date(self, transaction: Transaction) -> date:
        return transaction.business_date or self.calendar.business_date(transaction.timestamp)

    @staticmethod
    def _stamp_of(stat: os.stat_result) -> _Stamp:
        # The time of change also shows what was written with the time of
        # modification put back.
        return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _digest(file: BinaryIO, size: int) -> bytes:
    """
    Of the first *size* bytes, as far as there are so many.
    """
    digest = blake2b()
    file.seek(0)

    while size and (piece := file.read(min(size, COPY_IN_MEMORY))):
        digest.update(piece)
        size -= len(piece)

    return digest.digest()
