"""
`conexxus cutover`: whether a store can be cut over from files to the back office.
"""

from collections.abc import Iterator

from conexxus_sync.config import SyncConfig
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.shadow import agreed_since, cutover_obstacles
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store
from conexxus_sync.views.run_document import Document

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._session import Session
from ._store_file import readable


class CutoverDocument(Document, frozen=True):
    """
    What programs read of it.
    """

    locationId: str  # noqa: N815  # as the wire has it
    ready: bool
    comparisons: int
    obstacles: list[str]


def cutover(store_id: str | None = None, *, session: Session) -> ExitCode:
    """
    Say whether the files of a store and its back office agreed for a week.

    In shadow mode (CONEXXUS_SHADOW), each pull compares both. If nothing
    differed for seven days, and no day is without a comparison, it says what
    to switch off. Nothing is changed. Exits with 3 while there are obstacles.

    ```
    conexxus cutover
    conexxus cutover loc-001 --json | jq .ready
    ```

    Args:
        store_id: The location, as the back office names it; by default, that of LOCATION_ID.
    """
    config = readable(session)

    location = store_id or config.location_id

    with open_store(config.store).at(location).read() as state:
        looks = state.shadow_looks.all()
    obstacles = cutover_obstacles(looks, SystemClock().now())

    if session.json:
        write_json(
            CutoverDocument(
                locationId=location,
                ready=not obstacles,
                comparisons=len(looks),
                obstacles=obstacles,
            )
        )
    elif obstacles:
        write_lines(
            [f"Location {location} can't be cut over yet:", *(f"  {it}" for it in obstacles)]
        )
    else:
        write_lines(_steps(location, config, len(agreed_since(looks))))

    return ExitCode.PARTIAL if obstacles else ExitCode.SUCCESS


def _steps(store: str, config: SyncConfig, looks: int) -> Iterator[str]:
    yield (
        f"Location {store} can be cut over: files and back office agreed in "
        f"{counted(looks, 'comparison')}, for 7 days or more."
    )
    yield "  1. Switch off what writes the files for this store."
    yield "  2. Switch off what the register reads them with."
    where = f"({config.shadow})" if config.shadow else ""
    yield f"  3. Unset CONEXXUS_SHADOW {where}".rstrip() + ", and start the service anew."
    yield "  4. Keep the last complete file until the register has sold for a day."
