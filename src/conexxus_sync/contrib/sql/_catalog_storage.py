"""
A `CatalogStorage` on a table of the host's own database.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import copy
from decimal import Decimal
from functools import partial
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa

from conexxus_client import ConfigurationError, Item
from conexxus_sync.errors import HostError
from conexxus_sync.model.item_fields import fields_problems
from conexxus_sync.protocols import CatalogChanges
from conexxus_sync.stores.shared_database import lent_connection, shared_path

from ._columns import Columns, find_columns


Row = dict[str, Any]

# Below the 999 parameters that a statement of an old SQLite may have.
_BATCH = 500
_NO_URL = sa.make_url("unused://")


class SqlCatalogStorage:
    """
    Writes the catalogue into a table of any database that SQLAlchemy speaks.

    Each `apply` is one transaction: rows that exist are updated, others are
    inserted, and the sequence of the changes is kept beside them, in a table
    of its own, so that `last_applied` is as old as the catalogue when a backup
    of the database is restored.  Where that database has the SDK's own store,
    too, the transaction is that of the pull.

    Args:
        engine: The engine of the host's database; or a connection, for tests
            that roll back.
        table: Its name, or a SQLAlchemy `Table`.
        columns: The column of each field of an item: `sku`, `name`, `price`,
            `category`, `description`, or `extra.KEY`.  `sku` must be a text
            column, and `price` an exact one.
        constants: Columns that have the same value in each row of this
            catalogue, such as the number of the store; rows with other values
            are not touched.
        active: A boolean column: true for what is offered, false for what was
            removed.
        delete_removed: Delete the rows of removed items; the other way to
            remove them.
        on_row: Makes the row that is written from the row of an item and the
            item; it returns the same columns for each item.
        schema: Where the table is, unless it is in the default schema.
        sequence_table: Where sequences are kept; made if it is not there.

    Raises:
        ConfigurationError: A field that items do not have, or no column for
            the SKU or the price.

    Example:
        ```python
        storage = SqlCatalogStorage(
            engine,
            table="product",
            columns={"sku": "code", "name": "title", "price": "price"},
            constants={"store_id": 7},
            active="is_active",
        )
        ```
    """

    def __init__(
        self,
        engine: sa.Engine | sa.Connection,
        table: str | sa.FromClause,
        *,
        columns: Mapping[str, str],
        constants: Mapping[str, Any] | None = None,
        active: str | None = None,
        delete_removed: bool = False,
        on_row: Callable[[Row, Item], Mapping[str, Any]] | None = None,
        schema: str | None = None,
        sequence_table: str = "conexxus_catalog_sequence",
    ) -> None:
        problems = [
            *_engine_problems(engine),
            *fields_problems("columns", columns, derived=on_row is not None),
        ]
        if active and delete_removed:
            problems.append("active and delete_removed: give one of them")
        if problems:
            raise ConfigurationError(problems)

        self._engine = engine
        self._find = partial(
            find_columns,
            table=table,
            schema=schema,
            given=columns,
            constants=constants or {},
            active=active,
        )
        self._delete_removed = delete_removed
        self._on_row = on_row
        self._sequences = sa.Table(
            sequence_table,
            sa.MetaData(schema=schema),
            sa.Column("location_id", sa.String(200), primary_key=True),
            sa.Column("sequence", sa.BigInteger, nullable=False),
        )
        self._columns: Columns | None = None
        self._path: str | None = None

    def apply(self, changes: CatalogChanges) -> None:
        """
        Make all of *changes* visible, or nothing.

        Raises:
            ConfigurationError: The table does not fit.
            HostError: A row can't be written as the item is.
        """
        columns = self._prepared()

        with self._begun() as db:
            self._write(db, columns, changes)

    def shares(self, connection: Any) -> bool:
        """
        Is *connection*, one to the SDK's own store, to the database of the table?

        Then `apply_in` is called, and mirror and table change in one transaction:
        the same file of SQLite, or the same database and role of PostgreSQL, by
        psycopg.
        """
        if not isinstance(self._engine, sa.Engine):
            return False

        self._prepared()
        with self._begun() as db:
            self._path = shared_path(connection, db.connection.driver_connection)

        return self._path is not None

    def apply_in(self, connection: Any, changes: CatalogChanges) -> None:
        """
        Make *changes* visible in the transaction that is open on *connection*, for
        which `shares` returned true.
        """
        with lent_connection(connection, self._path or "") as lent:
            engine = sa.Engine(sa.StaticPool(lambda: lent), self._engine.dialect, _NO_URL)
            with engine.connect() as db:
                self._write(db, self._prepared(), changes)

    def last_applied(self, location_id: str) -> int | None:
        """
        Sequence of the last changes made visible; None if there were none.
        """
        self._prepared()
        query = sa.select(self._sequences.c.sequence).where(
            self._sequences.c.location_id == location_id
        )

        with self._begun() as db:
            return db.scalar(query)

    def prices(self) -> dict[str, Decimal]:
        """
        The price of each item that the table offers, by SKU: for tests and checks.

        Raises:
            NotImplementedError: `columns` has no price.
        """
        columns = self._prepared()
        if columns.price is None:
            msg = "columns has no price: what the shop shows can't be compared"
            raise NotImplementedError(msg)

        active = [columns.table.c[columns.active].is_(True)] if columns.active else []
        query = sa.select(columns.sku, columns.price).where(*columns.ours, *active)

        with self._begun() as db:
            found = db.execute(query)
            return {_text(columns.sku, sku): Decimal(it) for sku, it in found if it is not None}

    @contextmanager
    def rolled_back(self) -> Iterator["SqlCatalogStorage"]:
        """
        A block with a storage whose changes are taken back at its end: for tests
        and checks.
        """
        self._prepared()
        engine, one = self._engine, copy(self)

        with engine.connect() if isinstance(engine, sa.Engine) else nullcontext(engine) as db:
            one._engine = db
            transaction = _begin(db)
            try:
                yield one
            finally:
                transaction.rollback()

    def _prepared(self) -> Columns:
        """
        What the table is like, looked at once; the table of sequences is there.

        MySQL ends a transaction where a table is made.
        """
        if self._columns is None:
            with self._begun() as db:
                self._columns = self._find(db)
                self._sequences.create(db, checkfirst=True)

        return self._columns

    @contextmanager
    def _begun(self) -> Iterator[sa.Connection]:
        engine = self._engine

        if isinstance(engine, sa.Engine):
            with engine.begin() as db:
                yield db
        else:
            with _begin(engine):
                yield engine

    def _write(self, db: sa.Connection, columns: Columns, changes: CatalogChanges) -> None:
        for items in _batches(chain(changes.created, changes.updated)):
            self._upsert(db, columns, items)
        for items in _batches(changes.removed):
            self._remove(db, columns, items)
        self._remember(db, changes.location_id, changes.sequence)

    def _upsert(self, db: sa.Connection, columns: Columns, items: list[Item]) -> None:
        rows = [self._row(columns, item) for item in items]
        there = self._there(db, columns, [item.sku for item in items])
        pairs = list(zip(items, rows, strict=True))

        if known := [_named(item.sku, row) for item, row in pairs if item.sku in there]:
            values: Row = {name: sa.bindparam(f"new_{name}") for name in pairs[0][1]}
            db.execute(
                sa.update(columns.table)
                .where(columns.sku == sa.bindparam("which_sku"), *columns.ours)
                .values(values),
                known,
            )
        if new := [row for item, row in pairs if item.sku not in there]:
            db.execute(sa.insert(columns.table), new)

    def _row(self, columns: Columns, item: Item) -> Row:
        row = columns.row(item)
        return columns.checked(self._on_row(row, item)) if self._on_row else row

    def _there(self, db: sa.Connection, columns: Columns, skus: list[str]) -> set[str]:
        query = sa.select(columns.sku).where(columns.sku.in_(skus), *columns.ours)
        found = {_text(columns.sku, sku) for sku in db.scalars(query)}

        if like := found.difference(skus):
            msg = (
                f"the column {columns.sku.name!r} finds {min(like)!r} for another SKU: "
                "give it a collation that compares texts byte by byte (utf8mb4_bin, for example)"
            )
            raise HostError(msg)

        return found

    def _remove(self, db: sa.Connection, columns: Columns, items: list[Item]) -> None:
        which = [columns.sku.in_([item.sku for item in items]), *columns.ours]

        if columns.active:
            change = sa.update(columns.table).where(*which)
            db.execute(change.values({columns.active: False}))
        elif self._delete_removed:
            db.execute(sa.delete(columns.table).where(*which))
        else:
            msg = (
                f"{items[0].sku!r} was removed, and the storage does not know how: "
                "give it active='COLUMN' or delete_removed=True"
            )
            raise HostError(msg)

    def _remember(self, db: sa.Connection, location_id: str, sequence: int) -> None:
        table = self._sequences
        changed = db.execute(
            sa.update(table).where(table.c.location_id == location_id).values(sequence=sequence)
        )
        if not changed.rowcount:
            db.execute(sa.insert(table).values(location_id=location_id, sequence=sequence))


def _begin(db: sa.Connection) -> sa.Transaction:
    """
    A transaction, or a part of the one that is open.
    """
    if not db.in_transaction():
        return db.begin()

    driver: Any = db.connection.driver_connection
    # Python's SQLite begins with the first change, and a savepoint before it would commit.
    if db.dialect.name == "sqlite" and not driver.in_transaction:
        db.exec_driver_sql("BEGIN")

    return db.begin_nested()


def _text(column: sa.ColumnElement[str], value: str) -> str:
    """
    CHAR comes filled up with spaces.
    """
    return value.rstrip() if isinstance(column.type, sa.CHAR) else value


def _named(sku: str, row: Row) -> Row:
    """
    A column may have the name of a parameter.
    """
    return {"which_sku": sku, **{f"new_{name}": value for name, value in row.items()}}


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)

    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _engine_problems(engine: object) -> Iterator[str]:
    if not isinstance(engine, sa.Engine | sa.Connection):
        yield (
            f"engine is a {type(engine).__name__}: give an Engine of sqlalchemy.create_engine, "
            "with a synchronous driver; an asynchronous application makes a second one for it"
        )
