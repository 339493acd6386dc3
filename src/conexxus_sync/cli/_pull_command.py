"""
`conexxus pull`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from conexxus_client import ConfigurationError
from conexxus_sync.engines import ignore
from conexxus_sync.inventory import InventorySync
from conexxus_sync.model.catalogue import AbsentItem, PriceChange
from conexxus_sync.model.formatting import money
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.service._host_objects import catalog_source, catalog_storage
from conexxus_sync.service._shadow_catalogue import ShadowCatalogue
from conexxus_sync.stores import LocationStore, open_store
from conexxus_sync.views.run_document import run_document

from ._console import Progress, asked, progress, write_json, write_lines
from ._exit_codes import ExitCode
from ._outcomes import code_of_run
from ._run_text import SHOWN_ISSUES, run_lines
from ._session import Session, collected
from ._store_file import note_new_store, opened
from ._wiring import engine_context, shared_client


def pull(
    *,
    plan: bool = False,
    accept: str | None = None,
    force: bool = False,
    reapply: bool = False,
    yes: bool = False,
    session: Session,
) -> ExitCode:
    """
    Fetch the catalogue from the back office, or apply the files that wait in a folder.

    The local catalogue becomes the new one as a whole, or stays as it was.
    A bad item is set aside and does not stop the others.

    ```
    conexxus pull
    conexxus pull --plan
    conexxus pull --accept 20260102T233000123Z-9f3a1c7d --yes
    conexxus pull --json | jq .itemsProcessed
    ```

    Args:
        plan: Show what would change, prices old and new, and what is absent; change nothing.
        accept: Apply what this planned or refused run showed, whatever the guards say, if
            that is still what the back office has; else it is refused.
        force: Pass all guards once, after you have looked.
        reapply: Hand the whole catalogue to the host's storage again.
        yes: With --accept, do not ask at the terminal.
    """
    if accept is not None and not yes:
        _confirm(accept, session)

    with (
        progress("Fetching the catalogue …") as show,
        inventory_engine(session, progress=counting(show)) as engine,
    ):
        run = engine.pull(plan=plan, accept=accept, force=force, reapply=reapply)

    if session.json:
        write_json(run_document(run))
    else:
        write_lines(run_lines(run))
        if run.planned or run.refused:
            with engine.context.store.read() as state:
                write_lines(price_lines(run, state.plans.prices(run.id)))
                write_lines(absent_lines(run, state.plans.absent(run.id)))
        if engine.context.config.shadow is not None:
            write_lines(_shadow_lines(run, engine.context.store))

    return code_of_run(run)


@contextmanager
def inventory_engine(
    session: Session,
    *,
    progress: Callable[[int, int | None], None],
) -> Iterator[InventorySync]:
    """
    The engine that pulls, with a client of its own.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    problems: list[str] = []
    storage = collected(problems, lambda: session.host_object(catalog_storage))
    profile = collected(problems, session.api_profile)
    client_config, config = session.pull_configs(problems)
    context = engine_context(config)
    source = session.host_object(lambda _: catalog_source(context))
    shadow = session.host_object(lambda _: ShadowCatalogue.of(context, open_store(config.store)))

    note_new_store(config)

    with ExitStack() as stack:
        client = None
        if client_config is not None:
            client = stack.enter_context(shared_client(client_config, profile, context))
        yield InventorySync(
            client=client,
            context=context,
            storage=storage,
            progress=progress,
            source=source,
            after=ignore if shadow is None else shadow.look,
        )


def _confirm(accept: str, session: Session) -> None:
    """
    Ask at a terminal whether the plan shall be applied; a script is not asked.

    Raises:
        ConfigurationError: The answer is no.
    """
    if not sys.stdin.isatty():
        return

    _, store = opened(session)
    with store.read() as state:
        # What is no plan is refused by the pull.
        shown = state.plans.summary(accept).lines() if state.plans.get(accept) else []

    if shown and not asked([*shown, "Apply exactly this?"]):
        raise ConfigurationError(["pull --accept was not confirmed: nothing was changed"])


def price_lines(run: SyncRun, prices: Iterable[PriceChange]) -> Iterator[str]:
    """
    The prices that *run* would change: all of a plan, the first of what was refused.
    """
    lines = (f"{it.sku}: {money(it.old)} → {money(it.new)}  {it.name}" for it in prices)

    return _first(run, "Prices that would change", lines)


def absent_lines(run: SyncRun, items: Iterable[AbsentItem]) -> Iterator[str]:
    """
    The items in force that the catalogue of *run* lacks, as `price_lines` has prices.
    """
    return _first(
        run, "Items that are absent", (f"{it.sku}: {money(it.price)}  {it.name}" for it in items)
    )


def _shadow_lines(run: SyncRun, store: LocationStore) -> Iterator[str]:
    """
    What the files were found to differ in after *run*, as `conexxus status` says it.
    """
    with store.read() as state:
        look = state.shadow_looks.latest()

    if look is not None and look.at >= run.start_time:
        yield f"  Files: {look}."


def _first(run: SyncRun, title: str, lines: Iterable[str]) -> Iterator[str]:
    most = None if run.planned else SHOWN_ISSUES

    for number, line in enumerate(lines):
        if number == 0:
            yield f"  {title}:"
        if number == most:
            yield "    … and more; all of them: conexxus pull --plan"
            return
        yield f"    {line}"


def counting(show: Progress) -> Callable[[int, int | None], None]:
    """
    Show how many items came so far.
    """

    def counted(count: int, total: int | None) -> None:
        of_all = "" if total is None else f" of {total:,}"
        show(f"Fetching the catalogue … {count:,}{of_all} items")

    return counted
