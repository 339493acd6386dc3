"""
Facts about what doctor says of rows that can't be read.
"""

import json
import sqlite3
from pathlib import Path

import pytest

from conexxus_sync.stores.sqlite import SqliteStore


@pytest.mark.case(
    "C7",
    "the store has a row whose date cannot be read",
    "the row stops only itself, the other dates are pushed, and doctor shows it",
)
def test_row_that_can_not_be_read(cli):
    """
    Doctor names table and row, what it means, and a command.
    """
    path = Path("conexxus.db")
    with SqliteStore(path).at("loc-001").write():
        pass
    day = "2026-01-02T17:00:00.000123+00:00"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO sales_dates VALUES ('loc-001', ?, NULL, NULL, NULL)",
            (day,),
        )
    connection.close()

    code, out, _ = cli("doctor", "--json")

    (found,) = [one for one in json.loads(out) if one["check"] == "rows"]
    assert (code, found["level"]) == (1, "problem")
    assert found["message"] == (
        f"1 row of sales_dates can't be read, like {day}, and nothing else waits for it. If sales "
        "of a date are missing at the back office, run "
        "`conexxus push --orders ORDERS --date DATE`"
    )
