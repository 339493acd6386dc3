"""
`conexxus pull`.
"""

from collections.abc import Callable

from conexxus_sync._codec import run_to_json

from ._engines import inventory_engine
from ._exit_codes import ExitCode, code_of_run
from ._screen import Progress, progress, say, say_json
from ._session import Flag, Given
from ._words import told


def pull(
    *,
    plan: Flag = False,
    accept: str | None = None,
    force: Flag = False,
    reapply: Flag = False,
    catalog: str | None = None,
    session: Given,
) -> ExitCode:
    """
    Fetch the catalogue from the back office.

    The local catalogue becomes the new one as a whole, or stays as it was.
    A bad item is set aside and does not stop the others.

    ```
    conexxus pull
    conexxus pull --plan
    conexxus pull --json | jq .itemsProcessed
    ```

    Args:
        plan: Show what would change, and change nothing.
        accept: Apply exactly this plan, by the id of its run; not in this version.
        force: Pass all guards once, after you have looked.
        reapply: Hand the whole catalogue to the host's storage again.
        catalog: The host's storage, as package.module:factory.
    """
    with (
        progress("Fetching the catalogue …") as show,
        inventory_engine(session, catalog=catalog, progress=counting(show)) as engine,
    ):
        run = engine.pull(plan=plan, accept=accept, force=force, reapply=reapply)

    if session.json:
        say_json(run_to_json(run))
    else:
        say(told(run))

    return code_of_run(run)


def counting(show: Progress) -> Callable[[int, int | None], None]:
    """
    Show how many items came so far.
    """

    def counted(count: int, total: int | None) -> None:
        of_all = "" if total is None else f" of {total:,}"
        show(f"Fetching the catalogue … {count:,}{of_all} items")

    return counted
