"""
What to do about an error of SQLite.
"""

import shutil
import sqlite3
from pathlib import Path

from ._file_owner import owner_advice


def explained(path: Path, exc: sqlite3.Error) -> str:
    """
    What failed at the store at *path*, and what to do.
    """
    name = getattr(exc, "sqlite_errorname", "")
    if name == "SQLITE_IOERR_GETTEMPPATH":
        return (
            f"there is no folder for temporary files of the store {path}: let its folder be "
            "written to, or set SQLITE_TMPDIR to one that may be; nothing was changed"
        )
    if name.startswith("SQLITE_IOERR") and _is_full(path):
        name = "SQLITE_FULL"
    advice = next((text for code, text in _ADVICE.items() if name.startswith(code)), "")
    if name.startswith(_DENIED):
        advice = owner_advice(path) or advice

    return f"the store {path} failed: {exc}. {advice}".rstrip()


def _is_full(path: Path) -> bool:
    """
    Has the disk no room for a page?  SQLite names only some failed writes so.
    """
    try:
        return shutil.disk_usage(path.parent).free < _LARGEST_PAGE
    except OSError:
        return False


_LARGEST_PAGE = 64 * 1024

# What SQLite says of files that it may not use.
_DENIED = ("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY", "SQLITE_IOERR")

# By the prefix of SQLite's result code: https://sqlite.org/rescode.html
_ADVICE = {
    "SQLITE_BUSY": "Another process holds it; try again, or stop that process.",
    "SQLITE_CANTOPEN": "Check that its folder exists and may be written to.",
    "SQLITE_CORRUPT": "It is damaged: restore a backup with "
    "`conexxus store restore BACKUP --overwrite`. Without one, move it away (not the file "
    ".freeze), and before anything else is pushed, name the last date that the back office "
    "has: `conexxus push --orders ORDERS --adopt-through DATE`.",
    "SQLITE_FULL": "Free space on its disk (or that of SQLITE_TMPDIR) and run again; "
    "nothing was changed.",
    "SQLITE_IOERR": "Check its disk and run again; nothing was changed.",
    "SQLITE_NOTADB": "It is no SQLite database: check CONEXXUS_STORE.",
    "SQLITE_PERM": "Check who owns the file.",
    "SQLITE_READONLY": "The file or its folder may not be written to: check who owns it.",
}
