"""
Which column of the host's table holds which field of an item, and how it is written there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError

from conexxus_client import ConfigurationError, Item
from conexxus_sync.errors import HostError
from conexxus_sync.model.formatting import did_you_mean
from conexxus_sync.model.item_fields import as_json, field_of, rounding_problem


@attrs.frozen(kw_only=True)
class Columns:
    """
    The host's table, as far as the catalogue concerns it.

    Attributes:
        table: With the columns that are named, and the types that they have.
        sku: The column that says which item a row is.
        given: Column by field of an item.
        constants: Columns that have the same value in each row of this catalogue.
        active: The column that says whether an item is offered.
    """

    table: sa.TableClause
    given: Mapping[str, str]
    constants: Mapping[str, Any]
    active: str | None

    @property
    def sku(self) -> sa.ColumnElement[str]:
        return self.table.c[self.given["sku"]]

    @property
    def price(self) -> sa.ColumnElement[Any] | None:
        name = self.given.get("price")
        return None if name is None else self.table.c[name]

    @property
    def ours(self) -> list[sa.ColumnElement[bool]]:
        """
        The condition of a row of this catalogue.
        """
        return [self.table.c[name] == value for name, value in self.constants.items()]

    def checked(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """
        The *row* that a function of the host made.

        Raises:
            HostError: It has a column that the table does not have.
        """
        for name in row:
            if name not in self.table.c:
                near = did_you_mean(name, self.table.c.keys())
                msg = f"on_row: the table has no column {name!r}{near}"
                raise HostError(msg)

        return dict(row)

    def row(self, item: Item) -> dict[str, Any]:
        """
        The values of *item*, by column.
        """
        row = {column: self._value(item, field, column) for field, column in self.given.items()}
        row |= self.constants

        if self.active:
            row[self.active] = True

        return row

    def _value(self, item: Item, field: str, column: str) -> Any:
        value = field_of(item, field)

        if isinstance(value, Decimal):
            return _exact(item, value, self.table.c[column])
        if isinstance(value, Mapping | list):
            return as_json(value)

        return value


def _exact(item: Item, value: Decimal, column: sa.ColumnElement[Any]) -> Decimal | str:
    """
    Raises:
        HostError: The column would round it.
    """
    if not isinstance(column.type, sa.Numeric):
        return format(value, "f")

    if problem := rounding_problem(item, value, column.name, column.type.scale):
        raise HostError(problem)

    return value


def find_columns(
    bind: sa.Connection,
    table: str | sa.FromClause,
    *,
    schema: str | None,
    given: Mapping[str, str],
    constants: Mapping[str, Any],
    active: str | None,
) -> Columns:
    """
    Look at the host's table.

    Raises:
        ConfigurationError: It is not there, or a column is not there or can't
            hold what it is to hold.
    """
    types = _types(bind, table, schema)
    wanted = [*given.values(), *constants, *([active] if active else [])]
    problems = [*_missing(str(table), wanted, types)] or [*_unfit(given, types)]

    if problems:
        raise ConfigurationError(problems)

    columns = [sa.column(name, _written_as(bind, type_)) for name, type_ in types.items()]
    target = _clause(table, schema, columns)

    return Columns(table=target, given=given, constants=constants, active=active)


def _types(
    bind: sa.Connection, table: str | sa.FromClause, schema: str | None
) -> dict[str, sa.types.TypeEngine[Any]]:
    if not isinstance(table, str):
        return {column.name: column.type for column in table.columns}

    inspector = sa.inspect(bind)

    try:
        return {it["name"]: it["type"] for it in inspector.get_columns(table, schema=schema)}
    except NoSuchTableError:
        names = inspector.get_table_names(schema=schema)
        msg = f"table: the database has no table {table!r}{did_you_mean(table, names)}"
        raise ConfigurationError([msg]) from None


def _missing(table: str, wanted: Iterable[str], types: Mapping[str, object]) -> Iterator[str]:
    for name in dict.fromkeys(wanted):
        if name not in types:
            yield f"columns: table {table!r} has no column {name!r}{did_you_mean(name, types)}"


def _unfit(
    given: Mapping[str, str], types: Mapping[str, sa.types.TypeEngine[Any]]
) -> Iterator[str]:
    sku, price = given["sku"], given.get("price")

    if not isinstance(types[sku], sa.String):
        yield (
            f"columns: {sku!r} is {types[sku]}: SKUs are texts, and a number loses their zeros; "
            "make it a VARCHAR"
        )
    if price and not _is_exact(types[price]):
        yield (
            f"columns: {price!r} is {types[price]}: a price is exact in NUMERIC or VARCHAR; "
            "for cents in an integer column, leave it out of columns and set it in on_row"
        )


def _is_exact(given: sa.types.TypeEngine[Any]) -> bool:
    return isinstance(given, sa.Numeric | sa.String) and not isinstance(given, sa.Float)


def _written_as(bind: sa.Connection, given: sa.types.TypeEngine[Any]) -> Any:
    """
    SQLite's driver has no Decimal; the column makes a number of the text.
    """
    if bind.dialect.name == "sqlite" and isinstance(given, sa.Numeric):
        return _SqliteNumeric(given.precision, given.scale)

    return given


class _SqliteNumeric(sa.Numeric[Any]):
    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], str | None]:
        return lambda value: None if value is None else str(value)


def _clause(
    table: str | sa.FromClause, schema: str | None, columns: list[sa.ColumnClause[Any]]
) -> sa.TableClause:
    if isinstance(table, str):
        return sa.table(table, *columns, schema=schema)

    return sa.table(
        getattr(table, "name", ""), *columns, schema=schema or getattr(table, "schema", None)
    )
