"""
`conexxus store`: backup, restore, check.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.text_folding import table
from conexxus_sync.stores.sqlite.copies import (
    Progress,
    StoreCheck,
    back_up,
    check,
    restore,
)

from ._console import Progress as Line
from ._console import progress, screen_width, write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted
from ._session import Session
from ._store_file import missing_store, store_path


def store_backup(file: str, *, overwrite: bool = False, session: Session) -> ExitCode:
    """
    Copy the store to a new file, also while a service uses it.

    The copy is one state of the store, complete in one file. To copy the file
    by other means is safe only while nothing uses the store: what was written
    last is in the file that ends in -wal.

    ```
    conexxus store backup /mnt/backup/conexxus-2026-01-02.db
    conexxus store backup /mnt/backup/latest.db --overwrite
    ```

    Args:
        file: Where the copy goes, for its owner alone.
        overwrite: Replace a file that is there.
    """
    path = _present(session.sync_config())
    target = Path(file).absolute()

    with progress(f"Copying {path} …") as show:
        back_up(path, target, overwrite=overwrite, progress=_percent(show, "Copying"))

    size = target.stat().st_size
    if session.json:
        write_json({"store": str(path), "file": str(target), "bytes": size})
    else:
        write_lines([f"The store {path} was copied to {target}: {size:,} bytes."])

    return ExitCode.SUCCESS


def store_restore(file: str, *, overwrite: bool = False, session: Session) -> ExitCode:
    """
    Put a backup in the place of the store. Stop the service first.

    The backup is checked, and left-over files that end in -wal and -shm are
    removed. What was pushed since the backup is not in it, so pushes wait until
    you say what the back office has.

    ```
    conexxus store restore /mnt/backup/conexxus-2026-01-02.db --overwrite
    conexxus push --orders my_shop:orders --adopt-through 2026-01-02
    ```

    Args:
        file: The backup, which stays as it is.
        overwrite: Replace the store that is there.
    """
    path = store_path(session.sync_config())
    backup = Path(file).absolute()

    if not backup.is_file():
        raise ConfigurationError([f"there is no backup {backup}"])

    with progress(f"Checking {backup} …") as show:
        held = restore(backup, path, overwrite=overwrite, progress=_percent(show, "Restoring"))

    if session.json:
        write_json({"store": str(path), "file": str(backup), "heldLocations": list(held)})
    else:
        write_lines(_restored(path, backup, held))

    return ExitCode.SUCCESS


def store_check(file: str | None = None, *, session: Session) -> ExitCode:
    """
    Check each page of the store, or of a backup, and count what is in it.

    ```
    conexxus store check
    conexxus store check /mnt/backup/conexxus-2026-01-02.db --json
    ```

    Args:
        file: A backup instead of the store.
    """
    path = _present(session.sync_config()) if file is None else Path(file).absolute()

    if not path.is_file():
        raise ConfigurationError([f"there is no store at {path}"])

    with progress(f"Checking {path} …"):
        found = check(path)

    if session.json:
        write_json(_to_json(found))
    else:
        write_lines(_shown(found))

    return ExitCode.FAILED if found.problems else ExitCode.SUCCESS


def _present(config: SyncConfig) -> Path:
    """
    The path of the store.

    Raises:
        ConfigurationError: There is none.
    """
    if path := missing_store(config):
        problem = (
            f"There is no store at {path}: set CONEXXUS_STORE to the one that your service uses"
        )
        raise ConfigurationError([problem])

    return store_path(config)


def _percent(show: Line, work: str) -> Progress:
    def shown(done: int, total: int) -> None:
        if total:
            show(f"{work} … {100 * done // total} %")

    return shown


def _restored(path: Path, backup: Path, held: tuple[str, ...]) -> Iterator[str]:
    yield f"The store {path} is now what {backup} holds."

    if held:
        yield f"Pushes of {', '.join(held)} wait. Name the last date that the back office has:"
        yield "  conexxus push --orders ORDERS --adopt-through DATE"


def _shown(found: StoreCheck) -> Iterator[str]:
    yield f"{found.path}: schema version {found.schema_version or 'unknown'}"

    if found.locations:
        rows = [
            (it.location_id, f"{it.items:,}", f"{it.sales:,}", f"{it.batches:,}")
            for it in found.locations
        ]
        yield from table(("location", "items", "sales", "batches"), rows, width=screen_width())

    yield from found.problems
    yield f"{counted(len(found.problems), 'problem')}." if found.problems else "It is sound."


def _to_json(found: StoreCheck) -> dict[str, Any]:
    return {
        "store": str(found.path),
        "sound": not found.problems,
        "schemaVersion": found.schema_version,
        "applicationId": found.application_id,
        "problems": list(found.problems),
        "locations": [
            {
                "locationId": it.location_id,
                "items": it.items,
                "sales": it.sales,
                "batches": it.batches,
            }
            for it in found.locations
        ],
    }
