"""
An `OrderSource` on queries of the host's own database.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from conexxus_client import ConfigurationError
from conexxus_sync.model.sale_rows import SaleRows, column_problems, sale_id, split_by_part

from ._order_queries import Query


# Orders whose lines are read at once.
_BATCH = 500


class SqlOrderSource:
    """
    Reads the sales of a business date by queries, in any database that
    SQLAlchemy speaks.

    The columns of the queries have the names of the wire contract: `id`,
    `timestamp`, `total` and so on; a line also has `order_id`, the `id` of its
    order (or its `key`, where the number on the receipt is not what lines refer
    to).  What else is to be sent is called `extra.NAME`.  Queries may use these
    parameters:

    - `:business_date`, or `:begin` and `:end`, the moments between which the
      business date lies (`:begin` belongs to it, `:end` does not);
    - `:location_id`;
    - `:ids`, in the queries of lines, tenders, taxes and discounts: the orders
      that they are read for, 500 at a time.

    All is read in one transaction that sees one state of the database.

    Args:
        engine: The engine of the host's database; or a connection, for tests.
        orders: Selects the finished sales, sorted.
        lines: Selects the lines of the orders `:ids`, sorted.
        tenders: Selects their tenders.
        taxes: Selects their taxes.
        discounts: Selects their discounts.
        columns: Column by name of the wire contract, for queries that do not
            use its names: `{"id": "number", "items.sku": "code"}`.
        timezone: Zone of moments that have none in the database, UTC or that
            of the store; without it, such moments are refused.
        store_timezone: Zone of the store, for `:begin` and `:end`.
        day_closes_at: When the store's business date ends, for the same.
        decimals: Digits behind the point to which an amount is rounded that
            the database gives as a float; without it, floats are refused.

    Raises:
        ConfigurationError: A query has another parameter, or a name is none of
            the wire contract.

    Example:
        ```python
        source = SqlOrderSource(
            engine,
            orders=\"\"\"
                SELECT number AS id, closed_at AS timestamp, total
                FROM sale WHERE business_date = :business_date ORDER BY number
            \"\"\",
            lines=\"\"\"
                SELECT sale_number AS order_id, code AS sku, quantity, price
                FROM sale_line WHERE sale_number IN :ids ORDER BY sale_number, position
            \"\"\",
        )
        ```
    """

    def __init__(
        self,
        engine: sa.Engine | sa.Connection,
        *,
        orders: str,
        lines: str,
        tenders: str | None = None,
        taxes: str | None = None,
        discounts: str | None = None,
        columns: Mapping[str, str] | None = None,
        timezone: tzinfo | None = None,
        store_timezone: ZoneInfo | None = None,
        day_closes_at: time = time(0),
        decimals: int | None = None,
    ) -> None:
        parts = {"items": lines, "tenders": tenders, "taxes": taxes, "discounts": discounts}
        names = split_by_part(columns or {})
        self._engine = engine
        self._orders = Query.of("orders", "", orders, names[""])
        self._parts = [
            Query.of("lines" if part == "items" else part, part, query, names[part])
            for part, query in parts.items()
            if query is not None
        ]
        self._rows = SaleRows(
            timezone=timezone,
            store_timezone=store_timezone,
            day_closes_at=day_closes_at,
            decimals=decimals,
        )

        if problems := [*column_problems("columns", columns or {}), *self._problems()]:
            raise ConfigurationError(problems)

    def transactions(self, location_id: str, business_date: date) -> Iterator[Mapping[str, Any]]:
        """
        All finished sales of *business_date*, as mappings of the wire contract.

        Raises:
            HostError: A query has a column that is none of the wire contract.
        """
        values = {"location_id": location_id, "business_date": business_date}
        values |= zip(("begin", "end"), self._rows.window(business_date) or (), strict=False)

        with (
            _snapshot(self._engine) as db,
            self._orders.execute(db, values) as found,
        ):
            fields = self._orders.fields(found)
            for rows in found.partitions(_BATCH):
                orders = [self._rows.record(fields, row) for row in rows]
                for order in self._whole(db, orders, values):
                    if self._rows.belongs(order, business_date):
                        yield order

    def _whole(
        self, db: sa.Connection, orders: list[dict[str, Any]], values: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """
        The *orders* with what belongs to them.
        """
        keys = [order.pop("key", order["id"]) for order in orders]
        parts = {
            query.part: self._read_parts(db, query, {**values, "ids": keys})
            for query in self._parts
        }

        for key, order in zip(keys, orders, strict=True):
            order["id"] = sale_id(order["id"])
            yield order | {name: found.get(key, []) for name, found in parts.items()}

    def _read_parts(
        self, db: sa.Connection, query: Query, values: Mapping[str, Any]
    ) -> Mapping[Any, list[dict[str, Any]]]:
        """
        The rows of *query*, by the order that they belong to.
        """
        found = query.execute(db, values)
        fields = query.fields(found)
        parts = defaultdict(list)

        for row in found:
            record = self._rows.record(fields, row)
            parts[record.pop("order_id")].append(record)

        return parts

    def _problems(self) -> Iterator[str]:
        for query in (self._orders, *self._parts):
            yield from query.problems()
            if {"begin", "end"} & {*query.parameters} and self._rows.store_timezone is None:
                yield f"{query.argument}: :begin and :end need store_timezone, the store's zone"


@contextmanager
def _snapshot(engine: sa.Engine | sa.Connection) -> Iterator[sa.Connection]:
    """
    A transaction in which each query sees the same state.
    """
    if isinstance(engine, sa.Connection):
        yield engine
        return

    with engine.connect() as db:
        if engine.dialect.name == "sqlite":
            # Its driver begins a transaction only before a change.
            db.exec_driver_sql("BEGIN")
        if engine.dialect.name in ("postgresql", "mysql", "mariadb"):
            db.execution_options(isolation_level="REPEATABLE READ")
        if engine.dialect.name == "postgresql":
            db.execution_options(postgresql_readonly=True)

        yield db
