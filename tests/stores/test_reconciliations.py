"""
What came of reconciling a business date is kept, with its table.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from databases import BOTH, store_at

from conexxus_sync.model.date_reconciliation import (
    DateReconciliation,
    Measure,
    ReconciledAmount,
)
from conexxus_sync.stores._reconciliations import KEPT_ROWS


DATABASES = BOTH
DAY = date(2026, 1, 2)
NOW = datetime(2026, 1, 3, 5, 15, tzinfo=UTC)
COUNT = ReconciledAmount(
    measure=Measure.COUNT, till=Decimal(2), sent=Decimal(2), accepted=Decimal(2)
)
CASH = ReconciledAmount(
    measure=Measure.TENDER,
    name="cash \"\x00\N{SNOWMAN}'",
    till=Decimal("72.360"),
    sent=Decimal("72.36"),
    accepted=Decimal("72.36"),
    set_aside=Decimal("1E+3"),
    back_office=Decimal("-53.39"),
)


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "conexxus.db").at("loc-001")


def kept(store, *rows):
    """
    What the store has of a date with these *rows*.
    """
    found = DateReconciliation(business_date=DAY, location_id="loc-001", rows=rows)
    with store.write() as state:
        state.reconciliations.record(found, NOW)
    with store.read() as state:
        return state.reconciliations.since(DAY)[DAY]


def test_rows_are_exact(store):
    """
    Each figure comes back with its digits, and what is not known is none.
    """
    found = kept(store, COUNT, CASH)

    assert found.rows == (COUNT, CASH)
    assert str(found.rows[1].till) == "72.360"
    assert found.rows[0].back_office is None
    assert (found.at, found.more) == (NOW, 0)
    assert found.difference.startswith("tender cash")


def test_endless_table(store):
    """
    Of a till that names each payment otherwise, the rows that differ are kept first.
    """
    agreeing = [
        ReconciledAmount(measure=Measure.TENDER, name=f"card {number}", till=Decimal(number))
        for number in range(KEPT_ROWS)
    ]

    found = kept(store, COUNT, *agreeing, CASH)

    assert found.rows == (COUNT, *agreeing[:-2], CASH)
    assert found.more == 2


def test_table_of_an_earlier_version(store):
    """
    It kept none.
    """
    kept(store, CASH)
    with store.write() as state:
        state.session.execute("UPDATE reconciliations SET figures = NULL", ())

    with store.read() as state:
        (found,) = state.reconciliations.since(DAY).values()

    assert (found.rows, found.more) == ((), 0)
    assert found.difference.startswith("tender cash")
