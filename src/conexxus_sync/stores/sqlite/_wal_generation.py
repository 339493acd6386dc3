"""
Detects a write-ahead log of another file: both hold the mark of their generation.

SQLite reads `<store>-wal` together with whatever file lies beside it: a backup
that was copied there would be mixed with the pages of what it replaced.  So
each transaction replaces a random mark, and stores the one before it.  File and
log belong together if the log goes on with the file's mark, or holds it: then a
part of the log was copied to the file already.

See [write-ahead logging](https://sqlite.org/fileformat2.html#walformat).
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

import attrs

from conexxus_sync.errors import StoreError


# Once in each transaction that changes something.
ADVANCE = "UPDATE store_generation SET earlier = latest, latest = randomblob(8)"

_STORED = "SELECT earlier, latest FROM store_generation"
_ROW = re.compile(rb"\xff\xfeCNXSgen(.{8})(.{8})", re.DOTALL)

_HEADER = 32
_FRAME_HEADER = 24
_FRAMES_AT_ONCE = 256


class Mark(NamedTuple):
    """
    The mark of a generation, and the one before it.
    """

    earlier: bytes
    latest: bytes


_UNMARKED = Mark(bytes(8), bytes(8))


@attrs.define
class WalGeneration:
    """
    Compares the file at *path* with the log beside it.

    Attributes:
        compared: The file and the log that were found to belong together.
    """

    path: Path
    compared: tuple[object, ...] | None = None

    def check(self) -> None:
        """
        Compare file and log, if there is a log that was not compared yet.

        Raises:
            StoreError: The log is of another file.
        """
        path = os.fspath(self.path)
        # SQLite looks where a link leads; what else a path is made of costs much.
        real = os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114  # a fifth

        while os.path.exists(f"{real}-wal"):  # noqa: PTH110  # most often, there is none
            with suppress(FileNotFoundError), open(f"{real}-wal", "rb", buffering=0) as wal:  # noqa: PTH123
                if self._is_settled(real, wal):
                    return

    def _is_settled(self, real: str, wal: BinaryIO) -> bool:
        """
        Compare file and log; false if the log is another one by now.
        """
        header = wal.read(_HEADER)
        file = self.path.stat()
        key = (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, header)

        # A file without pages makes SQLite delete the log.
        if len(header) < _HEADER or not file.st_size or key == self.compared:
            return True
        if not _belong_together(real, wal):
            # Who closes the file last copies the log and deletes it; what was
            # read of it since says nothing.
            if not os.path.samestat(os.fstat(wal.fileno()), os.stat(f"{real}-wal")):  # noqa: PTH116
                return False
            raise StoreError(self._explanation(real))

        self.compared = key
        return True

    def _explanation(self, real: str) -> str:
        return (
            f"the store {self.path} was replaced, and the log {real}-wal beside it is of another "
            "state of it: read together, they would mix two catalogues, so nothing was read or "
            "written. Stop what uses the store and run `conexxus store restore BACKUP "
            f"--overwrite`; or, if the file was copied as a whole, delete {real}-wal and "
            f"{real}-shm"
        )


def _belong_together(real: str, wal: BinaryIO) -> bool:
    """
    Does the log go on where the file ends?
    """
    before = None

    while True:
        file, marks = _mark_of_file(real), _marks(wal)
        first = next(marks, None)
        if file is None or first is None or first.earlier == file.latest:
            return True
        if file == first or any(file == mark for mark in marks):
            return True
        # Another process may have copied the log to the file between the two
        # reads, and begun a new one.  What is found twice was there at one time.
        if before == (file, first):
            return False
        before = file, first


def _mark_of_file(real: str) -> Mark | None:
    """
    The mark in the file itself; None if it can't be read without the log.
    """
    # Not with `open`: to close that would end the locks of this process.
    uri = f"file:{quote(real)}?mode=ro&immutable=1"

    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            # A file to which only a part of the log was copied may lack pages.
            connection.execute("PRAGMA writable_schema = ON")
            return Mark(*connection.execute(_STORED).fetchone())
    except sqlite3.Error as exc:
        # Without the table it is of an earlier version.
        return _UNMARKED if exc.sqlite_errorname == "SQLITE_ERROR" else None


def _marks(wal: BinaryIO) -> Iterator[Mark]:
    """
    The marks in the frames of the log, in their order.
    """
    wal.seek(0)
    header = wal.read(_HEADER)
    salts = header[16:24]
    size = _FRAME_HEADER + int.from_bytes(header[8:12], "big")

    while frames := wal.read(_FRAMES_AT_ONCE * size):
        # Behind its end, a log holds what is left of an earlier one.
        starts = range(0, len(frames), size)
        end = next((at for at in starts if frames[at + 8 : at + 16] != salts), len(frames))
        yield from (Mark(*found.groups()) for found in _ROW.finditer(frames, 0, end))
        if end < len(frames):
            return
