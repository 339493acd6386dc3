"""
The command `conexxus`: its entry point, and what it does about broken streams.

What a command needs is imported when it runs: `conexxus --help` loads no
command, and `conexxus pull` neither cyclopts nor rich nor what pushes sales.
"""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from ._exit_codes import ExitCode
from ._stored_help import stored_help


if TYPE_CHECKING:
    # The help needs no settings.
    from conexxus_client.settings import Document

__all__ = ["ExitCode", "main"]

BROKEN_PIPE = 141
INTERRUPTED = 130
MISSING_EXTRA = "conexxus: the command line needs an extra: pip install 'conexxus-sdk[cli]'\n"


def main(
    arguments: Sequence[str] | None = None,
    *,
    framework: "Document | None" = None,
    program: str = "conexxus",
) -> int:
    """
    Run one command.

    Args:
        arguments: Instead of those of the process.
        framework: What the settings of the host's framework say.
        program: How it is called, for the commands that it prints.

    Returns:
        Its exit code, for `sys.exit`.
    """
    _make_streams_usable()

    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments), framework, program)
        sys.stdout.flush()
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("cyclopts", "pythonjsonlogger", "rich"):
            raise
        sys.stderr.write(MISSING_EXTRA)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        # It came before the command took over the signals.
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough.
        _drop_output()
        return BROKEN_PIPE
    except OSError as exc:
        # The store and the network have errors of their own: this is stdout.
        _drop_output()
        sys.stderr.write(f"conexxus: the output can't be written: {exc.strerror or exc}\n")
        return ExitCode.FAILED

    return code


def _run(arguments: list[str], framework: "Document | None", program: str) -> int:
    text = stored_help(arguments, sys.stdout)

    if text is None:
        from ._command_line import run

        return run(arguments, framework, program)

    sys.stdout.write(text)
    return ExitCode.SUCCESS


def _make_streams_usable() -> None:
    """
    Whatever the shell did to stdout and stderr, text can be written there.
    """
    # A closed one is None, and the next file that is opened gets its number:
    # better the null device than a database.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  # as long as we live
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115  # as long as we live

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """
    Python would complain again at exit, of what is still in its buffer.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
