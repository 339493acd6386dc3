"""
Runs one command, and turns whatever ends it into an exit code.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from inspect import signature
from typing import Any

from conexxus_client import ConexxusError, ConfigurationError
from conexxus_client.settings import Document, Settings
from conexxus_sync.config import is_encodable

from ._arguments import Invocation, UsageError, plain_invocation
from ._command_table import COMMANDS, GROUPS
from ._console import use_utf8, write_error, write_json
from ._exit_codes import ExitCode
from ._logs import configure
from ._outcomes import code_of_error, error_document
from ._printable import conceal
from ._printed_commands import PROGRAM, complete_with
from ._session import Session
from ._signals import StoppedError, stop_at_once


# The name of a file may be of any bytes.
_FILES = ("file", "CONEXXUS_CONFIG", "CONEXXUS_ORDERS", "CONEXXUS_STORE")


def run(arguments: Sequence[str], framework: Document | None = None, program: str = PROGRAM) -> int:
    """
    Run one command.

    Args:
        framework: What the settings of the host's framework say.
        program: How it is called, for the commands that it prints.

    Returns:
        Its exit code.
    """
    conceal(os.environ)
    if framework is not None:
        with suppress(ConfigurationError):  # the command says it
            conceal(Settings.of(framework=framework))
    complete_with({}, framework=framework, program=program)

    try:
        invocation = plain_invocation(arguments) or _any_invocation(arguments)
        return 0 if invocation is None else _run(invocation, framework, program)
    except UsageError as exc:
        write_error(str(exc), "Try --help.")
        _write_error_document({"error": str(exc), "problems": [str(exc)]}, arguments)
        return ExitCode.USAGE
    except ConexxusError as exc:
        document = error_document(exc)
        write_error(*document.get("problems", [str(exc)]), f"Help: {exc.help}")
        _write_error_document(document, arguments)
        return code_of_error(exc)
    except StoppedError as exc:
        return exc.exit_code


def _any_invocation(arguments: Sequence[str]) -> Invocation | None:
    from ._cyclopts_parser import invocation  # takes longer than most commands

    return invocation(arguments)


def _run(invocation: Invocation, framework: Document | None, program: str) -> int:
    command, function, values, options, settings = invocation
    _refuse_what_is_no_text({**values, **settings})
    terminal = sys.stderr.isatty()
    # A command writes its outcome to stdout; on a terminal, twice is too much.
    quiet = terminal and options.log_format is None and not command.is_lasting
    complete_with(settings, framework=framework, program=program)
    session = Session(
        given=settings,
        create_store=options.create_store,
        json=options.json,
        log_format=options.log_format,
        framework=framework,
    )
    how = options.log_format or ("text" if terminal else "json")
    configure(how, runs=not quiet, zone=session.zone)
    if options.json:
        use_utf8()
    given = {"session": session} if "session" in signature(function).parameters else {}

    try:
        with nullcontext() if command.is_lasting else stop_at_once(), session.cleanup:
            return int(function(**values, **given) or 0)
    except StoppedError:
        write_error(command.when_stopped)
        raise


def _refuse_what_is_no_text(values: Mapping[str, Any]) -> None:
    """
    Refuse bytes that are no UTF-8: nothing in the store is called so.
    """
    for name, value in values.items():
        if isinstance(value, str) and name not in _FILES and not is_encodable(value):
            msg = f"{name} {value!a} has bytes that are no UTF-8: type it anew"
            raise UsageError(msg)


def _write_error_document(document: dict[str, Any], arguments: Sequence[str]) -> None:
    """
    With `--json`, stdout gets a document, also of an error.
    """
    command = next((word for word in arguments if word in COMMANDS or word in GROUPS), None)

    # Stdout of `items` is items, one a line, and of an error none.
    one_a_line = command == "items" or (command == "naxml" and "show" in arguments)
    if "--json" in arguments and not one_a_line:
        use_utf8()
        write_json(document)
