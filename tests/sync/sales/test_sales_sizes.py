"""
Facts about what a push costs on a store that has been in use for years.
"""

from datetime import date, timedelta

import pytest

from conexxus_client import ApiProfile


LOCATION = "loc-001"
DAY = date(2026, 1, 2)
ROWS = 50_000

DELIVERED = (
    "INSERT INTO delivered"
    " VALUES (?, ?, ?, x'00', '1', 'k', '2025-12-01T00:00:00+00:00', '2025-12-01', 0, 0)"
)


@pytest.mark.parametrize("dedupe", ["key", "transaction_id"])
def test_years_of_sales(new_till, dedupe):
    """
    A push does not read what was delivered on other dates.

    Counted in instructions of the database's virtual machine: to read the
    rows once would take more than one for each.
    """
    till = new_till(profile=ApiProfile(dedupe=dedupe))
    with till.store.writing() as connection:
        connection.executemany(
            DELIVERED,
            (
                (LOCATION, (date(2025, 1, 1) + timedelta(days=n // 200)).isoformat(), f"o{n}")
                for n in range(ROWS)
            ),
        )
    store, steps = till.store, []
    connect = store._connect

    def counting():
        connection = connect()
        connection.set_progress_handler(lambda: steps.append(1), 100)
        return connection

    store._connect = counting
    till.orders.add(till.sale("t1"), till.sale("t2"))

    (run,) = till.engine(store=store).push(DAY)

    assert run.items_succeeded == 2
    assert 100 * len(steps) < ROWS
