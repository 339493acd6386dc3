"""
Finds rows that can't be read: `conexxus doctor` names them, everything else passes them over.
"""

from collections.abc import Callable, Iterator
from datetime import date

import attrs

from conexxus_sync.model.run_json import load_run

from ._batch_rows import COLUMNS, read_batch
from ._database import Row, Session, optional_moment


_DATES = "SELECT business_date, visited_at FROM sales_dates WHERE location = ?"
_BATCHES = f"SELECT key, {COLUMNS} FROM batches WHERE location = ?"  # noqa: S608  # constants
_DELIVERED = "SELECT business_date, delivered_at FROM delivered WHERE location = ?"
_QUARANTINED = """
SELECT business_date, quarantined_at FROM quarantined_transactions WHERE location = ?
"""
_DISCREPANCIES = "SELECT business_date, found_at FROM discrepancies WHERE location = ?"
_RUNS = "SELECT id, document FROM runs WHERE location = ?"


@attrs.frozen(kw_only=True)
class UnreadableRows:
    """
    Rows of one table that nothing reads.

    Attributes:
        count: How many there are.
        like: What finds the first of them.
    """

    table: str
    count: int
    like: str


def find_unreadable_rows(session: Session, location: str) -> Iterator[UnreadableRows]:
    """
    Every table of sales and runs that has some.
    """
    scope = (location,)

    for table, rows, read in (
        ("sales_dates", session.stream(_DATES, scope), _date_and_moment),
        ("batches", session.stream(_BATCHES, scope), lambda row: read_batch(row[1:])),
        ("delivered", session.stream(_DELIVERED, scope), _date_and_moment),
        ("quarantined_transactions", session.stream(_QUARANTINED, scope), _date_and_moment),
        ("discrepancies", session.stream(_DISCREPANCIES, scope), _date_and_moment),
        ("runs", session.stream(_RUNS, scope), lambda row: load_run(row[1])),
    ):
        bad = [str(row[0]) for row in rows if not _is_readable(row, read)]
        if bad:
            yield UnreadableRows(table=table, count=len(bad), like=bad[0])


def _is_readable(row: Row, read: Callable[[Row], object]) -> bool:
    try:
        read(row)
    except Exception:  # noqa: BLE001  # that is the question
        return False

    return True


def _date_and_moment(row: Row) -> object:
    return date.fromisoformat(row[0]), optional_moment(row[1])
