"""
The SDK's own state in one SQLite file.
"""

import os
from pathlib import Path

from conexxus_sync.runtime.processes import Processes
from conexxus_sync.stores._freeze_file import FreezeFile
from conexxus_sync.stores._sync_store import SyncStore

from ._sqlite_database import SqliteDatabase


class SqliteStore(SyncStore):
    """
    Everything that the SDK remembers, in the file at *path*.

    Args:
        database: Instead of one that is made for *path*.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        processes: Processes | None = None,
        database: SqliteDatabase | None = None,
    ) -> None:
        self.path: Path = Path(path)
        super().__init__(
            database or SqliteDatabase(self.path),
            FreezeFile(freeze_file(self.path)),
            processes=processes,
        )

    def __str__(self) -> str:
        return str(self.path.absolute())

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"


def freeze_file(path: Path) -> Path:
    """
    The file beside the store at *path*, whichever link leads there.
    """
    real = Path(os.path.realpath(path))
    return real.with_name(f"{real.name}.freeze")
