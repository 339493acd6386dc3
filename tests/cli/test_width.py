"""
Output fits a terminal of 80 columns, and shows each reason whole there and in a pipe.
"""

import json
import re

import pytest

from conexxus_sync.model.text_folding import folded, table


WIDTH = 80
REASON = (
    "The contract of this store has ended and its operator has to sign the new one before any "
    "item or sale is exchanged with the head office again"
)


@pytest.fixture
def shell(shell):
    """
    A plain terminal.
    """
    shell.environ.update(TERM="dumb", CONEXXUS_ORDERS="sales.ndjson")
    return shell


@pytest.fixture
def troubled(shell, cli, office):
    """
    A store whose pulls and pushes failed for a long reason.
    """
    bad = {"sku": "BAD", "name": "A bad item", "price": "a price that is a sentence " * 4}
    office.catalog = [*office.catalog, bad]
    assert cli("pull")[0] == 3
    body = "body=" + json.dumps(json.dumps({"error": REASON}))
    office.faults(f"sales: status(422, {body})*6, status(403, {body})*forever")
    cli("push", "--date", "2026-01-02")
    office.faults(
        f"catalog: status(403, {body})*forever; sales: status(403, {body})*forever; "
        f"health: status(403, {body})*forever"
    )
    cli("push", "--date", "2026-01-03")
    return shell


def on_a_terminal(shell, arguments, *, stream="stdout"):
    """
    The lines of *stream* on a terminal of 80 columns.
    """
    _, shown, _ = shell.on_a_terminal(*arguments, stream=stream)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "").split("\n")


def words(text):
    return " ".join(text.split())


COMMANDS = {
    "pull": True,
    "push --date 2026-01-03": True,
    "status": True,
    "runs": True,
    "outbox list --all": True,
    "outbox show 20260103": True,
    "outbox dates": False,
    "quarantine list": True,
    "quarantine show BAD": False,
    "why t3": True,
    "doctor": True,
    "config show": False,
    "profile show": False,
    "store check": False,
    "reconcile --date 2026-01-02": False,
    "items": False,
    "run --once": True,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_whole_reasons(troubled, cli, command):
    """
    Lines are folded between words on a terminal, and whole in a pipe; nothing is cut.
    """
    lines = on_a_terminal(troubled, command.split())
    _, piped, _ = cli(*command.split())

    assert [line for line in lines if not fits(line)] == []
    if COMMANDS[command]:
        assert REASON in words("\n".join(lines))
        assert any(REASON in line for line in piped.splitlines())


def fits(line):
    """
    A command, a long word and data as it came stay whole.
    """
    return (
        len(line) <= WIDTH or line.startswith('{"') or " " not in re.sub("`.*`", "", line.strip())
    )


def test_error(shell):
    """
    An error is folded behind its beginning.
    """
    shell.environ["CONEXXUS_TIMEZONE"] = "A zone that there is not, with a long name"

    lines = on_a_terminal(shell, ["push"], stream="stderr")

    assert all(map(fits, lines))
    assert lines[0].startswith("conexxus: CONEXXUS_TIMEZONE must be an IANA time zone")
    assert lines[1].startswith("          ")


def test_command_is_not_divided():
    """
    A command stays in one line, between backticks and at the end of a line.
    """
    quoted = "Ask the back office for the sales, then `conexxus outbox resolve KEY --delivered`."
    at_the_end = "If you have looked and it is right: conexxus pull --accept 20260102T1504-1"

    assert folded(quoted, 60) == [
        "Ask the back office for the sales, then",
        "  `conexxus outbox resolve KEY --delivered`.",
    ]
    assert folded(at_the_end, 60)[1] == "  conexxus pull --accept 20260102T1504-1"


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (None, ["r-1  a reason of seven words that is long"]),
        (40, ["r-1  a reason of seven words that is", "     long"]),
    ],
)
def test_table(width, row):
    """
    The last column is folded in its place where there is room.
    """
    reason = "a reason of seven words that is long"

    assert table(("id", "why"), [("r-1", reason)], width=width) == ["id   why", *row]


def test_narrow_table():
    """
    What does not fit beside the other columns stands below them.
    """
    name = "a-name-of-twenty-five-let"

    assert table(("id", "why"), [(name, "a reason of seven words")], width=42) == [
        "id",
        "  why",
        name,
        "  a reason of seven words",
    ]
