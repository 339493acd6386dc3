"""
The executor that the options of a fleet name.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from conexxus_client import ConfigurationError
from conexxus_sync.protocols import Clock
from conexxus_sync.stores import SyncStore

from ._fleet_options import FleetOptions
from ._local_executor import LocalExecutor
from ._work_item import Executor, WorkItem


if TYPE_CHECKING:
    from dbos import DBOS


def new_executor(
    options: FleetOptions,
    perform: Callable[[WorkItem], None],
    *,
    store: SyncStore,
    clock: Clock,
    on_free: Callable[[], None],
    dbos: "DBOS | None",
) -> Executor:
    """
    Make the executor that *options* name.

    Args:
        dbos: The host's own engine, if it has one.

    Raises:
        ConfigurationError: Its extra is not installed.
        StoreError: It does not start.
    """
    workers, budget = options.workers, options.budget

    if options.executor == "local":
        return LocalExecutor(perform, workers=workers, budget=budget, on_free=on_free)

    try:
        from ._dbos_executor import DbosExecutor
    except ImportError as exc:
        msg = (
            "fleet.executor is dbos, which needs the extra `dbos`: "
            f"pip install 'conexxus-sdk[dbos]' ({exc})"
        )
        raise ConfigurationError([msg]) from exc

    return DbosExecutor(
        perform,
        store=store,
        dbos=dbos,
        workers=workers,
        budget=budget,
        on_free=on_free,
        clock=clock,
    )
