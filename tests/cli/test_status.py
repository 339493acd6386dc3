"""
What `conexxus status` says.
"""

import json

import pytest

from conexxus_sync import ConexxusService
from conexxus_sync.views.text import headline


@pytest.fixture
def on_terminal(shell):
    """
    Runs a command whose stdout is a terminal, and returns what that shows.
    """

    def run(*arguments, **environ):
        shell.environ.update(TERM="xterm", **environ)
        code, shown, _ = shell.on_a_terminal(*arguments)
        assert code == 0
        return shown

    return run


def status(cli):
    """
    Exit code, sentences and document.
    """
    code, out, _ = cli("status")

    return code, out, json.loads(cli("status", "--json")[1])


def test_nothing_was_pulled(cli):
    """
    All is not well where nothing ever happened.
    """
    code, out, document = status(cli)

    assert (code, document["items"]) == (0, 0)
    assert "Nothing was pulled yet." in out


def test_all_is_well(cli):
    """
    After a good pull, it is.
    """
    cli("pull")

    _, out, document = status(cli)

    assert "All is well." in out
    assert (document["quarantined"], document["unknownBatches"]) == (0, 0)


@pytest.mark.parametrize(
    ("fault", "key", "alert"),
    [
        ("after_commit(reset)", "unknownBatches", "1 batch of sales of unknown fate"),
        ("422", "quarantinedSales", "1 sale set aside"),
    ],
)
def test_what_became_of_sales(cli, office, fault, key, alert):
    """
    It needs no order source to know that a sale waits for somebody.
    """
    cli("pull")
    office.faults(f"sales: {fault}")
    cli("push", "--date", "2026-01-03", "--orders", "sales.ndjson")

    _, out, document = status(cli)

    assert (document[key], document["sales"]["enabled"]) == (1, False)
    assert "All is well" not in out
    assert alert in out


def test_quarantine_is_all_that_was_set_aside(cli, office):
    """
    Items and sales, as `conexxus quarantine list` shows them.
    """
    office.catalog = [*office.catalog, {"sku": "BAD", "name": "b", "price": "free"}]
    cli("pull")
    office.faults("sales: 422")
    cli("push", "--date", "2026-01-03", "--orders", "sales.ndjson")

    _, _, document = status(cli)

    assert (document["quarantined"], document["quarantinedSales"]) == (2, 1)


def test_lines_that_do_not_add_up(cli, shell):
    """
    They are counted and shown, and all is well.
    """
    sales = shell.folder / "sales.ndjson"
    sales.write_text(sales.read_text().replace('"total":-3.10', '"total":-3.41'))
    cli("pull")
    cli("push", "--date", "2026-01-03", "--orders", "sales.ndjson")

    _, out, document = status(cli)

    assert document["mismatchedSales"] == 1
    assert "Lines do not add up to the total in 1 sale." in out
    assert "All is well." in out


@pytest.mark.case(
    "D10", "`status`, with an order source in `CONEXXUS_ORDERS`", "counts it as there"
)
def test_order_source_of_the_settings(cli, monkeypatch):
    """
    An order source that is a setting is one that this location has.
    """
    cli("pull")
    without = status(cli)[2]
    monkeypatch.setenv("CONEXXUS_ORDERS", "sales.ndjson")

    assert (without["sales"]["enabled"], status(cli)[2]["sales"]["enabled"]) == (False, True)


def test_store_that_can_not_be_read(cli, shell):
    """
    It says so, and fails.
    """
    (shell.folder / "conexxus.db").write_text("This is no database, but long enough. " * 9)

    code, out, document = status(cli)

    assert (code, document["status"], document["lastSyncStatus"]) == (1, "unhealthy", None)
    assert "no SQLite database" in out


def test_same_words_as_the_page(cli, shell):
    """
    The terminal says the sentence that the page says, and last night's.
    """
    cli("pull")
    service = ConexxusService.from_env(shell.environ | {"CONEXXUS_STORE": shell.store})

    _, out, _ = status(cli)

    assert out.splitlines()[1] == headline(service.health())


def test_no_colour_in_a_pipe(cli):
    """
    What is read by a program has no escape codes.
    """
    cli("pull")

    assert "\x1b" not in status(cli)[1]


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_colour_in_a_terminal(shell, on_terminal, no_colour, coloured):
    """
    A terminal shows colours, unless its user wants none.
    """
    shell.run("pull")

    out = on_terminal("status", NO_COLOR=no_colour)

    assert "All is well." in out
    assert ("\x1b[32m" in out) is coloured


def test_names_that_steer_a_terminal(cli, office):
    """
    What came from elsewhere can't move a cursor.
    """
    office.faults("catalog: 503")
    cli("pull", "--location", "l\x1b[2J\u202e1")

    _, out, _ = cli("status", "--location", "l\x1b[2J\u202e1")

    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(
    "command", [("pull",), ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")]
)
def test_command_that_reached_nothing(cli, monkeypatch, command):
    """
    The back office was reached before, and a single command is refused: its
    last call counts, though the command is over.
    """
    cli("pull")
    monkeypatch.setenv("CONEXXUS_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CONEXXUS_RETRIES", "0")

    cli(*command)

    _, out, _ = cli("status", "--json")
    assert "ConexxusApiDown" in out
