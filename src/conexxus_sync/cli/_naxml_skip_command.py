"""
`conexxus naxml skip`.
"""

from conexxus_client import ConfigurationError
from conexxus_sync.inventory._file_skip import FileSkip
from conexxus_sync.service._host_objects import folder_source
from conexxus_sync.views.run_document import run_document

from ._console import write_json, write_lines
from ._exit_codes import ExitCode
from ._run_text import counted
from ._session import Session
from ._store_file import changeable
from ._wiring import engine_context


def naxml_skip(file: str, *, reason: str | None = None, session: Session) -> ExitCode:
    """
    Skip a file of the folder that the catalogue comes from, which stops the later ones.

    Nothing of it is applied; the next pull goes on with the file after it. A
    file of this name that has other bytes is read again.

    ```
    conexxus naxml skip ITT20261101.xml --reason "cut off; the next one has it all"
    ```

    Args:
        file: Its name in the folder of CONEXXUS_CATALOG_SOURCE; it must be one of those that wait.
        reason: For the record; `conexxus runs` shows it.
    """
    config, store = changeable(session)
    if config.catalog_source is None:
        problem = "CONEXXUS_CATALOG_SOURCE names no folder: there is no file to skip"
        raise ConfigurationError([problem])

    context = engine_context(config)
    source = folder_source(config.catalog_source, context)
    with store.read() as state:
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
