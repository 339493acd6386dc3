"""
Memory does not grow with the catalogue.

Measured in fresh processes: what matters to a till is the whole process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conexxus_client.testing import BackOffice, GeneratedItems, SandboxServer


MILLION = 1_000_000
# As objects, these would already pass every bound.
MANY = 200_000

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


@pytest.fixture(params=[MANY, pytest.param(MILLION, marks=pytest.mark.long)])
def count(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def environ(tmp_path: Path, count: int) -> Iterator[dict[str, str]]:
    """
    A back office with so many items, and how to reach it.
    """
    with SandboxServer(BackOffice(catalog=GeneratedItems(count))) as server:
        yield {
            **os.environ,
            **server.env,
            "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'conexxus.db'}",
        }


def run(program: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PEAK + program],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )


def test_iterating(environ, count):
    """
    `iter_items` alone peaks at 64 MB at most.
    """
    seen, peak = map(int, run(ITERATE, environ).stdout.split())

    assert seen == count
    assert peak <= 64


def test_pulling(environ, count):
    """
    A whole `conexxus pull` peaks at 80 MB at most, the first time and again.
    """
    for created in (count, 0):
        done = run(PULL, environ)
        outcome = json.loads(done.stdout)

        assert (outcome["status"], outcome["created"]) == ("success", created)
        assert int(done.stderr.split()[-1]) <= 80
