"""
All stores of a real grocer, pushed by two processes that share one queue, and are
killed at random.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import store_at, url_of

from conexxus_client.testing import BackOffice, SandboxServer

from .real_chain_process import EXPECTED, KEY


SCRIPT = Path(__file__).with_name("real_chain_process.py")
IS_SMALL = os.environ.get("CONEXXUS_PROOF_SCALE") == "small"
DATABASES = ("postgres",)
ITEMS = [{"sku": f"S{number}", "name": "x", "price": 1} for number in range(20)]
# Of the data; the sum of its `sales_value`, in cents.
STORES, BASKETS, CENTS = 457, 155_848, 459_603_958


class Workers:
    """
    Processes of the fleet that one process forks.
    """

    def __init__(self, *arguments):
        command = [sys.executable, SCRIPT, "workers", *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.at_work = []

    def start(self):
        self.process.stdin.write("start\n")
        self.process.stdin.flush()
        self.at_work.append(int(self.process.stdout.readline()))

    def kill(self, index):
        os.kill(self.at_work.pop(index), signal.SIGKILL)

    def close(self):
        while self.at_work:
            self.kill(0)
        self.process.communicate(timeout=60)


def wait_until(condition, seconds):
    while not condition():
        time.sleep(seconds)  # no fact is waited for, only a moment to kill at


def pushed(folder, office, *, kills, most):
    """
    Let two processes push what is in *folder* until all of it is in the books.

    Args:
        kills: How often one of them is killed, the other going on.
        most: How many pushes there are at most between two kills.
    """
    expected, now = json.loads((folder / EXPECTED).read_text()), datetime.now(UTC)
    count = sum(len(ids) for ids, _ in expected.values())
    dice = random.Random(kills)

    with closing(store_at(folder / "conexxus.db")) as store, store.at("").keep_open():
        # A store that is new holds past dates back.
        for name in expected:
            with store.at(name).write() as state:
                state.sales_dates.set_start_date(now.date() - timedelta(days=15), now)

    with (
        SandboxServer(office) as server,
        closing(Workers(url_of(folder / "conexxus.db"), server.url, folder)) as workers,
    ):
        workers.start()
        workers.start()
        for _ in range(kills):
            goal = office.requests["sales"] + dice.randint(1, most)
            wait_until(lambda goal=goal: office.requests["sales"] >= goal, 0.01)
            workers.kill(dice.randrange(2))
            workers.start()
        wait_until(lambda: len(office.ledger.sales()) >= count, 1)


def in_the_books(office, names):
    """
    By store: the ids of its baskets, and what they come to in cents.
    """
    sales = {name: office.ledger.sales(name) for name in names}

    return {
        name: [sorted(it.id for it in found), int(sum(it.total for it in found) * 100)]
        for name, found in sales.items()
    }


@pytest.mark.fault(
    "S11",
    "Two processes take the runs of all stores of a real chain from one queue, and are killed "
    "at random; answers are lost",
    "each basket arrives once, and each store's total is right to the cent",
)
@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_each_basket_once(tmp_path):
    """
    Each basket arrives once, and each store's total is that of the data's own table.
    """
    stores, kills, most = ("6", 4, 6) if IS_SMALL else ("all", 50, 50)
    command = [sys.executable, "-W", "ignore", SCRIPT, "data", tmp_path, stores]
    subprocess.run(command, check=True)
    office = BackOffice(ITEMS, api_key=KEY, faults="sales: after_commit(reset)@0.05", seed=7)
    pushed(tmp_path, office, kills=kills, most=most)
    expected = json.loads((tmp_path / EXPECTED).read_text())
    found = in_the_books(office, expected)
    baskets = sum(len(ids) for ids, _ in found.values())
    cents = sum(cents for _, cents in found.values())
    print(
        f"{len(found)} stores, {baskets:,} baskets, {cents / 100:,.2f} in total; {kills} kills, "
        f"{office.requests['sales']:,} pushes"
    )

    assert found == expected
    assert office.ledger.doubled() == []
    if not IS_SMALL:
        assert (len(found), baskets, cents) == (STORES, BASKETS, CENTS)
