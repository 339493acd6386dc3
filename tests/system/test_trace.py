"""
How far a changed item and a sale travel through the code, at most.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]

# Calls from one file below src/ to another, and SQLite connections. Lower them
# with each change that makes a journey shorter; `scripts/trace` prints all counts.
BOUNDS = {
    "one changed item of 100": {"moves": 238, "connections": 2},
    "one sale": {"moves": 327, "connections": 1},
}


@pytest.fixture(scope="module")
def measured():
    """
    The counts of `scripts/trace`, made in a process that nothing else profiles.
    """
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "trace_calls.py", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("work", BOUNDS)
def test_journey(work, measured):
    """
    No journey is longer than the bounds, nor opens more connections.
    """
    counts = measured[work]

    longer = {name: counts[name] for name, most in BOUNDS[work].items() if counts[name] > most}
    assert not longer
