"""
The file beside a store, which holds how often the sales of each location were frozen.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.runtime.run_logging import safe_logger


if sys.platform != "win32":
    import fcntl

_log = safe_logger(__name__)


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
        The numbers in it; none if it is missing or is no such file.

        Raises:
            StoreError: It belongs to another user, who has to give it away.
        """
        try:
            found = json.loads(self.path.read_bytes())
        except PermissionError as exc:
            msg = (
                f"the file {self.path} can't be read: {exc.strerror}. It shows whether the store "
                "was restored from a backup. Give it to the user of the service, with `chown`; it "
                "is not to be deleted"
            )
            raise StoreError(msg) from exc
        except (OSError, ValueError, RecursionError):
            return {}

        if not isinstance(found, dict):
            return {}

        return {str(name): number for name, number in found.items() if type(number) is int}

    def write(self, location: str, number: int) -> None:
        """
        Write the number of a location, unless it has a higher one.
        """
        # The numbers of other locations are written by other threads and processes.
        with _writers.lock, self._locked():
            self._write(location, number)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """
        While no other process writes the file.

        The folder is locked: the file itself is replaced.
        """
        with ExitStack() as stack:
            if sys.platform != "win32":
                # Not every file system has locks; a folder that is not there is
                # reported when the file is written.
                with suppress(OSError):
                    folder = os.open(self.path.parent, os.O_RDONLY)
                    stack.callback(os.close, folder)
                    fcntl.flock(folder, fcntl.LOCK_EX)
            yield

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
