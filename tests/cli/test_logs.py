"""
What is logged: one line an event, with the fields that the reference lists.
"""

import ast
import io
import json
import logging
import re
import subprocess
import threading
from pathlib import Path

import pytest

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.cli._json_log import JsonFormatter
from conexxus_sync.cli._logs import ATTEMPTS, CALLS, RUNS, TextFormatter
from conexxus_sync.runtime.run_logging import RunFilter, in_run


ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/logs.md"

HOSTILE = "a\nb\r\x1b[2J\x00\x7f\x85\u2028\u2029\u202e\u2066\u200b\ufeff\ud800\U000e0041z"
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def formatted(formatter, message="said", *args, error=None, **extra):
    """
    One record as it is written.
    """
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(RunFilter())
    # What pytest captures goes through UTF-8, and half a surrogate pair does not.
    logger = logging.Logger("conexxus_sync.test")  # noqa: LOG001  # it must have no parent
    logger.addHandler(handler)
    logger.warning(message, *args, extra=extra, exc_info=error)
    return stream.getvalue()


def raised(message):
    try:
        raise ValueError(message)
    except ValueError as exc:
        return exc


def texts_in(argument):
    if isinstance(argument, ast.IfExp):
        return texts_in(argument.body) + texts_in(argument.orelse)

    value = getattr(argument, "value", None)
    return [re.sub(r"%[sd]", "…", value)] if isinstance(value, str) else []


def events_in(source):
    """
    The texts of all events that a module logs, `…` for what is filled in.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            if name == "_warn" or (name in METHODS and "log" in ast.unparse(node.func).lower()):
                yield from (text for argument in node.args for text in texts_in(argument))


def test_one_line_whatever_is_said():
    """
    No value adds a line, steers a terminal or turns the direction of writing,
    and a reader of the JSON gets it back unchanged.
    """
    line = formatted(JsonFormatter(), "said %s", HOSTILE, item=HOSTILE, list=[HOSTILE])

    assert line.endswith("\n")
    assert line[:-1].isprintable()
    document = json.loads(line)
    assert document["event"] == f"said {HOSTILE}"
    assert document["item"] == HOSTILE
    assert document["list"] == [HOSTILE]


def test_ordinary_text_is_not_escaped():
    """
    What can be printed is printed as it is.
    """
    line = formatted(JsonFormatter(), "Käse für 3 €, 値段")

    assert "Käse für 3 €, 値段" in line


def test_names_of_the_loggers():
    """
    A host's filters go by these names: they stay, wherever the code goes.
    """
    assert (RUNS, ATTEMPTS, CALLS) == (
        "conexxus_sync.runs",
        "conexxus_sync.attempts",
        "conexxus_client",
    )


@pytest.mark.parametrize("name", ["time", "level", "logger", "event", "exception", "stack"])
def test_no_field_passes_for_another(name):
    """
    A field with the name of one that each event has replaces nothing.
    """
    document = json.loads(formatted(JsonFormatter(), "said", **{name: "forged"}))

    assert document[f"{name}_"] == "forged"
    assert document["event"] == "said"
    assert document["level"] == "warning"
    assert document["logger"] == "conexxus_sync.test"


def test_an_exception_is_one_line():
    """
    The whole traceback is in one text; an exception can't forge an event.
    """
    error = raised('x\n{"event": "forged"}')

    line = formatted(JsonFormatter(), "failed", error=error)

    assert line.count("\n") == 1
    assert "Traceback" in json.loads(line)["exception"]


def test_an_exception_as_text():
    """
    Lines of a traceback are indented, and what could steer a terminal is not
    in them.
    """
    text = formatted(TextFormatter(), "failed", error=raised("x\n12:00:00 info forged\x1b[2J"))

    first, *rest = text.splitlines()
    assert "failed" in first
    assert all(line.startswith("    ") for line in rest)
    assert "\x1b" not in text


class Nameless:
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1: {(): 2}}, object(), {"a": {1, 2}}, 10**400, Nameless()],
)
def test_whatever_the_value(value):
    """
    What JSON has no form for is written as text.
    """
    document = json.loads(formatted(JsonFormatter(), value=value), parse_constant=pytest.fail)

    assert "value" in document


def test_a_value_that_contains_itself():
    """
    It is written, too.
    """
    value = []
    value.append(value)

    assert json.loads(formatted(JsonFormatter(), value=value))["value"] == "[[...]]"


def test_the_run_at_work():
    """
    A record has the run that was at work, unless it names one itself; other
    threads have their own.
    """
    lines = []

    with in_run("r1", "loc-001"):
        lines.append(formatted(JsonFormatter()))
        lines.append(formatted(JsonFormatter(), run="r2"))
        other = threading.Thread(target=lambda: lines.append(formatted(JsonFormatter())))
        other.start()
        other.join()
    lines.append(formatted(JsonFormatter()))

    assert [json.loads(line).get("run") for line in lines] == ["r1", "r2", None, None]
    assert json.loads(lines[0])["location"] == "loc-001"


def events_of(done):
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def test_every_event_of_a_pull_carries_its_run(shell, office):
    """
    Attempts, the failed call and the end of a pull have its id.
    """
    office.faults("500")

    done = shell.run("pull", "--log-format", "json", "--json")

    events = events_of(done)
    assert "Failed to fetch inventory items" in {event["event"] for event in events}
    assert {event["run"] for event in events} == {json.loads(done.stdout)["id"]}
    assert {event["location"] for event in events} == {"loc-001"}


def test_every_event_of_a_push_carries_its_run(shell, office):
    """
    Each business date is a run: its calls have that run's id.
    """
    office.faults("sales: 422*9")

    done = shell.run(
        *("push", "--orders", "sales.ndjson", "--since", "2026-01-02"),
        *("--log-format", "json", "--json"),
    )

    runs = [run["id"] for run in json.loads(done.stdout)]
    failed = [event for event in events_of(done) if event["event"] == "Failed to push sales"]
    assert len(runs) == 2
    assert {event["run"] for event in failed} == set(runs)


def test_every_event_is_listed():
    """
    The reference has each event that our code logs, and none that it does not.
    """
    sources = [file.read_text() for file in (ROOT / "src").rglob("*.py")]
    runs = {
        f"Conexxus {kind} {end}"
        for kind in ("inventory sync", "sales push")
        for end in ("started", "completed", "failed")
    }
    found = {event for source in sources for event in events_in(source)} | runs
    found -= {"Conexxus … started", "Conexxus … completed", "Conexxus … failed"}

    rows = r"^\| `(.+?)` \| (?:info|warning|error)\b"
    listed = set(re.findall(rows, PAGE.read_text(), re.MULTILINE))

    assert found - listed == set()
    unknown = [event for event in listed - found if f'"{event}"' not in "".join(sources)]
    assert unknown == []


def test_the_guides_grep(shell):
    """
    The line that the guide greps for has the numbers that it asks for, as
    real grep and jq find them.
    """
    with (shell.folder / "conexxus.log").open("w") as log:
        log.write(shell.run("run", "--once", "--log-format", "json").stderr)
    command = (
        "grep 'Conexxus inventory sync completed' conexxus.log"
        " | jq -c '{processed, succeeded, failed}'"
    )

    done = subprocess.run(
        ["sh", "-c", command], cwd=shell.folder, capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == {"processed": 30, "succeeded": 30, "failed": 0}


def test_no_secret_in_a_log(shell):
    """
    Whatever goes wrong, key and webhook are in no line.
    """
    canary = "canary-77aa01"
    faults = "500, reset, 401, truncate*3, slow(1s), after_commit(reset)"

    with SandboxServer(BackOffice(api_key=canary, faults=faults)) as server:
        shell.environ.update(
            server.env,
            CONEXXUS_TIMEOUT="300",
            CONEXXUS_ALERT_WEBHOOK=f"http://127.0.0.1:9/{canary}",
        )
        said = [
            shell.run(*command, "--log-format", how)
            for how in ("json", "text")
            for command in (
                ("pull",),
                ("push", "--orders", "sales.ndjson", "--since", "2026-01-02"),
                ("run", "--once", "--orders", "sales.ndjson"),
                ("doctor",),
            )
        ]

    assert "Conexxus attempt failed" in said[0].stderr
    assert not [done.args for done in said if canary in done.stdout + done.stderr]
