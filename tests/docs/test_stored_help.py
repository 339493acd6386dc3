"""
The stored help is the one that cyclopts renders.
"""

import io
import os

from rich.console import Console

from conexxus_sync.cli._cyclopts_parser import app
from conexxus_sync.cli._stored_help import TEXT


def test_stored_help_is_the_rendered_help():
    """
    The stored text is what cyclopts renders from the commands.

    With CONEXXUS_WRITE_DOCS=1 it is written anew.
    """
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, color_system="standard", width=80, legacy_windows=False
    )
    app.resolved_commands()
    app.meta(["--help"], console=console, result_action="return_value", exit_on_error=False)

    if os.environ.get("CONEXXUS_WRITE_DOCS"):
        TEXT.write_text(stream.getvalue(), "utf-8")

    assert TEXT.read_text("utf-8") == stream.getvalue()
