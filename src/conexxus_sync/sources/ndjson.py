"""
The order source behind `--orders FILE.ndjson`: one transaction a line.
"""

import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

import attrs

from conexxus_client import DecodeError, Transaction, decode_transaction
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.order_records import LONGEST_RAW, OrderRemark, UnusableTransaction

from ._file_index import FileIndex, Line, digest_of, read_line, stamp_of


# How often a date is read anew because the file was written meanwhile.
ATTEMPTS = 3

# A date's lines wait in memory up to this size, then on disk.
COPY_IN_MEMORY = 1024 * 1024


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

    A line that is no transaction is set aside under its number, on its own
    date if that can be read, else on that of the line before it.  A last line
    without an end that is no JSON is still being written: a remark says so.

    Attributes:
        path: The file; UTF-8, with or without a byte order mark.  Empty lines
            are passed over.
        temporary_folder: Where the copy of a large date lies; None for the
            system's folder, which a container may not have.

    Raises:
        HostError: The file can't be read, or changes all the time, or no line
            of it is a transaction; or no temporary file can be written.
    """

    path: Path = attrs.field(converter=Path)
    calendar: StoreCalendar
    temporary_folder: str | None = attrs.field(default=None, kw_only=True)
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

    def transactions(
        self, location_id: str, business_date: date
    ) -> Iterator[Transaction | UnusableTransaction | OrderRemark]:
        """
        The transactions of *business_date*, in the order of the file, which
        is of one location.
        """
        with SpooledTemporaryFile(COPY_IN_MEMORY, dir=self.temporary_folder) as copy:
            index = self._copied(business_date, copy)
            copy.seek(0)

            for number in index.numbers(business_date):
                yield self._record(copy.readline(), number, business_date, index)

        if index.cut_on == business_date:
            yield OrderRemark(
                text=f"{self.path}, line {index.cut}: the last line has no end and is no JSON; "
                "it is read when it is complete"
            )

    def _record(
        self, text: bytes, number: int, business_date: date, index: FileIndex
    ) -> Transaction | UnusableTransaction:
        transaction, reason = self._decoded(text, is_long=number in index.long)

        if transaction is None:
            return UnusableTransaction(
                id=f"line {number}",
                reason=f"{self.path}, line {number}: {reason}",
                raw=text[:LONGEST_RAW].strip(),
            )
        if self._business_date(transaction) != business_date:
            # Rewritten in a way that neither size nor times show.
            self._indexed = None
            raise self._restless(business_date)

        return transaction

    def _copied(self, business_date: date, copy: IO[bytes]) -> FileIndex:
        """
        Copy the lines of *business_date*, all of one state of the file.

        Returns:
            The index of that state.
        """
        for _ in range(ATTEMPTS):
            copy.seek(0)
            copy.truncate()

            with self._opened() as file:
                index = self._refreshed(file)

                for offset in index.offsets(business_date):
                    file.seek(offset)
                    self._write(copy, read_line(file).text.removesuffix(b"\n") + b"\n")

                if self._is_unchanged(index, file):
                    self._refuse_foreign(index)
                    return index

            self._indexed = None

        raise self._restless(business_date)

    def _write(self, copy: IO[bytes], line: bytes) -> None:
        try:
            copy.write(line)
        except OSError as exc:
            where = self.temporary_folder or "the system's folder for them (TMPDIR)"
            msg = f"{self.path} needs a temporary file, which can't be written to {where}: {exc}"
            raise HostError(msg) from exc

    def _is_unchanged(self, index: FileIndex, file: BinaryIO) -> bool:
        """
        Is *file* still what was indexed, and still under its name?

        A till that adds a line is no reason to read anew.
        """
        try:
            now = stamp_of(self.path.stat())
        except OSError:
            return False

        if now == index.stamp:
            return True

        return now[:2] == index.stamp[:2] and digest_of(file, index.size) == index.digest

    def _restless(self, business_date: date) -> HostError:
        return HostError(
            f"{self.path} changed while it was read, so no sale of {business_date} was taken from "
            "it: only add lines at its end, or write a new file beside it and rename that, like "
            f"`mv NEW {self.path}`"
        )

    def _refuse_foreign(self, index: FileIndex) -> None:
        """
        A file of something else has a fault, not each of its lines.
        """
        if index.foreign is not None:
            msg = f"{self.path} can't be used: {index.foreign}"
            raise HostError(msg)

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
        stamp = stamp_of(os.fstat(file.fileno()))

        if self._indexed is None or stamp != self._indexed.stamp:
            self._indexed = self._read_index(file, FileIndex(stamp))

        return self._indexed

    def _read_index(self, file: BinaryIO, index: FileIndex) -> FileIndex:
        while (line := read_line(file, index.add)).size:
            index.number += 1
            if line.text.strip():
                transaction, reason = self._decoded(line.text, is_long=line.is_long)
                if transaction is not None:
                    index.place(self._business_date(transaction))
                elif line.is_cut:
                    index.place_cut()
                else:
                    index.place_fault(line, reason, self._date_in(line))
            index.size += line.size

        index.finish()

        return index

    def _decoded(self, text: bytes, *, is_long: bool) -> tuple[Transaction | None, str]:
        """
        The transaction on a line, or what is wrong with it.
        """
        if is_long:
            return None, Line.TOO_LONG

        try:
            transaction = decode_transaction(text)
            self._business_date(transaction)
        except DecodeError as exc:
            return None, str(exc)
        except (OverflowError, ValueError):
            return None, "$.timestamp is too near to an end of the calendar"

        return transaction, ""

    def _date_in(self, line: Line) -> date | None:
        """
        The business date of a line that is no transaction, if that much can be read.
        """
        when = line.when()

        try:
            return self.calendar.business_date(when) if isinstance(when, datetime) else when
        except (OverflowError, ValueError):
            return None

    def _business_date(self, transaction: Transaction) -> date:
        return transaction.business_date or self.calendar.business_date(transaction.timestamp)
