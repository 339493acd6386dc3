"""
Memory does not grow with the catalogue.

Measured in fresh processes: what matters to a till is the whole process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from conexxus_client.testing import BackOffice, GeneratedItems, SandboxServer


MILLION = 1_000_000

# `ru_maxrss` survives an exec and would tell of the parent.
PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
"""

ITERATE = """
from conexxus_client import ConexxusClient

with ConexxusClient.from_env() as client:
    count = sum(1 for _ in client.iter_items())

print(count, peak())
"""

PULL = """
import sys
from conexxus_sync.cli import main

try:
    main(["pull", "--json"])
finally:
    print(peak(), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """
    A back office with a million items, and how to reach it.
    """
    store = tmp_path_factory.mktemp("store") / "conexxus.db"

    with SandboxServer(BackOffice(catalog=GeneratedItems(MILLION))) as server:
        yield {**os.environ, **server.env, "CONEXXUS_STORE": f"sqlite:///{store}"}


def run(program: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PEAK + program],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )


def test_iterating_a_million_items(environ):
    """
    `iter_items` alone peaks at 64 MB at most.
    """
    count, peak = map(int, run(ITERATE, environ).stdout.split())

    assert count == MILLION
    assert peak <= 64


def test_pulling_a_million_items(environ):
    """
    A whole `conexxus pull` peaks at 80 MB at most, the first time and again.
    """
    for created in (MILLION, 0):
        done = run(PULL, environ)
        outcome = json.loads(done.stdout)

        assert (outcome["status"], outcome["created"]) == ("success", created)
        assert int(done.stderr.split()[-1]) <= 80
