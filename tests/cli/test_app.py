import json
import subprocess
import sys

import pytest


PROBE = """
import sys
{before}
from conexxus_sync.cli import main
for command in {commands!r}:
    code = main(command)
    print("imported", *sys.modules, file=sys.stderr)
sys.exit(code)
"""

SALES = {
    "conexxus_sync.model.notices",
    "conexxus_sync.model.sales",
    "conexxus_sync.notifications",
    "conexxus_sync.sales",
    "conexxus_sync.stores._notice_queue",
    "conexxus_sync.stores._outbox",
}
ENGINES = {
    "conexxus_sync.inventory._pull",
    "conexxus_sync.sales._engine",
    "conexxus_sync.scheduling",
    "conexxus_sync.service._service",
}
PAGE = {"uvicorn", "starlette", "jinja2"}
TERMINAL = {"cyclopts", "rich"}
NETWORK = {"httpx", "httpx2", "httpcore", "asyncio", "stamina"}


# Those that need less come first: all of them run in one process.
READING = [
    (("--help",), {"attr", "conexxus_client.errors", "msgspec", "sqlite3"} | ENGINES | SALES),
    (("items", "--json"), ENGINES | SALES),
    (("runs",), ENGINES | SALES),
    (("status", "--json"), ENGINES | {"conexxus_sync.sales._batch_sender"}),
    (("status",), ENGINES),
    (("why", "WINE001"), ENGINES),
]


def probe(shell, *commands, before=""):
    """
    Run commands in a fresh interpreter that writes what it has imported after each.
    """
    return subprocess.run(
        [sys.executable, "-c", PROBE.format(commands=commands, before=before)],
        cwd=shell.folder,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def imported(done):
    """
    The modules after each command.
    """
    words = map(str.split, done.stderr.splitlines())
    return [set(modules) for first, *modules in words if first == "imported"]


def test_imports_only_what_it_needs(shell):
    """
    A command that reads the store loads neither transport nor engine.
    """
    done = probe(shell, *(command for command, _ in READING))

    assert "Traceback" not in done.stderr
    for (command, unneeded), modules in zip(READING, imported(done), strict=True):
        assert not (PAGE | TERMINAL | NETWORK | unneeded) & modules, command


def test_pull_imports_no_sales(shell):
    """
    A pull loads its engine and a transport, and nothing of the sales.
    """
    done = probe(shell, ["pull"])
    (modules,) = imported(done)

    assert done.returncode == 0
    assert {"conexxus_sync.inventory._pull", "httpcore"} <= modules
    unneeded = {
        "httpx",
        "httpx2",
        "asyncio",
        "conexxus_sync.health",
        "conexxus_sync.service._service",
    }
    assert not (PAGE | TERMINAL | SALES | unneeded) & modules


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [(("runs", "--limit", "3"), "cyclopts"), (("pull",), "pythonjsonlogger")],
)
def test_missing_cli_extra(shell, arguments, missing):
    """
    Where a command needs the extra `cli`, one sentence says what to install.
    """
    done = probe(shell, arguments, before=f"sys.modules['{missing}'] = None")

    assert done.returncode == 2
    assert "pip install 'conexxus-sdk[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_http_extra(shell):
    """
    Without the extra `http`, `--serve` says what to install.
    """
    command = ("run", "--once", "--serve", "127.0.0.1:0")
    done = probe(shell, command, before="sys.modules['starlette'] = None")

    assert done.returncode == 2
    assert "pip install 'conexxus-sdk[http]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--location", "loc-9", "--json", "pull"),
        ("pull", "--location", "loc-9", "--json"),
        ("--json", "pull", "--location=loc-9"),
    ],
)
def test_global_options_stand_anywhere(cli, arguments):
    """
    They may come before or after the command.
    """
    code, out, _ = cli(*arguments)

    assert (code, json.loads(out)["locationId"]) == (0, "loc-9")


@pytest.mark.parametrize(
    "command",
    ["demo", "sandbox", "pull", "push", "run", "status", "runs", "items", "doctor"],
)
def test_help_teaches_by_example(cli, command):
    """
    Each command's help shows how it is typed.
    """
    code, out, _ = cli(command, "--help")

    assert code == 0
    assert f"conexxus {command}" in out.split("Usage:")[1].partition("\n")[2]


def test_logs_are_json_lines_on_stderr(shell):
    """
    Where stderr is no terminal, each event is a JSON document with the
    guide's words.
    """
    done = shell.run("pull")

    events = [json.loads(line) for line in done.stderr.splitlines()]
    (completed,) = [
        event for event in events if event["event"] == "Conexxus inventory sync completed"
    ]
    assert (completed["processed"], completed["succeeded"], completed["failed"]) == (30, 30, 0)


def test_logs_as_text(shell):
    """
    `--log-format text` is for people, even in a pipe.
    """
    done = shell.run("pull", "--log-format", "text")

    assert "Conexxus inventory sync completed" in done.stderr
    assert "processed=30" in done.stderr


def test_progress_and_quiet_on_a_terminal(shell):
    """
    On a terminal there is progress instead of a log; stdout stays clean.
    """
    shell.environ["TERM"] = "xterm"

    _, shown, out = shell.on_a_terminal("pull", stream="stderr")

    assert "Fetching the catalogue" in shown
    assert "inventory sync completed" not in shown
    assert out.startswith("Catalogue of loc-001: 30 items received")


def test_broken_pipe_is_quiet(shell, office):
    """
    A reader that leaves early hears no complaint.
    """
    office.catalog = 20_000
    shell.run("pull")

    done = subprocess.run(
        f"{sys.executable} -m conexxus_sync.cli items | true; echo ${{PIPESTATUS[0]}}",
        cwd=shell.folder,
        env=shell.environ,
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "141"
    assert done.stderr == ""


def test_once_does_what_is_due(shell, office):
    """
    `run --once` pulls, and does not push past dates on a fresh store.
    """
    first = shell.json("run", "--once", "--orders", "sales.ndjson")
    second = shell.json("run", "--once", "--orders", "sales.ndjson")

    assert [run["kind"] for run in first] == ["inventory"]
    assert second == []
    assert office.requests["sales"] == 0


def test_once_without_configuration_is_disabled(bare_shell):
    """
    The scheduler without URL and key skips its runs and says so.
    """
    done = bare_shell.run("run", "--once", "--json")

    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "CONEXXUS_API_KEY is not configured" in done.stderr


def test_key_is_nowhere(shell, office):
    """
    Whatever goes wrong, the key is in no output.
    """
    office.api_key = "another"

    for command in (("pull",), ("doctor",), ("status", "--json"), ("runs", "--json")):
        done = shell.run(*command)
        assert "sandbox-key" not in done.stdout + done.stderr
