"""
Checks the folder of files that the catalogue comes from.
"""

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.shadow import SHADOW_MARK
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.service._host_objects import folder_source
from conexxus_sync.stores import open_store

from ._check_result import CheckResult, failure, misconfigured
from ._session import Session
from ._store_file import missing_store


_CHECK = "catalogue files"


def folder_check(
    config: SyncConfig, session: Session, variable: str = "CONEXXUS_CATALOG_SOURCE"
) -> CheckResult:
    """
    Whether the folder that *variable* names can be read, and which files wait in it.
    """
    address = session.settings()[variable]
    mark = SHADOW_MARK if variable == "CONEXXUS_SHADOW" else ""
    context = EngineContext(
        store=open_store(config.store).at(f"{config.location_id}{mark}"),
        config=config,
        clock=SystemClock(),
    )

    try:
        source = session.host_object(lambda _: folder_source(address, context, variable))
        assert source is not None, "the settings were read before"
        if missing_store(config) is not None:
            waiting = source.waiting({})
        else:
            with context.store.read() as state:
                waiting = source.waiting(state.source_files.applied())
    except ConfigurationError as exc:
        return misconfigured(_CHECK, str(exc))
    except ConexxusError as exc:
        return failure(_CHECK, str(exc))

    folder = source.address.folder
    if not waiting:
        return CheckResult(check=_CHECK, message=f"{folder}: no complete file waits")

    return CheckResult(
        check=_CHECK,
        message=f"{folder}: {counted(len(waiting), 'file')} to apply, the next is {waiting[0]}",
    )
