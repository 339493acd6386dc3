"""
`conexxus naxml skip`.
"""

from typing import TYPE_CHECKING

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.inventory._file_skip import FileSkip
from conexxus_sync.service._host_objects import folder_source
from conexxus_sync.service._shadow_catalogue import ShadowCatalogue
from conexxus_sync.stores import open_store
from conexxus_sync.views.run_document import run_document

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted
from ._session import Session
from ._store_file import changeable
from ._wiring import engine_context


if TYPE_CHECKING:
    from conexxus_sync.engines import EngineContext
    from conexxus_sync.sources.naxml import FolderSource


def naxml_skip(file: str, *, reason: str | None = None, session: Session) -> ExitCode:
    """
    Skip a file of the folder that the catalogue comes from, or is compared with,
    which stops the later ones.

    Nothing of it is applied; the next pull goes on with the file after it. A
    file of this name that has other bytes is read again.

    ```
    conexxus naxml skip ITT20261101.xml --reason "cut off; the next one has it all"
    ```

    Args:
        file: Its name in the folder of CONEXXUS_CATALOG_SOURCE, or in shadow mode in that of
            CONEXXUS_SHADOW; it must be one of those that wait.
        reason: For the record; `conexxus runs` shows it, except in shadow mode.
    """
    config, _ = changeable(session)
    context, source = _folder(config)

    with context.store.read() as state:
        waiting = source.waiting(state.source_files.applied())
    if file not in waiting:
        named = f"the next is {waiting[0]}" if waiting else "none does"
        raise ConfigurationError([f"{file[:60]} is not among the files that wait: {named}"])

    run = FileSkip(context=context).skip(source.unread(file), reason)
    left = len(waiting) - 1

    if session.json:
        write_json(run_document(run))
    else:
        waits = f"{counted(left, 'file')} {'waits' if left == 1 else 'wait'}: conexxus pull"
        write_lines([f"{run.note}.", waits if left else "No other file waits."])

    return ExitCode.SUCCESS


def _folder(config: SyncConfig) -> "tuple[EngineContext, FolderSource]":
    """
    The folder, and where it is stored which of its files were applied.
    """
    context = engine_context(config)
    if config.catalog_source is not None:
        return context, folder_source(config.catalog_source, context)

    shadow = ShadowCatalogue.of(context, open_store(config.store))
    if shadow is None or config.shadow is None:
        problem = (
            "neither CONEXXUS_CATALOG_SOURCE nor CONEXXUS_SHADOW names a folder: "
            "there is no file to skip"
        )
        raise ConfigurationError([problem])

    beside = shadow.files.context

    return beside, folder_source(config.shadow, beside, "CONEXXUS_SHADOW")
