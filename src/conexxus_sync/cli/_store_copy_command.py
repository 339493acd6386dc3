"""
`conexxus store copy`: from one database to another.
"""

from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store
from conexxus_sync.stores._store_copy import StoreCopy, copy_store

from ._console import progress, write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted
from ._session import Session


def store_copy(source: str, target: str, *, session: Session) -> ExitCode:
    """
    Copy a store to another database, between SQLite and PostgreSQL. Stop the
    service first.

    All rows are copied in one transaction and compared one by one. The source
    then starts no run any more, so that no sale is pushed from both. A copy
    that was interrupted is made by the same command again.

    ```
    conexxus store copy sqlite:///conexxus.db postgresql://pos@db.example/shop
    ```

    Args:
        source: The URL of the store, as in CONEXXUS_STORE.
        target: The URL of an empty one, which is created.
    """
    old, new = open_store(source), open_store(target)

    with progress(f"Copying {old} …") as show:
        done = copy_store(
            old, new, now=SystemClock().now(), step=lambda name: show(f"Copying {old}: {name} …")
        )

    if session.json:
        write_json(
            {"store": str(old), "target": str(new), "rows": done.rows, "wasThere": done.was_there}
        )
    else:
        write_lines(_shown(str(old), str(new), done))

    return ExitCode.SUCCESS


def _shown(old: str, new: str, done: StoreCopy) -> list[str]:
    rows = counted(sum(done.rows.values()), "row")
    what = "holds what {} does" if done.was_there else "is now a copy of {}"

    return [
        f"The store {new} {what.format(old)}: {rows}, compared one by one.",
        f"The store {old} starts no run any more: set CONEXXUS_STORE to the new one.",
    ]
