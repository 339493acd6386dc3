"""
Facts about what a push costs: on a store that has been in use for years, and
by the size of a day.
"""

import itertools
import json
import subprocess
import sys
import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import pytest

from conexxus_client import ApiProfile
from conexxus_sync.sales import BatchLimits
from conexxus_sync.stores.sqlite import SqliteStore
from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
ROWS = 50_000

DELIVERED = (
    "INSERT INTO delivered"
    " VALUES (?, ?, ?, '', '1', x'00', '1', 'k', '2025-12-01T00:00:00+00:00', '2025-12-01', 0, 0)"
)


class Counting(SqliteDatabase):
    """
    Counts every hundredth instruction of the database's virtual machine.
    """

    steps = 0

    def _connect(self):
        connection = super()._connect()
        connection.set_progress_handler(self._count, 100)
        return connection

    def _count(self):
        self.steps += 1


@pytest.mark.parametrize("dedupe", ["key", "transaction_id"])
def test_years_of_sales(new_till, dedupe):
    """
    A push does not read what was delivered on other dates.

    Counted in instructions of the database's virtual machine: to read the
    rows once would take more than one for each.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe))
    with till.store.write() as state:
        state.session.executemany(
            DELIVERED,
            (
                (LOCATION, (date(2025, 1, 1) + timedelta(days=n // 200)).isoformat(), f"o{n}")
                for n in range(ROWS)
            ),
        )
    database = Counting(till.store.database.path)
    store = SqliteStore(database.path, database=database).at(LOCATION)
    till.orders.add(till.sale("t1"), till.sale("t2"))

    (run,) = till.engine(store=store).push(DAY)

    assert run.items_succeeded == 2
    assert 0 < 100 * database.steps < ROWS


def test_day_of_any_size(new_till):
    """
    A large day costs the memory of a batch.
    """
    till = new_till(limits=BatchLimits(transactions=150))
    day = date(2026, 1, 2)

    class Stream:
        def transactions(self, location_id, business_date):
            return (
                till.sale(f"{business_date:%d}-{n:06d}")
                for n in range(3_000 if business_date == day else 1)
            )

    class Sink:
        profile = till.profile
        sent = itertools.count()

        def push_sales(self, batch, *, idempotency_key, repeat_within=None):
            if batch.date == day:
                assert batch.transactions()[0].id == f"02-{next(self.sent) * 150:06d}"
            return till.client().push_sales(batch, idempotency_key=idempotency_key)

    engine = till.engine(orders=Stream(), client=Sink())
    engine.push(day - timedelta(days=1))
    tracemalloc.start()
    (run,) = engine.push(day)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    kept = 3_000 * 1_000  # The back office in this process keeps its books.
    assert (run.batches, run.items_succeeded) == (20, 3_000)
    assert peak < kept + 1_200_000


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hundred_thousand_sales(tmp_path):
    """
    A day of 100,000 sales of three lines arrives in order, and costs at most
    60 MiB more than a day of one.
    """
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("large_day.py"), tmp_path, "100000"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result = json.loads(done.stdout)

    print(result)
    assert (result["arrived"], result["in_order"]) == (100_000, True)
    assert (result["total"], result["batches"]) == ("330000.00", 50)
    assert result["more_mib"] <= 60
