"""
The stored text of `conexxus --help`, shown without an import of cyclopts and all commands.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import TextIO


# As cyclopts renders it in colour; a test writes it and keeps it up to date.
TEXT = Path(__file__).with_name("help.txt")
WIDTH = 80

_ASKS_FOR_IT: tuple[list[str], ...] = ([], ["--help"], ["-h"])
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def stored_help(arguments: Sequence[str], stream: TextIO) -> str | None:
    """
    The help, if *arguments* ask for it and *stream* can show it as it is stored.
    """
    environ, terminal = os.environ, stream.isatty()
    as_stored = (
        stream.encoding.lower().replace("-", "") == "utf8"
        and get_terminal_size().columns >= WIDTH
        and not environ.get("FORCE_COLOR")
        # Some consoles of Windows have colours by function calls only.
        and not (terminal and os.name == "nt")
    )

    if list(arguments) not in _ASKS_FOR_IT or not as_stored:
        return None

    colourless = environ.get("NO_COLOR") or environ.get("TERM", "dumb") in ("dumb", "unknown")
    text = TEXT.read_text("utf-8")

    return text if terminal and not colourless else _COLOUR.sub("", text)
