"""
Faults that are planted into a copy of the code are noticed: the simulation and
the tests can fail.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from .events import draw
from .planted_faults import PLANTED
from .replay import play
from .test_directed import A_DAY, PLAIN, TO_THE_PUSH
from .truth import Truth, version


ROOT = Path(__file__).parents[2]
IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
# The one that is named, and a few more: the events of a seed change with the table.
SEEDS = 20
FEW = {
    "a key is made at the time of sending",
    "a refusal settles what was unknown before",
    "a guard is off by one",
    "a sale is its id alone",
}
CHOSEN = [each for each in PLANTED if not IS_SMALL or each.name in FEW]


def planted_copy(planted, folder):
    """
    The environment of a child process whose code has the fault.
    """
    source = folder / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    path = source / planted.file
    text = path.read_text()
    path.write_text(text.replace(planted.right, planted.wrong))
    paths = [source, ROOT / "tests", ROOT / "tests" / "shared"]

    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}


def command(planted):
    if isinstance(planted.noticed, str):
        return ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-n", "0", planted.noticed]

    return ["-m", "simulation.story", "--first", f"--seed={planted.noticed}", f"--seeds={SEEDS}"]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("planted", CHOSEN, ids=lambda each: each.name)
def test_planted(planted, tmp_path):
    """
    The fault is noticed by a seed, or by the test that is named.
    """
    found = subprocess.run(
        [sys.executable, *command(planted)],
        env=planted_copy(planted, tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 1, found.stdout[-2_000:] + found.stderr[-2_000:]


def test_planted_where_the_code_is():
    """
    What is replaced is in the code once, as it is by now.
    """
    stale = [
        each.name
        for each in PLANTED
        if (ROOT / "src" / each.file).read_text().count(each.right) != 1
    ]

    assert stale == []


@pytest.mark.parametrize(
    "attribute", ["double", "forget"], ids=["books a sale twice", "books nothing of a sale"]
)
def test_office_that_lies(attribute):
    """
    The ledger of the simulation has eyes of its own: what the office books
    wrong is noticed though the SDK did all right.
    """
    setup, _ = draw(0)
    sold = [("sell", 0, 3), ("line", f"sales: {attribute}(t2)"), ("wait", 2_880)]

    assert play(setup, sold).error is not None
    assert play(setup, [each for each in sold if each[0] != "line"]).error is None


BROKEN_LEDGERS = {
    "sees nothing of the office": ("office_has", lambda self: {}),
    "sees nothing of the till": ("till_has", lambda self: {}),
    "takes a void for a sale": ("meant", lambda self, sold: (sold.id.split(":")[0], 1)),
    "forgets what an edited sale was before": (
        "said",
        lambda self, day, sold: self.versions.update(
            {sold.id: {(day, *version(sold)): self.world.time.now}}
        ),
    ),
    "is content with everything in the end": ("check_all", lambda self, service: None),
}


@pytest.mark.long
@pytest.mark.parametrize(("method", "broken"), BROKEN_LEDGERS.values(), ids=BROKEN_LEDGERS)
def test_ledger_that_is_broken(method, broken, monkeypatch):
    """
    A fault of the simulation's own ledger is noticed: a world that is as it must
    be fails, or one that is not does not.
    """
    setup = attrs.evolve(PLAIN, on_changed="resend")
    edited = [("sell", 0, 3), TO_THE_PUSH, ("edit", 0, 0, 1, 999)]
    lost = [*edited, ("line", "sales: ok, forget(t2:rev:1)"), A_DAY]
    assert [play(setup, events).error is None for events in (edited, lost)] == [True, False]

    monkeypatch.setattr(Truth, method, broken)

    assert [play(setup, events).error is None for events in (edited, lost)] != [True, False]
