"""
`copy_store`: all rows of one store into another, whichever databases they are in.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
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
# Where the numbers of a table are, by the table that gives them: its locations share them.
_NUMBERED = {
    "runs": {"number": "runs"},
    "sales_clocks": {"run": "runs"},
    "item_runs": {"number": "item_runs"},
    "items": {"created_in": "item_runs", "updated_in": "item_runs"},
    "notices": {"number": "notices"},
    "given_up_notices": {"number": "notices"},
}
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
_LOCATIONS = " UNION ".join(f"SELECT DISTINCT location FROM {table}" for table in TABLES)  # noqa: S608  # ours
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


def locations_of(store: SyncStore) -> list[str]:
    """
    The locations of which *store* has rows.

    Raises:
        ConfigurationError: There is no store.
        StoreError: The database can't be read.
    """
    _refuse_absent(store)

    with store.database.read() as session:
        return sorted(name for (name,) in session.execute(_LOCATIONS).fetchall())


def copy_store(
    source: SyncStore,
    target: SyncStore,
    *,
    now: datetime,
    beside: bool = False,
    step: Step = lambda name: None,
) -> StoreCopy:
    """
    Copy all rows of *source* to *target*, compare them one by one, and mark
    *source* as moved, so that two services can't push the same sales.

    One transaction of each store: no other process writes to either meanwhile,
    and a copy that was interrupted is made again from its beginning.

    Args:
        beside: Whether *target* may hold other locations; those of *source* get
            numbers after theirs.
        step: Called with the name of each step as it is reached.

    Raises:
        ConfigurationError: There is no store, it was moved elsewhere, or the
            target holds something else.
        RunInProgressError: A run of one of the two is in progress.
        StoreError: A database can't be read or written, or a row differs.
    """
    _refuse_absent(source)
    if str(source) == str(target):
        raise ConfigurationError([f"{target} is the store itself: name another one"])

    with source.database.write(location=None) as old:
        only = {name for (name,) in old.execute(_LOCATIONS).fetchall()} if beside else None
        _refuse_used(source, old, now)
        freezes = dict(old.execute(_FREEZES).fetchall())
        _refuse_behind(source, freezes)

        with target.database.write(location=None) as new:
            _refuse_used(target, new, now, only)
            _refuse_other_freezes(target, freezes, only)
            was_there = _has_rows(new, only)
            _refuse_moved(old, new, target, is_there=was_there)
            copy = _Copy(old=old, new=new, only=only, was_there=was_there, step=step)
            if not was_there:
                copy.fill()
            rows = dict(copy.compared())
            step("commit")

        step("mark as moved")
        for location, number in freezes.items():
            target.freeze_file.write(location, number)
        old.execute(_MARK, (str(target), text(now)))
        old.execute(_FENCE_OFF)

    return StoreCopy(
        rows={table: count for table, count in rows.items() if count}, was_there=was_there
    )


@attrs.frozen(kw_only=True)
class _Copy:
    """
    The rows of one store, in a transaction of each.

    Attributes:
        only: The locations that are copied; None for all.
        was_there: Whether the target held rows of them before.
        shift: How much higher the numbers are in the target, by the table that gives them.
    """

    old: Session
    new: Session
    only: Collection[str] | None
    was_there: bool
    step: Step
    shift: Mapping[str, int] = attrs.field(init=False)

    @shift.default
    def _shift(self) -> dict[str, int]:
        if self.only is None:
            return dict.fromkeys(_HIGHEST, 0)
        if self.was_there:
            return {it: self._lowest(self.new, it) - self._lowest(self.old, it) for it in _HIGHEST}

        return {
            table: self.new.execute(statement).fetchone()[0] or 0
            for table, statement in _HIGHEST.items()
        }

    def fill(self) -> None:
        """
        Copy the rows.
        """
        for table, keys in TABLES.items():
            self.step(f"copy {table}")
            columns = _columns(self.old, table)
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # ours
            rows = self._rows(self.old, table, columns, keys)
            self.new.executemany(statement, (self.new.storable(row) for row in rows))

        for table, statement in _HIGHEST.items():
            self.new.number_after(table, self.new.execute(statement).fetchone()[0] or 0)

    def compared(self) -> Iterator[tuple[str, int]]:
        """
        How many rows each table has.

        Raises:
            ConfigurationError: The target held something else.
            StoreError: A row was not stored as it was.
        """
        for table, keys in TABLES.items():
            self.step(f"compare {table}")
            columns = _columns(self.old, table)
            both = (self._rows(it, table, columns, keys) for it in (self.old, self.new))
            count = 0
            for ours, theirs in zip_longest(*both):
                if ours is None or theirs is None or not _is_same(table, ours, theirs, self.new):
                    raise self._difference(table)
                count += 1
            yield table, count

    def _rows(self, session: Session, table: str, columns: list[str], keys: int) -> Iterator[Row]:
        """
        The rows of *table* in the order of its primary key, with the target's numbers.
        """
        order = ", ".join(str(number) for number in range(1, keys + 1))
        where, names = _of(self.only)
        statement = f"SELECT {', '.join(columns)} FROM {table}{where} ORDER BY {order}"  # noqa: S608  # ours
        rows = session.stream(statement, names)
        numbered = _NUMBERED.get(table, {}) if session is self.old else {}
        shifts = {columns.index(name): self.shift[it] for name, it in numbered.items()}

        if not any(shifts.values()):
            return rows

        return (
            tuple(
                it + shifts.get(place, 0) if place in shifts else it for place, it in enumerate(row)
            )
            for row in rows
        )

    def _difference(self, table: str) -> Exception:
        if not self.was_there:
            return StoreError(
                f"a row of {table} can't be stored there as it is; nothing was copied"
            )

        msg = (
            f"the target holds something else, in {table}: name an empty one"
            if self.only is None
            else f"the target holds something else of {', '.join(sorted(self.only))}, in {table}: "
            "these locations ran there already"
        )
        return ConfigurationError([msg])

    def _lowest(self, session: Session, table: str) -> int:
        where, names = _of(self.only)
        tables = (table, "given_up_notices") if table == "notices" else (table,)
        statements = (f"SELECT min(number) FROM {it}{where}" for it in tables)  # noqa: S608  # ours
        numbers = (session.execute(statement, names).fetchone()[0] for statement in statements)

        return min((it for it in numbers if it is not None), default=0)


def _refuse_absent(source: SyncStore) -> None:
    if not source.database.exists():
        raise ConfigurationError([f"there is no store at {source}"])


def _refuse_used(
    store: SyncStore, session: Session, now: datetime, only: Collection[str] | None = None
) -> None:
    for location, kind in session.execute(_HELD).fetchall():
        holder = store.at(location).leases.holder(kind, now)
        if holder is not None and (only is None or location in only):
            raise RunInProgressError(holder, kind=kind, location_id=location)


def _refuse_behind(source: SyncStore, freezes: dict[str, int]) -> None:
    for location, number in source.freeze_file.numbers().items():
        if number > freezes.get(location, 0):
            msg = (
                f"the store {source} was restored from a backup, and pushes of {location} wait: "
                "first run `conexxus push --orders ORDERS --adopt-through DATE`"
            )
            raise ConfigurationError([msg])


def _refuse_other_freezes(
    target: SyncStore, freezes: dict[str, int], only: Collection[str] | None
) -> None:
    """
    Of a store that was there once: the new one would look like a restored one.
    """
    for location, number in target.freeze_file.numbers().items():
        if number > freezes.get(location, 0) and (only is None or location in only):
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


def _has_rows(session: Session, only: Collection[str] | None) -> bool:
    where, names = _of(only)
    statements = (f"SELECT 1 FROM {table}{where} LIMIT 1" for table in TABLES)  # noqa: S608  # ours

    return any(session.execute(statement, names).fetchone() for statement in statements)


def _of(only: Collection[str] | None) -> tuple[str, list[str]]:
    """
    The condition that a row is of these locations, and its parameters.
    """
    if only is None:
        return "", []

    return f" WHERE location IN ({', '.join('?' * len(only)) or 'NULL'})", sorted(only)


def _is_same(table: str, ours: Row, theirs: Row, new: Session) -> bool:
    return theirs == ours or (table not in _VERBATIM and theirs == new.storable(ours))


def _columns(session: Session, table: str) -> list[str]:
    statement = f"SELECT * FROM {table} LIMIT 0"  # noqa: S608  # ours
    cursor: Any = session.execute(statement)

    return [column[0] for column in cursor.description]
