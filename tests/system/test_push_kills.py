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


SCRIPT = Path(__file__).with_name("kill_process.py")
STEPS = {
    *("before a commit", "leased", "read", "before frozen", "frozen", "before sending"),
    *("sending", "requested", "answered", "sent", "before settled", "settled", "visited"),
}
SCALE = os.environ.get("CONEXXUS_PROOF_SCALE")
IS_SMALL = SCALE == "small"
# At every step: 1,001 in all by default, and 5,005 with each database at full scale.
KILLS = {"small": 10, "full": 385}.get(SCALE, 77)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


@pytest.fixture
def in_memory(tmp_path):
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


@pytest.fixture(scope="module")
def process():
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, SCRIPT],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def killed(process, in_memory, request):
    """
    Kills pushes, whose store is in a file or in a PostgreSQL.
    """
    store = ""
    if request.param == "postgres":
        server = request.getfixturevalue("server")
        store = server.url(f"kills_{in_memory.name}")

    def run(design, kills, *steps, kind="a day"):
        asked = [str(in_memory), design, kills, steps, kind, store]
        print(json.dumps(asked), file=process.stdin, flush=True)
        result = json.loads(process.stdout.readline())
        histogram = "".join(f"\n  {step:16}{count:5}" for step, count in result["kills"].items())
        print(f"{design}: {sum(result['kills'].values())} kills{histogram}")

        return result

    return run


@pytest.mark.fault("K01", "A push is killed at any step", "each sale arrives once")
def test_killed_at_every_step(killed):
    """
    A push that is killed at any step and started again at once loses no
    sale, doubles none, leaves no batch behind and waits for no lease;
    although answers are lost, and the back office fails now and then.
    """
    result = killed("as built", 1)

    assert result["problems"] == []
    assert set(result["kills"]) == STEPS


@pytest.mark.parametrize("kind", ["replace_day", "transaction_id"])
def test_other_back_offices(killed, kind):
    """
    So it is where a push replaces its day, and where ids are recognised.
    """
    result = killed(kind, 1)

    assert result["problems"] == []
    assert set(result["kills"]) == STEPS


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", ["replace_day", "transaction_id"])
def test_other_back_offices_again_and_again(killed, kind):
    """
    The same with 20 kills at every step.
    """
    result = killed(kind, 5 if IS_SMALL else 20)

    assert result["problems"] == []
    assert set(result["kills"]) == STEPS


@pytest.mark.fault(
    "K05", "A push is stopped past its lease, at any step", "fenced off: each sale arrives once"
)
def test_stopped_past_its_lease(killed):
    """
    A push that is stopped at any step until its lease has run out, and goes
    on after another one, is denied whatever it wants to write: no sale is
    lost or doubled.
    """
    # In the middle of a transaction, it would keep the database locked.
    steps = sorted(step for step in STEPS if not step.startswith("before"))

    result = killed("stopped", 1, *steps)

    assert result["problems"] == []
    assert sorted(result["kills"]) == steps


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_thousand_kills(killed):
    """
    The same a thousand times, and five thousand times at full scale, with 20
    kills or more at every step.
    """
    result = killed("as built", KILLS)

    assert result["problems"] == []
    assert set(result["kills"]) == STEPS
    assert min(result["kills"].values()) >= KILLS


@pytest.mark.fault("K01", "A push during the day is killed at any step", "each sale arrives once")
def test_killed_during_the_day(killed):
    """
    A look at the date in progress that is killed while it sends what settled
    loses no sale and doubles none: the day ends with each of them once.
    """
    result = killed("as built", 1, kind="during the day")

    assert result["problems"] == []
    assert set(result["kills"]) == STEPS


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_three_hundred_kills_during_the_day(killed):
    """
    The same 300 times.
    """
    result = killed("as built", 5 if IS_SMALL else 24, kind="during the day")

    assert result["problems"] == []
    assert set(result["kills"]) == STEPS
    assert IS_SMALL or sum(result["kills"].values()) >= 300


def test_wrong_design_during_the_day(killed):
    """
    A key that is made at send time doubles sales there, too, and is caught.
    """
    result = killed("key at send time", 1, "answered", "sent", kind="during the day")

    assert any("doubled" in problem for problem in result["problems"])


@pytest.mark.parametrize(
    ("design", "symptom"),
    [
        ("no key", "doubled"),
        ("key at send time", "doubled"),
        ("marked before sending", "lost"),
        ("read again", "doubled"),
    ],
)
def test_wrong_designs_are_caught(killed, design, symptom):
    """
    The proof above can fail: designs that are wrong on purpose are caught.
    """
    problems = killed(design, 2, "sending", "answered")["problems"]

    assert any(symptom in problem for problem in problems)
