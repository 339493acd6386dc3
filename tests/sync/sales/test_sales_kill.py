"""
Facts about a process that dies: the books are as if nothing had happened.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


SCRIPT = Path(__file__).with_name("killed_pushes.py")
STEPS = {"leased", "read", "frozen", "sending", "committed", "sent", "settled", "visited"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


@pytest.fixture
def folder(tmp_path):
    """
    In memory, if there is such a place: what a process wrote survives its
    end anywhere, and thousands of disk flushes prove nothing here.
    """
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return

    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def killed(folder, design="as built", rounds=1):
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, design, str(rounds)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_killed_at_every_step(folder):
    """
    A push that is killed at any step and started again at once loses no
    sale, doubles none, leaves no batch behind and waits for no lease.
    """
    result = killed(folder)

    print(f"kills by step: {result['kills']}")
    assert result["problems"] == []
    assert set(result["kills"]) == STEPS


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_every_step_again_and_again(folder):
    """
    The same with 20 kills or more in every step.
    """
    result = killed(folder, rounds=20)

    print(f"kills by step: {result['kills']}")
    assert result["problems"] == []
    assert min(result["kills"].values()) >= 20


@pytest.mark.parametrize(
    ("design", "symptom"),
    [
        ("key at send time", "doubled"),
        ("marked before sending", "lost"),
        ("read again", "doubled"),
    ],
)
def test_wrong_designs_are_caught(folder, design, symptom):
    """
    The proof above can fail: designs that are wrong on purpose are caught.
    """
    problems = killed(folder, design)["problems"]

    assert any(symptom in problem for problem in problems)
