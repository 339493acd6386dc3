"""
Facts about commands that find no store where they look for one.
"""

import io
import json
import sys

import pytest


PUSH = ("push", "--orders", "sales.ndjson", "--since", "2026-01-01")


@pytest.fixture
def nowhere(cli, shell, monkeypatch):
    """
    A folder without a store, next to the one of the service.
    """
    folder = shell.folder / "elsewhere"
    folder.mkdir()
    (folder / "sales.ndjson").write_bytes((shell.folder / "sales.ndjson").read_bytes())
    (folder / "shop.py").write_text("from conexxus_client import ApiProfile\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.case(
    "C6",
    "The same push is run from another folder, with a relative path of the store",
    "It exits with 2, names the absolute path, and sends nothing",
)
def test_a_push_from_another_folder(nowhere, cli, shell, office, monkeypatch):
    """
    A second ledger is not begun unasked.
    """
    monkeypatch.chdir(shell.folder)
    assert cli(*PUSH)[0] == 0
    monkeypatch.chdir(nowhere)

    code, out, err = cli(*PUSH, "--json")

    assert (code, office.requests["sales"]) == (2, 2)
    (problem,) = json.loads(out)["problems"]
    assert problem in err
    assert problem == (
        f"There is no store at {nowhere / 'conexxus.db'}: set CONEXXUS_STORE to the one that your "
        "service uses, or say --create-store"
    )
    assert not (nowhere / "conexxus.db").exists()


@pytest.mark.case(
    "C6",
    "Any command that changes the store finds none",
    "It exits with 2 and creates none",
)
@pytest.mark.parametrize(
    "command",
    [
        PUSH,
        ("push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-02"),
        ("outbox", "resend", "x"),
        ("outbox", "resolve", "x", "--delivered"),
        ("quarantine", "replay", "x"),
        ("profile", "change", "--profile", "default", "--yes"),
    ],
)
@pytest.mark.parametrize("given", [(), ("--store", "sqlite:///sub/../other.db")])
def test_commands_that_change_it(nowhere, cli, office, command, given):
    """
    Whether the path is the default or given, and whatever is to be changed.
    """
    before = sorted(nowhere.iterdir())

    code, _, err = cli(*command, *given)

    assert (code, f"There is no store at {nowhere}" in err) == (2, True)
    assert sorted(nowhere.iterdir()) == before
    assert office.requests["sales"] == 0


@pytest.mark.case(
    "C6",
    "The path leads to an empty file, or nowhere",
    "That is no store either",
)
@pytest.mark.parametrize("kind", ["empty", "dangling"])
def test_what_is_no_store(nowhere, cli, office, kind):
    """
    A store is never empty.
    """
    path = nowhere / "conexxus.db"
    if kind == "empty":
        path.touch()
    else:
        path.symlink_to(nowhere / "gone" / "conexxus.db")

    code, _, err = cli(*PUSH)

    assert (code, "There is no store at" in err) == (2, True)
    assert office.requests["sales"] == 0


@pytest.mark.case(
    "C6",
    "A push has --create-store",
    "It does, and says where, with the absolute path",
)
def test_created_when_asked(nowhere, cli, office):
    """
    `--create-store` may stand before or after the command's name.
    """
    code, _, err = cli("--create-store", *PUSH)

    assert (code, office.requests["sales"]) == (0, 2)
    assert str(nowhere / "conexxus.db") in err
    assert cli(*PUSH)[0] == 0


@pytest.mark.case(
    "C6",
    "`run` or `pull` finds no store",
    "It creates one and says so, with the absolute path",
)
@pytest.mark.parametrize(
    "command", [("pull",), ("run", "--once"), ("run", "--once", "--orders", "sales.ndjson")]
)
def test_commands_that_create_one(nowhere, cli, command):
    """
    What begins a store is told from what goes on with one.
    """
    code, _, err = cli(*command)

    assert (code, str(nowhere / "conexxus.db") in err) == (0, True)
    assert (nowhere / "conexxus.db").exists()
    assert "new, empty store" not in cli(*command)[2]


@pytest.mark.case(
    "C6",
    "A command that only reads finds no store",
    "It says so and creates none",
)
@pytest.mark.parametrize(
    "command",
    [
        ("doctor",),
        ("status",),
        ("runs",),
        ("items",),
        ("outbox", "list"),
        ("outbox", "dates"),
        ("outbox", "show", "x"),
        ("quarantine", "list"),
        ("quarantine", "show", "x"),
        ("why", "x"),
        ("profile", "show"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--json",), ("orders",)])
def test_commands_that_read(nowhere, cli, command, more, monkeypatch):
    """
    With --json, stdout is still what programs expect; and that a till and its
    profile are known creates none either, as a push would then begin in it unasked.
    """
    if more == ("orders",):
        more = ()
        monkeypatch.setenv("CONEXXUS_ORDERS", "sales.ndjson")
        monkeypatch.setenv("CONEXXUS_PROFILE", "default")
    before = sorted(nowhere.iterdir())

    _, out, err = cli(*command, *more)

    assert f"There is no store at {nowhere / 'conexxus.db'}" in out + err
    assert sorted(nowhere.iterdir()) == before
    if more and command != ("items",):
        json.loads(out)


@pytest.mark.case(
    "C6",
    "The store is named by a relative path",
    "`doctor` warns, and says the absolute one",
)
def test_doctor_warns_of_a_relative_path(cli, shell):
    """
    An absolute one has no warning.
    """
    absolute = f"sqlite:///{shell.folder / 'conexxus.db'}"

    warned = cli("doctor")[1]

    assert "is relative" in warned
    assert f"CONEXXUS_STORE={absolute}" in warned
    assert "is relative" not in cli("doctor", "--store", absolute)[1]


@pytest.mark.case(
    "C13",
    "A store that has not pushed yet is looked at",
    "`status` says that nothing is known of earlier pushes, and how to adopt them",
)
def test_status_of_a_fresh_store(cli, shell):
    """
    Before the first push it says what to do before it; after it, what that
    push did not know.
    """
    before = cli("status")[1]
    pushed = cli(*PUSH)[1]
    after = cli("status")[1]

    assert "Nothing is known of earlier pushes" in before
    assert "--adopt-through DATE" in before
    for text in (pushed, after):
        assert "nothing is known of earlier pushes of 2026-01-03" in text


@pytest.mark.case(
    "C13",
    "A person pushes from a fresh store, whose sales something else may have delivered",
    "The command asks before anything is sent",
)
def test_first_push_asks(cli, shell, office, monkeypatch):
    """
    At a terminal, once: what is said after the push comes too late.
    """
    terminal = io.StringIO("no\nyes\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)

    code, _, err = cli(*PUSH)
    assert code == 2
    assert "--adopt-through DATE" in err
    assert office.requests["sales"] == 0

    assert cli(*PUSH)[0] == 0
    assert office.requests["sales"] == 2
    assert "first push" not in cli(*PUSH)[2]
    assert terminal.read() == ""


def test_first_push_does_not_ask_a_script(cli, shell, office, monkeypatch):
    """
    Neither where `--yes` says so, nor where the output is for a program.
    """
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)

    assert cli(*PUSH, "--yes")[0] == 0
    assert office.requests["sales"] == 2


@pytest.mark.case(
    "C13",
    "A command pushes from a store that was restored from a backup",
    "It exits with 2; adopting what was delivered ends it",
)
def test_a_restored_store_in_the_commands(cli, shell, office):
    """
    The file beside the store lasts when the store is lost.
    """
    assert cli(*PUSH)[0] == 0
    for path in shell.folder.glob("conexxus.db*"):
        if path.suffix != ".freeze":
            path.unlink()

    for command in (PUSH, ("push", "--orders", "sales.ndjson", "--date", "2026-01-02")):
        code, _, err = cli(*command, "--create-store")
        assert (code, "restored from a backup or lost" in err) == (2, True)
    assert "restored from a backup or lost" in cli("status")[1]
    assert cli("push", "--orders", "sales.ndjson", "--adopt-through", "2026-01-03")[0] == 0

    assert cli(*PUSH)[0] == 0
    assert office.requests["sales"] == 2
