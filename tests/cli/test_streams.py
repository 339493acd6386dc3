"""
Whatever stdout and stderr are, a command does its work and says what is wrong.
"""

import json
import logging
import os
import subprocess
import sys

import pytest

from conexxus_sync.cli._json_log import JsonFormatter


NO_APP = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "conexxus_sync.cli._command_line":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from conexxus_sync.cli import main
sys.exit(main(["status"]))
"""


def redirected(shell, command):
    return subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m conexxus_sync.cli {command}"],
        cwd=shell.folder,
        env=shell.environ,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", ["items", "items --csv", "demo", "--help"])
def test_any_encoding(cli, shell, office, encoding, command):
    """
    What an encoding has no sign for is shown as an escape.
    """
    office.catalog = [{"sku": "A", "name": "\u2192 caf\u00e9", "price": 1}]
    shell.environ["PYTHONIOENCODING"] = encoding
    cli("pull")

    done = shell.run(*command.split())

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["items --json", "quarantine list --json", "runs --json"])
def test_json_is_utf8(cli, shell, office, command):
    """
    JSON is read back the same, whatever the locale.
    """
    office.catalog = [
        {"sku": "A", "name": "\u2192 caf\u00e9 \U0001f377", "price": 1},
        {"sku": "\u00e9", "name": "\U0001f377", "price": -1},
    ]
    shell.environ["PYTHONIOENCODING"] = "ascii"
    cli("pull")

    done = shell.run(*command.split())

    assert json.loads(done.stdout)
    assert "\ufffd" not in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("command", ["status", "runs --json", "--help"])
def test_full_disk(shell, command):
    """
    Output that can't be written is a failure, said in one sentence.
    """
    done = redirected(shell, f"{command} >/dev/full --log-format text")

    assert done.returncode == 1
    assert "conexxus: the output can't be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(shell, closed):
    """
    Without stdout or stderr, a command does its work all the same.
    """
    done = redirected(shell, f"pull {closed}")

    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert len(shell.json("runs")) == 1


def test_interrupted_at_its_start(shell):
    """
    Ctrl-C before the command was there ends it as at any other time.
    """
    done = subprocess.run(
        [sys.executable, "-c", NO_APP],
        cwd=shell.folder,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (130, "")


def test_attempts_are_logged(shell, office):
    """
    Each attempt that failed is one event, in our words.
    """
    shell.environ.update(CONEXXUS_RETRIES="1", CONEXXUS_RETRY_DELAY="1")
    office.faults("catalog: 503*2")

    done = shell.run("pull")

    events = [json.loads(line) for line in done.stderr.splitlines()]
    attempts = [event for event in events if event["event"] == "Conexxus attempt failed"]
    assert [(event["call"], event["attempt"], event["status"]) for event in attempts] == [
        ("catalogue", 1, 503),
        ("catalogue", 2, 503),
    ]
    assert attempts[0]["level"] == "warning"
    assert attempts[0]["error"] == (
        "Conexxus API server error (503). Try again later. The answer said: A fault of the sandbox."
    )
    assert "stamina" not in done.stderr


def test_attempts_do_not_disturb_a_terminal(shell, office):
    """
    Where progress is shown, the outcome says it all.
    """
    shell.environ.update(CONEXXUS_RETRIES="1", CONEXXUS_RETRY_DELAY="1", TERM="xterm")
    office.faults("catalog: 503*2")

    _, shown, out = shell.on_a_terminal("pull", stream="stderr")

    assert "server error (503)" in out
    assert "503" not in shown
    assert "stamina" not in shown


def test_log_has_no_second_message():
    """
    What uvicorn logs once more, for terminals, is not in the JSON.
    """
    record = logging.makeLogRecord({"msg": "running", "color_message": "\x1b[1mrunning", "port": 1})

    event = json.loads(JsonFormatter().format(record))

    assert (event["event"], event["port"]) == ("running", 1)
    assert "color_message" not in event
