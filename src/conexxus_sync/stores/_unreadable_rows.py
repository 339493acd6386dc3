"""
Finds rows that can't be read: `conexxus doctor` names them, everything else passes them over.
"""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import attrs

from conexxus_sync.model.run_json import load_run

from ._batch_rows import COLUMNS, read_batch
from ._database import optional_moment


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


def find_unreadable_rows(
    connection: sqlite3.Connection, location_id: str
) -> Iterator[UnreadableRows]:
    """
    Every table of sales and runs that has some.
    """
    for table, (query, read) in _READERS.items():
        bad = [
            str(row[0])
            for row in connection.execute(query, (location_id,))
            if not _is_readable(row, read)
        ]
        if bad:
            yield UnreadableRows(table=table, count=len(bad), like=bad[0])


def _is_readable(row: tuple[Any, ...], read: Callable[[tuple[Any, ...]], object]) -> bool:
    try:
        read(row)
    except Exception:  # noqa: BLE001  # that is the question
        return False

    return True


def _date_and_moment(row: tuple[Any, ...]) -> object:
    return date.fromisoformat(row[0]), optional_moment(row[1])


def _dated(table: str, moment: str) -> str:
    return f"SELECT business_date, {moment} FROM {table} WHERE location = ?"  # noqa: S608  # constants


_READERS: dict[str, tuple[str, Callable[[tuple[Any, ...]], object]]] = {
    "sales_dates": (_dated("sales_dates", "visited_at"), _date_and_moment),
    "batches": (
        f"SELECT key, {COLUMNS} FROM batches WHERE location = ?",  # noqa: S608  # constants
        lambda row: read_batch(row[1:]),
    ),
    "delivered": (_dated("delivered", "delivered_at"), _date_and_moment),
    "quarantined_transactions": (
        _dated("quarantined_transactions", "quarantined_at"),
        _date_and_moment,
    ),
    "discrepancies": (_dated("discrepancies", "found_at"), _date_and_moment),
    "runs": (
        "SELECT id, document FROM runs WHERE location = ?",
        lambda row: load_run(row[1]),
    ),
}
