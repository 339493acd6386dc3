"""
`copy_store`: all rows of one store into another, empty one, whichever databases they are in.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import zip_longest
from typing import Any

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.errors import RunInProgressError, StoreError

from ._database import Row, Session, text
from ._sync_store import SyncStore


# Each table, with the number of columns of its primary key: they come first.
# Leases are of runs that write to one store, none of another.
TABLES = {
    "runs": 1,
    "items": 2,
    "item_runs": 1,
    "item_counts": 1,
    "checkpoints": 1,
    "windows": 2,
    "unnamed_elements": 1,
    "quarantine": 4,
    "changes": 4,
    "hosts": 1,
    "plans": 2,
    "planned_prices": 3,
    "planned_removals": 3,
    "shadow_looks": 2,
    "source_files": 2,
    "sales_floors": 1,
    "sales_clocks": 1,
    "sales_dates": 2,
    "sales_watermarks": 1,
    "sales_looks": 1,
    "looked_sales": 4,
    "sales_profiles": 1,
    "sales_freezes": 1,
    "batches": 2,
    "batch_transactions": 3,
    "delivered": 4,
    "quarantined_transactions": 4,
    "discrepancies": 4,
    "refused_changes": 2,
    "operator_actions": 2,
    "reconciliations": 2,
    "notice_starts": 1,
    "standing_alerts": 2,
    "told_nights": 2,
    "notices": 1,
    "given_up_notices": 2,
    "api_calls": 1,
}
# By these, a sale is found that was sent: another text would be sent again.
_VERBATIM = ("batch_transactions", "delivered")
# A notice that was given up has its number still.
_HIGHEST = {
    "runs": "SELECT max(number) FROM runs",
    "item_runs": "SELECT max(number) FROM item_runs",
    "notices": """
SELECT max(number) FROM (
    SELECT number FROM notices UNION ALL SELECT number FROM given_up_notices
) AS numbers
""",
}
_HELD = "SELECT location, kind FROM leases WHERE run_id IS NOT NULL ORDER BY location, kind"
_FREEZES = "SELECT location, number FROM sales_freezes"
_MOVED = "SELECT target FROM store_moves"
_MARK = """
INSERT INTO store_moves (target, moved_at) VALUES (?, ?) ON CONFLICT (target) DO NOTHING
"""
# A run that overslept the end of its lease writes nothing more.
_FENCE_OFF = "UPDATE leases SET epoch = epoch + 1, run_id = NULL"

Step = Callable[[str], None]


@attrs.frozen(kw_only=True)
class StoreCopy:
    """
    What was copied.

    Attributes:
        rows: Of each table that has any.
        was_there: Whether the target held exactly these rows before.
    """

    rows: dict[str, int]
    was_there: bool


def copy_store(
    source: SyncStore, target: SyncStore, *, now: datetime, step: Step = lambda name: None
) -> StoreCopy:
    """
    Copy all rows of *source* to *target*, compare them one by one, and mark
    *source* as moved, so that two services can't push the same sales.

    One transaction of each store: no other process writes to either meanwhile,
    and a copy that was interrupted is made again from its beginning.

    Args:
        step: Called with the name of each step as it is reached.

    Raises:
        ConfigurationError: There is no store, it was moved elsewhere, or the
            target holds something else.
        RunInProgressError: A run of one of the two is in progress.
        StoreError: A database can't be read or written, or a row differs.
    """
    if not source.database.exists():
        raise ConfigurationError([f"there is no store at {source}"])
    if str(source) == str(target):
        raise ConfigurationError([f"{target} is the store itself: name another one"])

    with source.database.write(location=None) as old:
        _refuse_used(source, old, now)
        freezes = dict(old.execute(_FREEZES).fetchall())
        _refuse_behind(source, freezes)

        with target.database.write(location=None) as new:
            _refuse_used(target, new, now)
            _refuse_other_freezes(target, freezes)
            was_there = not _is_empty(new)
            _refuse_moved(old, new, target, is_there=was_there)
            if not was_there:
                _fill(old, new, step)
            rows = dict(_compared(old, new, step, was_there=was_there))
            step("commit")

        step("mark as moved")
        for location, number in freezes.items():
            target.freeze_file.write(location, number)
        old.execute(_MARK, (str(target), text(now)))
        old.execute(_FENCE_OFF)

    return StoreCopy(
        rows={table: count for table, count in rows.items() if count}, was_there=was_there
    )


def _refuse_used(store: SyncStore, session: Session, now: datetime) -> None:
    for location, kind in session.execute(_HELD).fetchall():
        holder = store.at(location).leases.holder(kind, now)
        if holder is not None:
            raise RunInProgressError(holder, kind=kind, location_id=location)


def _refuse_behind(source: SyncStore, freezes: dict[str, int]) -> None:
    for location, number in source.freeze_file.numbers().items():
        if number > freezes.get(location, 0):
            msg = (
                f"the store {source} was restored from a backup, and pushes of {location} wait: "
                "first run `conexxus push --orders ORDERS --adopt-through DATE`"
            )
            raise ConfigurationError([msg])


def _refuse_other_freezes(target: SyncStore, freezes: dict[str, int]) -> None:
    """
    Of a store that was there once: the new one would look like a restored one.
    """
    for location, number in target.freeze_file.numbers().items():
        if number > freezes.get(location, 0):
            where = target.freeze_file.path or "this process"
            msg = f"{where} counts freezes of another store at {target}: name another target"
            raise ConfigurationError([msg])


def _refuse_moved(old: Session, new: Session, target: SyncStore, *, is_there: bool) -> None:
    """
    Refuse what is no longer the store in use.
    """
    if new.execute(_MOVED).fetchone():
        raise ConfigurationError([f"the target {target} was itself moved: name an empty one"])

    moved = old.execute(_MOVED).fetchone()

    # It was marked once all of it was there.
    if moved and not (is_there and moved[0] == str(target)):
        msg = f"the store was moved to {moved[0]}, which may have pushed since: move that one"
        raise ConfigurationError([msg])


def _is_empty(session: Session) -> bool:
    statements = (f"SELECT 1 FROM {table} LIMIT 1" for table in TABLES)  # noqa: S608  # ours

    return not any(session.execute(statement).fetchone() for statement in statements)


def _fill(old: Session, new: Session, step: Step) -> None:
    for table, keys in TABLES.items():
        step(f"copy {table}")
        columns = _columns(old, table)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # ours
        rows = _rows(old, table, columns, keys)
        new.executemany(statement, (new.storable(row) for row in rows))

    for table, statement in _HIGHEST.items():
        new.number_after(table, new.execute(statement).fetchone()[0] or 0)


def _compared(
    old: Session, new: Session, step: Step, *, was_there: bool
) -> Iterator[tuple[str, int]]:
    """
    How many rows each table has.

    Raises:
        ConfigurationError: The target held something else.
        StoreError: A row was not stored as it was.
    """
    for table, keys in TABLES.items():
        step(f"compare {table}")
        columns = _columns(old, table)
        pairs = zip_longest(*(_rows(each, table, columns, keys) for each in (old, new)))
        count = 0
        for ours, theirs in pairs:
            if ours is None or theirs is None or not _is_same(table, ours, theirs, new):
                raise _difference(table, was_there=was_there)
            count += 1
        yield table, count


def _is_same(table: str, ours: Row, theirs: Row, new: Session) -> bool:
    return theirs == ours or (table not in _VERBATIM and theirs == new.storable(ours))


def _difference(table: str, *, was_there: bool) -> Exception:
    if was_there:
        msg = f"the target holds something else, in {table}: name an empty one"
        return ConfigurationError([msg])

    return StoreError(f"a row of {table} can't be stored there as it is; nothing was copied")


def _columns(session: Session, table: str) -> list[str]:
    statement = f"SELECT * FROM {table} LIMIT 0"  # noqa: S608  # ours
    cursor: Any = session.execute(statement)

    return [column[0] for column in cursor.description]


def _rows(session: Session, table: str, columns: list[str], keys: int) -> Iterator[Row]:
    """
    The rows of *table* in the order of its primary key.
    """
    order = ", ".join(str(number) for number in range(1, keys + 1))
    statement = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"  # noqa: S608  # ours

    return session.stream(statement)
