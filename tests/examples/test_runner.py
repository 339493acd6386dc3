import sqlite3
import threading
from contextlib import closing
from decimal import Decimal

import pytest

from conexxus_client.testing import SandboxServer


MORNING = "2026-01-02T15:00:00+00:00"  # 10:00 in New York
NIGHT = "2026-01-03T05:20:00+00:00"  # 00:20: the second has closed

ORDERS = [
    ("t1", "2026-01-02T17:00:00+00:00", "2026-01-02", "19.80"),
    ("t2", "2026-01-03T04:59:00+00:00", "2026-01-02", "-9.90"),
    ("t3", "2026-01-03T15:00:00+00:00", "2026-01-03", "9.90"),
]
LINES = [
    ("t1", "SKU0001", "2", "9.90"),
    ("t2", "SKU0001", "-1", "9.90"),
    ("t3", "SKU0002", "1", "9.90"),
]

# Read by Python at its start: whoever waits for an event is signalled while
# it holds the event's lock.
SIGNAL_UNDER_THE_LOCK = """
import os, signal, threading
wait = threading.Event.wait
def signalled(self, timeout=None):
    if timeout is not None:
        with self._cond:
            os.kill(os.getpid(), signal.SIGTERM)
    return wait(self, timeout)
threading.Event.wait = signalled
"""


class Asked:
    """
    Told of each request by the sandbox, after it has acted on it.
    """

    def __init__(self):
        self.catalog, self.sales = threading.Event(), threading.Event()

    def __call__(self, line):
        (self.sales if "/sales/" in line else self.catalog).set()


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def server(office, asked):
    with SandboxServer(office, log=asked) as server:
        yield server


@pytest.fixture
def runner(program, server):
    return program(
        "runner.py",
        **server.env,
        CONEXXUS_TIMEZONE="America/New_York",
        LOCATION_ID="loc-001",
        SHOP_DB="shop.db",
    )


@pytest.fixture
def query(runner):
    """
    Ask the shop's own database.
    """

    def ask(text):
        with closing(sqlite3.connect(runner.folder / "shop.db")) as db:
            return db.execute(text).fetchall()

    return ask


@pytest.fixture
def sell(runner):
    """
    The shop sells, between the first run and the night.
    """

    def at_the_till():
        with closing(sqlite3.connect(runner.folder / "shop.db")) as db, db:
            db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)
            db.executemany("INSERT INTO order_lines VALUES (?, ?, ?, ?)", LINES)

    return at_the_till


def test_catalogue_arrives_in_the_shops_own_table(runner, query):
    """
    One round fills the product table, prices digit for digit.
    """
    done = runner.run("--once")

    assert done.returncode == 0
    assert query("SELECT count(*), min(price), max(price) FROM products WHERE active") == [
        (1000, "9.90", "9.90")
    ]


def test_sales_go_out_on_their_business_date(runner, office, sell):
    """
    What is due goes out; the next day's sale waits for its night.
    """
    runner.run("--once", NOW=MORNING)
    sell()

    done = runner.run("--once", NOW=NIGHT)

    assert done.returncode == 0
    assert office.effective_batches == [{"t1", "t2"}]
    assert office.ledger.total() == Decimal("9.90")


def test_killed_in_the_middle_of_a_pull(runner, office, query, asked):
    """
    After SIGKILL in the middle of the catalogue the shop has nothing of it,
    and the next start has all of it, without waiting for anything.
    """
    office.faults("catalog: stall(100000)")

    with runner.start("--once") as process:
        assert asked.catalog.wait(30)
        process.kill()
    before = query("SELECT count(*) FROM products")
    runner.run("--once")

    assert before == [(0,)]
    assert query("SELECT count(*) FROM products WHERE active") == [(1000,)]


def test_killed_in_the_middle_of_a_push(runner, office, sell, asked):
    """
    After SIGKILL between the booking and its answer, the next start asks
    again under the same key: each sale is booked once.
    """
    runner.run("--once", NOW=MORNING)
    sell()
    office.faults("sales: after_commit(hang)")

    with runner.start("--once", NOW=NIGHT) as process:
        assert asked.sales.wait(30)
        process.kill()
    done = runner.run("--once", NOW=NIGHT)

    assert done.returncode == 0
    assert office.requests["sales"] == 2
    assert office.effective_batches == [{"t1", "t2"}]


def test_runs_until_it_is_stopped(runner, query):
    """
    Without `--once` it keeps the schedule, and ends when it is told to.
    """
    with runner.start() as process:
        for line in process.stderr:
            if "inventory sync completed" in line:
                break
        process.terminate()
        _, err = process.communicate(timeout=10)

    assert process.returncode == 0
    assert "Traceback" not in err
    assert query("SELECT count(*) FROM products") == [(1000,)]


def test_stopped_at_the_worst_moment(runner):
    """
    A signal that comes while the lock of `stop` is held ends it all the same.
    """
    with (runner.folder / "sitecustomize.py").open("a") as site:
        site.write(SIGNAL_UNDER_THE_LOCK)

    done = runner.run()

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_restored_shop_gets_everything_again(runner, query):
    """
    A shop that comes back from a backup is behind, and is brought up to date
    although the back office has nothing new.
    """
    runner.run("--once", NOW=MORNING)
    (runner.folder / "shop.db").unlink()

    runner.run("--once", NOW=NIGHT)

    assert query("SELECT count(*) FROM products") == [(1000,)]
