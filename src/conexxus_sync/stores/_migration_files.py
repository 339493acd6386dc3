"""
The numbered migrations, which the databases share.

Each is a file of SQL; a statement ends at the end of a line.  One that is for
a single database has its name before the suffix: `0019_generation.sqlite.sql`.
"""

from functools import cache
from pathlib import Path

from conexxus_sync.errors import StoreError


_FOLDER = Path(__file__).with_name("migrations")


@cache
def migrations(database: str) -> tuple[tuple[str, ...], ...]:
    """
    The statements of each migration, in order; none where it is for another
    database than *database*.
    """
    files = sorted(_FOLDER.glob("[0-9]*.sql"))

    return tuple(_statements(file) if _is_for(file, database) else () for file in files)


def newer(store: str, version: int, known: int) -> StoreError:
    """
    The error for a schema whose *version* is newer than the last that is *known*.
    """
    return StoreError(
        f"the store {store} has schema version {version}, this conexxus-sdk reads {known}: "
        "upgrade conexxus-sdk, or point CONEXXUS_STORE at another database"
    )


def _is_for(file: Path, database: str) -> bool:
    return file.suffixes in ([".sql"], [f".{database}", ".sql"])


def _statements(file: Path) -> tuple[str, ...]:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("--"))

    return tuple(part.strip() for part in text.split(";\n") if part.strip())
