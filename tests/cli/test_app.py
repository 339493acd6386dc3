import json
import os
import pty
import subprocess
import sys

import httpx
import pytest


PROBE = """
import sys
{before}
from conexxus_sync.cli import main
code = main({arguments!r})
print(*sys.modules, file=sys.stderr)
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


def probe(shell, *arguments, before=""):
    """
    Run a command in a fresh interpreter that tells what it has imported.
    """
    return subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=list(arguments), before=before)],
        cwd=shell.folder,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("--help",), {"attr", "conexxus_client.errors", "msgspec", "sqlite3"} | ENGINES | SALES),
        (("status",), ENGINES),
        (("status", "--json"), ENGINES | {"conexxus_sync.sales._batch_sender"}),
        (("why", "WINE001"), ENGINES),
        (("items", "--json"), ENGINES | SALES),
        (("runs",), ENGINES | SALES),
    ],
)
def test_imports_only_what_it_needs(shell, arguments, unneeded):
    """
    A command that reads the store loads neither transport nor engine.
    """
    done = probe(shell, *arguments)

    assert "Traceback" not in done.stderr
    assert not (PAGE | TERMINAL | NETWORK | unneeded) & set(done.stderr.splitlines()[-1].split())


def test_pull_imports_no_sales(shell):
    """
    A pull loads its engine and a transport, and nothing of the sales.
    """
    done = probe(shell, "pull")
    imported = set(done.stderr.splitlines()[-1].split())

    assert done.returncode == 0
    assert {"conexxus_sync.inventory._pull", "httpcore"} <= imported
    unneeded = {
        "httpx",
        "httpx2",
        "asyncio",
        "conexxus_sync.health",
        "conexxus_sync.service._service",
    }
    assert not (PAGE | TERMINAL | SALES | unneeded) & imported


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [(("runs", "--limit", "3"), "cyclopts"), (("pull",), "pythonjsonlogger")],
)
def test_missing_cli_extra(shell, arguments, missing):
    """
    Where a command needs the extra `cli`, one sentence says what to install.
    """
    done = probe(shell, *arguments, before=f"sys.modules['{missing}'] = None")

    assert done.returncode == 2
    assert "pip install 'conexxus-sdk[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_http_extra(shell):
    """
    Without the extra `http`, `--serve` says what to install.
    """
    done = probe(
        shell,
        "run",
        "--once",
        "--serve",
        "127.0.0.1:0",
        before="sys.modules['starlette'] = None",
    )

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
    ours, theirs = pty.openpty()
    shell.environ["TERM"] = "xterm"
    done = subprocess.run(
        [sys.executable, "-m", "conexxus_sync.cli", "pull"],
        cwd=shell.folder,
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)

    assert "Fetching the catalogue" in shown
    assert "inventory sync completed" not in shown
    assert done.stdout.startswith(b"Catalogue of loc-001: 30 items received")


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


def test_serves_the_shim(shell, office):
    """
    `run --serve` answers HTTP beside the schedule, until it is stopped.
    """
    with shell.start("run", "--serve", "127.0.0.1:0") as process:
        events = map(json.loads, process.stderr)
        url = next(event["url"] for event in events if "url" in event)
        next(event for event in events if event["event"].endswith("sync completed"))
        health = httpx.get(f"{url}/integrations/conexxus/health", trust_env=False).json()
        sync = httpx.post(f"{url}/integrations/conexxus/sync", trust_env=False)
        process.terminate()
        process.communicate(timeout=10)

    assert (health["status"], health["lastSyncStatus"]) == ("healthy", "success")
    assert sync.status_code == 202
    assert process.returncode == 0


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
