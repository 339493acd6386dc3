"""
`conexxus`: the SDK on the command line.

What a command needs is imported when it runs: `conexxus pull --json` loads
neither rich nor a web server.
"""

import os
import sys
from collections.abc import Sequence

from ._exit_codes import ExitCode


__all__ = ["ExitCode", "main"]

BROKEN_PIPE = 141
INTERRUPTED = 130
MISSING_EXTRA = "conexxus: the command line needs an extra: pip install 'conexxus-sdk[cli]'\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Returns:
        Its exit code, for `sys.exit`.
    """
    try:
        from ._app import run
    except ModuleNotFoundError as exc:
        if exc.name != "cyclopts":
            raise
        sys.stderr.write(MISSING_EXTRA)
        return ExitCode.USAGE

    try:
        code = run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        # It came before the command took over the signals.
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough.  Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE

    return code
