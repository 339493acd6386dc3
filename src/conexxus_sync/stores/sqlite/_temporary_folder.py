"""
Where SQLite keeps the temporary files of a store: beside it.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path


# Larger than what SQLite keeps in memory with the least of caches.
_SPILL = "CREATE TEMP TABLE tried AS SELECT randomblob(1000000) AS bytes"

# Folders that were offered to SQLite.
_offered = set[Path]()


def keep_temporary_files_beside(path: Path, connection: sqlite3.Connection) -> None:
    """
    Let the temporary files of the store at *path* lie beside it.

    SQLite has one folder for all databases of a process: one that the host
    has chosen stays, be it by this statement or by the variable, which SQLite
    reads when it is loaded.
    """
    folder = path.absolute().parent

    if folder in _offered:
        return

    _offered.add(folder)
    if not os.environ.get("SQLITE_TMPDIR") and not _is_chosen(connection):
        quoted = str(folder).replace("'", "''")
        # A folder that may not be written to is refused: SQLite looks for another.
        with suppress(sqlite3.OperationalError):
            connection.execute(f"PRAGMA temp_store_directory = '{quoted}'")


def _is_chosen(connection: sqlite3.Connection) -> bool:
    chosen = connection.execute("PRAGMA temp_store_directory").fetchone()

    return chosen is not None and os.access(chosen[0], os.W_OK | os.X_OK)


def try_temporary_file(connection: sqlite3.Connection) -> None:
    """
    Make a temporary file, as a large catalogue does.

    Raises:
        sqlite3.Error: There is no folder for it, or no room.
    """
    connection.execute("PRAGMA temp.cache_size = 1")
    connection.execute(_SPILL)
    connection.execute("DROP TABLE temp.tried")
