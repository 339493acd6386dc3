"""
Numbers of freezes, in the store and in the file beside it: a store that lags was restored.
"""

import json
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import attrs

from conexxus_sync.model.sales import FreezeNumbers
from conexxus_sync.runtime.run_logging import safe_logger

from ._database import Database


_log = safe_logger(__name__)


@attrs.define
class SqliteFreezes:
    """
    Rows of `sales_freezes`, and the file that holds the same numbers.

    Whatever is frozen or about to be sent advances the number; once that is
    committed, and before anything is sent, the file is replaced.  So a store
    whose number is lower than the file's has forgotten what was sent since.

    Attributes:
        path: Of the file.
    """

    store: Database
    path: Path
    _changed: dict[sqlite3.Connection, set[str]] = attrs.field(factory=dict, init=False)

    def advance(self, connection: sqlite3.Connection, location_id: str) -> None:
        """
        Count one more, in the transaction that is open.
        """
        connection.execute(
            "INSERT INTO sales_freezes VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1",
            (location_id,),
        )
        self._changed.setdefault(connection, set()).add(location_id)

    def numbers(self, connection: sqlite3.Connection, location_id: str) -> FreezeNumbers:
        """
        What store and file say.
        """
        return FreezeNumbers(
            path=self.path,
            stored=self._stored(connection, location_id),
            beside=self._read().get(location_id),
        )

    def catch_up(self, connection: sqlite3.Connection, location_id: str) -> None:
        """
        Take the number of the file for the store's, because an operator said
        what was sent meanwhile.
        """
        beside = self._read().get(location_id, 0)

        if beside > self._stored(connection, location_id):
            connection.execute(
                "INSERT OR REPLACE INTO sales_freezes VALUES (?, ?)", (location_id, beside)
            )

    def committed(self, connection: sqlite3.Connection) -> None:
        """
        Write what the transaction that has just ended advanced.
        """
        for location_id in self._changed.pop(connection, ()):
            self.write(connection, location_id)

    def rolled_back(self, connection: sqlite3.Connection) -> None:
        """
        Forget what the transaction advanced.
        """
        self._changed.pop(connection, None)

    def write(self, connection: sqlite3.Connection, location_id: str) -> None:
        """
        Write the store's number into the file, unless that has a higher one.
        """
        number, known = self._stored(connection, location_id), self._read()

        if known.get(location_id, -1) >= number:
            return

        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")

        try:
            descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({**known, location_id: number}, file)
            draft.replace(self.path)
        except OSError as exc:
            # What is sent is safe; only a restored store would not be noticed.
            with suppress(OSError):
                draft.unlink()
            _log.warning("The file %s can't be written: %s", self.path, exc.strerror)

    def _stored(self, connection: sqlite3.Connection, location_id: str) -> int:
        row = connection.execute(
            "SELECT number FROM sales_freezes WHERE location = ?", (location_id,)
        ).fetchone()

        return 0 if row is None else int(row[0])

    def _read(self) -> dict[str, int]:
        """
        The numbers in the file; none if it is missing or can't be read.
        """
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}

        if not isinstance(found, dict):
            return {}

        return {str(name): number for name, number in found.items() if type(number) is int}
