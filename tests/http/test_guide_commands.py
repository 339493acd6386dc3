"""
The commands that users have in their notes, pasted into a shell.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from conexxus_client.testing import BackOffice, SandboxServer


@contextmanager
def running(folder, environ, server):
    """
    `conexxus run --serve`, after its first pull; gives where it listens, and
    writes its log to `conexxus.log`.
    """
    settings = {**environ, **server.env, "LOCATION_ID": "loc-001", "CONEXXUS_RETRIES": "0"}
    command = [sys.executable, "-m", "conexxus_sync.cli", "run", "--serve", "127.0.0.1:0"]

    with (
        (folder / "conexxus.log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=settings, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            lines = written(process.stderr, log)
            url = next(event["url"] for event in lines if "url" in event)
            next(event for event in lines if event["event"].endswith("sync completed"))
            yield url.removeprefix("http://127.0.0.1"), lines
        finally:
            process.terminate()
            process.communicate(timeout=20)


def written(stream, log):
    for line in stream:
        log.write(line)
        log.flush()
        yield json.loads(line)


@pytest.fixture(scope="module")
def environ():
    """
    Of a shell in which nothing is configured.
    """
    return {"PATH": os.environ["PATH"], "TZ": "America/New_York", "NO_PROXY": "*"}


@pytest.fixture(scope="module")
def office():
    return BackOffice()


@pytest.fixture(scope="module")
def shell(tmp_path_factory, environ, office):
    """
    Runs a command of the guide beside a running service, with its port in
    place of 3000; gives what it prints.
    """
    folder = tmp_path_factory.mktemp("guide")

    with SandboxServer(office) as server, running(folder, environ, server) as (port, events):

        def run(command):
            command = command.replace(":3000", port)
            ended = subprocess.run(
                f"set -o pipefail; {command}",
                shell=True,
                executable="/bin/bash",
                cwd=folder,
                env=environ,
                capture_output=True,
                timeout=60,
            )
            assert ended.returncode == 0, ended.stderr
            return ended.stdout.decode()

        run.events = events
        yield run


def test_health(shell):
    """
    How the integration is.
    """
    health = json.loads(shell("curl http://localhost:3000/integrations/conexxus/health"))

    assert (health["status"], health["isHealthy"]) == ("healthy", True)
    assert (health["lastSyncStatus"], health["lastError"]) == ("success", None)
    assert health["apiConnection"] is True
    assert health["lastSyncTime"].endswith("Z")


def test_connection(shell):
    """
    Whether the back office answers, and how fast.
    """
    check = json.loads(shell("curl http://localhost:3000/integrations/conexxus/test-connection"))

    assert (check["success"], check["message"]) == (True, "Connection successful")
    assert isinstance(check["latency"], int)


def test_metrics(shell):
    """
    The last runs, and what went wrong in the last one.
    """
    metrics = json.loads(shell("curl http://localhost:3000/integrations/conexxus/metrics"))
    errors = shell("curl http://localhost:3000/integrations/conexxus/metrics | jq '.latest.errors'")

    assert metrics["latest"]["status"] == "success"
    assert metrics["latest"] == metrics["history"][0]
    assert errors == "[]\n"


def test_errors_of_the_last_run(shell, office):
    """
    A bad item is named where the guide looks for it.
    """
    good = office.catalog
    office.catalog = [*good, {"sku": "BAD1", "name": "Bad", "price": "free"}]
    shell("curl -X POST http://localhost:3000/integrations/conexxus/sync")
    next(event for event in shell.events if event["event"].endswith("sync completed"))
    office.catalog = good

    errors = shell(
        "curl -s http://localhost:3000/integrations/conexxus/metrics | jq '.latest.errors'"
    )

    assert json.loads(errors) == [
        {
            "item": "BAD1",
            "error": "Item has invalid price",
            "detail": "not a plain number: 'free'",
        }
    ]


def test_sync_now(shell, office):
    """
    A pull is started by hand.
    """
    before = office.requests["catalog"]

    answer = json.loads(shell("curl -X POST http://localhost:3000/integrations/conexxus/sync"))
    next(event for event in shell.events if event["event"].endswith("sync completed"))

    assert (answer["message"], answer["status"]) == ("Sync triggered", "processing")
    assert office.requests["catalog"] == before + 1


def test_health_of_the_application(shell):
    """
    Whether the process is there at all.
    """
    assert json.loads(shell("curl http://localhost:3000/health")) == {"status": "ok"}


def test_log(shell, office):
    """
    The log says what became of a pull, in words that can be looked for.
    """
    figures = shell(
        'grep "Conexxus inventory sync completed" conexxus.log'
        " | jq '{processed, succeeded, failed}'"
    )

    # Of the first pull; others may follow.
    first, _ = json.JSONDecoder().raw_decode(figures)
    count = len(office.catalog)
    assert first == {
        "processed": count,
        "succeeded": count,
        "failed": 0,
    }
