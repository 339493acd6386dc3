"""
The order source behind `--orders FILE.ndjson`: one transaction a line.
"""

import os
from array import array
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import BinaryIO

import attrs

from conexxus_client import DecodeError, Transaction, decode_transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar


@attrs.define
class FileOrders:
    """
    An `OrderSource` over a file with one transaction a line.

    A line is a transaction of the wire contract in JSON, with an optional
    `"businessDate"`; without it, the store's calendar decides.  The file is
    indexed once by date: what stays in memory are places in the file.  If it
    has grown or was replaced, it is indexed again.

    Attributes:
        path: The file; UTF-8, empty lines are passed over.

    Raises:
        HostError: The file can't be read, or a line is no transaction; the
            message names file and line.
    """

    path: Path = attrs.field(converter=Path)
    calendar: StoreCalendar
    _index: "dict[date, array[int]]" = attrs.field(factory=dict, init=False, repr=False)
    _indexed: tuple[int, int, int] | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        with self._opened() as file:
            self._refresh(file)

    @property
    def business_dates(self) -> list[date]:
        """
        The dates that have transactions, oldest first.
        """
        return sorted(self._index)

    def transactions(self, location_id: str, business_date: date) -> Iterator[Transaction]:
        """
        The transactions of *business_date*, in the order of the file, which
        is of one location.
        """
        with self._opened() as file:
            self._refresh(file)

            for offset in self._index.get(business_date, ()):
                file.seek(offset)
                yield decode_transaction(file.readline())

    def _opened(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as exc:
            msg = f"{self.path} can't be read: {exc.strerror}"
            raise HostError(msg) from exc

    def _refresh(self, file: BinaryIO) -> None:
        """
        Index the file, unless it still is the one that was indexed.
        """
        stat = os.fstat(file.fileno())
        seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)

        if seen != self._indexed:
            self._index = self._read_index(file)
            self._indexed = seen

    def _read_index(self, file: BinaryIO) -> "dict[date, array[int]]":
        index: dict[date, array[int]] = {}
        offset = 0

        for number, line in enumerate(file, start=1):
            if line.strip():
                day = self._business_date(line, number)
                index.setdefault(day, array("Q")).append(offset)
            offset += len(line)

        return index

    def _business_date(self, line: bytes, number: int) -> date:
        try:
            transaction = decode_transaction(line)
        except DecodeError as exc:
            msg = f"{self.path}, line {number}: {exc}"
            raise HostError(msg) from exc

        return transaction.business_date or self.calendar.business_date(transaction.timestamp)
