"""
A real store's year, however often the process is killed.
"""

import json
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from conexxus_client.testing import Ledger
from conexxus_sync import ConexxusService


EXAMPLES = Path(__file__).parents[2] / "examples"
CLI = [sys.executable, "-m", "conexxus_sync.cli"]
IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
KILLS = 10 if IS_SMALL else 50
# Of a week, one date is reconciled.
STEP = 7 if IS_SMALL else 1
STORES = [(367, "America/New_York"), (406, "Australia/Lord_Howe")]
DATABASES = ["sqlite", "postgres"]
# Each store and each database once, or all with all.
WAYS = [
    (database, *store)
    for number, store in enumerate(STORES)
    for database in ([DATABASES[number]] if IS_SMALL else DATABASES)
]

pytestmark = [pytest.mark.long, pytest.mark.timeout(3_600)]


@contextmanager
def back_office(folder):
    """
    A back office that loses one answer in twenty after it has booked.
    """
    command = [*CLI, "sandbox", "--json", "--port", "0", "--ledger", str(folder / "ledger.ndjson")]
    command += ["--faults", "sales: after_commit(reset)@0.05"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def pushes(ledger):
    """
    How many pushes have had an effect so far.
    """
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def killed(command, environ, ledger, after):
    """
    Start *command* and kill it once the books have grown; False if it ended
    by itself before.
    """
    goal = pushes(ledger) + after

    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if pushes(ledger) >= goal:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True
            time.sleep(0.001)  # no fact is waited for, only a moment to kill at

    return False


def cents(row, side):
    """
    What one *side* of a row comes to.
    """
    amount = getattr(row, side)
    assert amount == round(amount, 2)

    return int(amount.scaleb(2))


def reconciled(found):
    """
    By side, what a reconciled date comes to by register, tender and tax; a
    sale of nothing has a register, too.
    """
    assert found.agrees, str(found.difference)
    assert found.remarks == ()

    return [
        {
            row.title: cents(row, side)
            for row in found.rows
            if row.name is not None and getattr(row, side)
        }
        for side in ("till", "sent", "accepted", "back_office")
    ]


@pytest.fixture
def store(request, tmp_path):
    """
    What CONEXXUS_STORE says.
    """
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'conexxus.db'}"

    return request.getfixturevalue("server").url("year")


@pytest.mark.parametrize(("store", "store_id", "timezone"), WAYS, indirect=["store"])
def test_the_books_agree_to_the_cent(tmp_path, monkeypatch, store, store_id, timezone):
    """
    Killed again and again, with answers lost, the year arrives: each sale
    once, on its own business date, with pandas' totals to the cent; and each
    date is reconciled by register, tender and tax, with pandas' sums on all sides.
    """
    monkeypatch.setenv("CONEXXUS_DEMO_DIR", str(tmp_path))
    real_store = runpy.run_path(str(EXAMPLES / "real_store.py"))
    demo = real_store["Demo"](store_id, timezone)
    demo.prepare()
    expected = json.loads(demo.expected.read_text())
    chance = random.Random(store_id)
    kills = 0

    with back_office(demo.folder) as url:
        environ = {
            **os.environ,
            "CONEXXUS_API_URL": url,
            "CONEXXUS_API_KEY": "sandbox-key",
            "CONEXXUS_RETRY_DELAY": "1",
            "CONEXXUS_STORE": store,
            "CONEXXUS_TIMEZONE": timezone,
            "CONEXXUS_ORDERS": str(demo.orders),
            "LOCATION_ID": f"store-{store_id}",
        }
        push = [*CLI, "push", "--create-store", "--since", min(expected)]

        while kills < KILLS and killed(push, environ, demo.ledger, chance.randint(1, 6)):
            kills += 1
        done = subprocess.run(push, env=environ, capture_output=True, text=True, check=False)

        with ConexxusService.from_env(environ) as service:
            for day, figures in [*expected.items()][::STEP]:
                sums = {name: cents for name, cents in figures.items() if "sale " not in name}
                assert reconciled(service.reconcile(date.fromisoformat(day))) == [sums] * 4

    ledger = Ledger(demo.ledger)
    assert done.returncode == 0, done.stderr
    assert kills == KILLS
    assert real_store["books_of"](ledger) == expected
    assert ledger.doubled() == []
