"""
Tests notice when the code is changed: mutants of the packages that decide most.
"""

import os
import subprocess
import sys

import pytest

from .packages import ROOT


IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"

# Those whose survivors are listed.
LISTED = ("guards", "calendar", "leases", "retries", "codec", "sales", "sales-store")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(40_000),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant is in a fork"),
]


def measured(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "mutation.score", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "tests:tests/shared"},
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout)

    return done


@pytest.mark.parametrize("package", ["guards"] if IS_SMALL else LISTED)
def test_mutants_are_noticed(package):
    """
    Of the mutants of a package, its tests notice nine in ten, and each that
    survives is listed with a reason.
    """
    done = measured(package)

    assert done.returncode == 0, done.stdout


def test_weak_tests_are_found():
    """
    Tests that hardly call a package do not notice what is wrong with it.
    """
    done = measured("guards", "--tests", "model/test_pull_schedule.py")

    assert done.returncode == 1
    assert "survives, and is not listed: conexxus_sync.model.guards.Guards.refusal" in done.stdout
