"""
Data about a person in a sale: where it is, and when it is gone.
"""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import attrs
from databases import in_sqlite

from conexxus_sync.inventory._pull import RUNS_ARE_KEPT
from conexxus_sync.model.sales import BYTES_KEPT, IDS_KEPT
from conexxus_sync.notifications._sender import GIVEN_UP_AFTER, STALE_AFTER


NAME = "Ada Lovelace"
DAY = date(2026, 1, 2)
PAGE = Path(__file__).parents[2] / "docs/explanation/privacy.md"


def sold(till, name):
    return attrs.evolve(till.sale(name), extra={"customer": NAME})


def rows_with_the_name(till):
    """
    The tables that have the name in a value.
    """
    with closing(sqlite3.connect(till.folder / "store.db")) as store:
        tables = [
            name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        return {
            table
            for table in tables
            for row in store.execute(f"SELECT * FROM {table}")
            for value in row
            if NAME in (value.decode("latin-1") if isinstance(value, bytes) else str(value))
        }


@in_sqlite
def test_bytes_of_a_batch(new_till, caplog):
    """
    They are in the batch alone, not in the log, and gone after 30 days: with
    SQLite's `secure_delete`, out of the file, too.
    """
    caplog.set_level("DEBUG")
    till = new_till()
    till.orders.add(sold(till, "t1"))
    till.push()

    assert rows_with_the_name(till) == {"batches"}

    for days in (29, 31):
        till.clock.advance_to(datetime(2026, 1, 2, 23, 50, tzinfo=UTC) + timedelta(days=days))
        till.orders.add(till.sale(f"t{days}"), day=DAY + timedelta(days=days))
        till.push(DAY + timedelta(days=days))

    assert rows_with_the_name(till) == set()
    assert NAME not in caplog.text
    with closing(sqlite3.connect(till.folder / "store.db")) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (overwritten,) = store.execute("PRAGMA secure_delete").fetchone()
    if overwritten:
        assert NAME.encode() not in (till.folder / "store.db").read_bytes()


@in_sqlite
def test_sale_in_quarantine(new_till):
    """
    It keeps its bytes as it is dismissed, and loses them as it is let out; the
    batch in which it was refused keeps them for its 30 days.
    """
    till = new_till()
    till.office.reject = {"t1"}
    till.orders.add(sold(till, "t1"), till.sale("t2"))
    till.push()

    till.operator().dismiss(DAY, "t1", reason="a test sale")
    assert rows_with_the_name(till) == {"batches", "quarantined_transactions"}

    till.operator().replay(DAY, "t1")
    assert rows_with_the_name(till) == {"batches"}


@in_sqlite
def test_periods_of_the_page():
    """
    The page names the periods of the code.
    """
    page = PAGE.read_text()
    days = {int(count) for count in re.findall(r"(\d+) days", page)}

    assert {BYTES_KEPT.days, IDS_KEPT.days, RUNS_ARE_KEPT.days} == days
    assert (GIVEN_UP_AFTER.days, STALE_AFTER.days) == (2, 7)
    assert "two days of failures, or a week" in page
