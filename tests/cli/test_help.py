"""
The help: stored for `conexxus --help`, and made by cyclopts from the same commands.
"""

import io
import re

import pytest

from conexxus_sync.cli._stored_help import TEXT, stored_help


COLOUR = "\x1b[36m"


class Stream(io.StringIO):
    encoding = "utf-8"

    def __init__(self, terminal=False, encoding="utf-8"):
        super().__init__()
        self.terminal, self.encoding = terminal, encoding

    def isatty(self):
        return self.terminal


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    for variable in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_has_colours_only_on_a_terminal(arguments):
    """
    A program gets the text alone; a terminal that is wide enough, the colours too.
    """
    coloured, plain = (stored_help(arguments, Stream(terminal=it)) for it in (True, False))

    assert COLOUR in coloured
    assert "\x1b" not in plain
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_help_without_colours(monkeypatch, variable, value):
    """
    A terminal that wants no colours gets none.
    """
    monkeypatch.setenv(variable, value)

    assert "\x1b" not in stored_help(["--help"], Stream(terminal=True))


@pytest.mark.parametrize(
    ("variable", "value", "encoding"),
    [("COLUMNS", "60", "utf-8"), ("FORCE_COLOR", "1", "utf-8"), ("COLUMNS", "80", "latin-1")],
)
def test_help_that_can_not_be_stored(monkeypatch, variable, value, encoding):
    """
    Where the stored text does not fit, cyclopts renders another.
    """
    monkeypatch.setenv(variable, value)

    assert stored_help(["--help"], Stream(encoding=encoding)) is None


@pytest.mark.parametrize("arguments", [["pull", "--help"], ["--version"], ["--json", "--help"]])
def test_only_the_help_of_all_commands_is_stored(arguments):
    """
    Everything else is made when it is asked for.
    """
    assert stored_help(arguments, Stream()) is None


@pytest.mark.parametrize(
    "arguments", [("--help",), ("outbox",), ("outbox", "--help"), ("profile",)]
)
def test_lists_of_commands_say_what_each_does(cli, monkeypatch, arguments):
    """
    A list of commands has a text beside each, in a narrow terminal as well.
    """
    monkeypatch.setenv("COLUMNS", "70")
    code, out, _ = cli(*arguments)

    rows = out.split("Commands")[1].split("╰")[0].splitlines()[1:]
    assert code == 0
    assert all(re.match(r"│ [\w (),-]*  +\w", row) for row in rows)
    assert len(rows) > 2


def test_terminal_gets_the_stored_help(shell):
    """
    `conexxus --help` writes the stored text to a terminal, colours included.
    """
    shell.environ.update(TERM="xterm", COLUMNS="80")

    _, shown, _ = shell.on_a_terminal("--help")

    assert TEXT.read_text("utf-8") == shown.replace("\r\n", "\n")
    assert COLOUR in shown
