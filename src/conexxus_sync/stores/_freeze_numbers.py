"""
Numbers of freezes, in the store and in the file beside it: a store that lags was restored.
"""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path

import attrs

from conexxus_sync.model.sales import FreezeNumbers
from conexxus_sync.runtime.run_logging import safe_logger

from ._database import Repository


_log = safe_logger(__name__)

_ADVANCE = """
INSERT INTO sales_freezes (location, number) VALUES (?, 1)
ON CONFLICT (location) DO UPDATE SET number = sales_freezes.number + 1
"""
_STORED = "SELECT number FROM sales_freezes WHERE location = ?"
_SET = """
INSERT INTO sales_freezes (location, number) VALUES (?, ?)
ON CONFLICT (location) DO UPDATE SET number = excluded.number
"""


@attrs.define
class _Writers:
    """
    The threads of this process, of which one writes at a time.
    """

    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def renew(self) -> None:
        """
        In a child process: a thread that is not there may have held it.
        """
        self.lock = threading.Lock()


_writers = _Writers()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_writers.renew)


@attrs.frozen
class FreezeFile:
    """
    The file beside a store, which holds a number for each location.

    Attributes:
        path: Of the file.
    """

    path: Path

    def numbers(self) -> dict[str, int]:
        """
        The numbers in it; none if it is missing or can't be read.
        """
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}

        if not isinstance(found, dict):
            return {}

        return {str(name): number for name, number in found.items() if type(number) is int}

    def write(self, location: str, number: int) -> None:
        """
        Write the number of a location, unless it has a higher one.
        """
        # The numbers of other locations are written by other threads.
        with _writers.lock:
            self._write(location, number)

    def _write(self, location: str, number: int) -> None:
        known = self.numbers()

        if known.get(location, -1) >= number:
            return

        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")

        try:
            descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({**known, location: number}, file)
            draft.replace(self.path)
        except OSError as exc:
            # What is sent is safe; only a restored store would not be noticed.
            with suppress(OSError):
                draft.unlink()
            _log.warning("The file %s can't be written: %s", self.path, exc.strerror)


@attrs.frozen
class Freezes(Repository):
    """
    The row of `sales_freezes`, and the file that holds the same number.

    Whatever is frozen or about to be sent advances the number; once that is
    committed, and before anything is sent, the file is replaced.  So a store
    whose number is lower than the file's has forgotten what was sent since.
    """

    file: FreezeFile

    def advance(self) -> None:
        """
        Count one more, in the transaction that is open.
        """
        self.session.execute(_ADVANCE, (self.location,))
        number = self._stored()
        self.session.after_commit(lambda: self.file.write(self.location, number))

    def numbers(self) -> FreezeNumbers:
        """
        What store and file say.
        """
        return FreezeNumbers(
            path=self.file.path,
            stored=self._stored(),
            beside=self.file.numbers().get(self.location),
        )

    def catch_up(self) -> None:
        """
        Take the number of the file for the store's, because an operator said
        what was sent meanwhile.
        """
        beside = self.file.numbers().get(self.location, 0)

        if beside > self._stored():
            self.session.execute(_SET, (self.location, beside))

    def write(self) -> None:
        """
        Write the store's number into the file, unless that has a higher one.
        """
        self.file.write(self.location, self._stored())

    def _stored(self) -> int:
        return int(self.value(_STORED, (self.location,)) or 0)
