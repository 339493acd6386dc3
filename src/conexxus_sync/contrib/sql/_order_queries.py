"""
The queries of an order source: their parameters, and the fields that their columns are.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from conexxus_sync.errors import HostError
from conexxus_sync.model.formatting import did_you_mean
from conexxus_sync.model.sale_rows import EXTRA, PARTS, SALE


_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "location_id": sa.String(),
    "business_date": sa.Date(),
    "begin": sa.DateTime(timezone=True),
    "end": sa.DateTime(timezone=True),
}


@attrs.frozen
class Query:
    """
    A SELECT of the host.

    Attributes:
        argument: What the host calls it.
        part: The list of a sale that its rows belong to; empty for sales.
        text: With the types of its parameters.
        parameters: Their names.
        columns: The host's names of fields, by column.
    """

    argument: str
    part: str
    text: sa.TextClause
    parameters: tuple[str, ...]
    columns: Mapping[str, str]

    @classmethod
    def of(cls, argument: str, part: str, sql: str, columns: Mapping[str, str]) -> "Query":
        text = sa.text(sql)
        names = tuple(text.compile().params)
        binds = [
            sa.bindparam(name, type_=_TYPES.get(name), expanding=name == "ids") for name in names
        ]
        return cls(argument, part, text.bindparams(*binds), names, columns)

    def problems(self) -> Iterator[str]:
        """
        Why it can't be used, one sentence each.
        """
        known = [*_TYPES, *(["ids"] if self.part else [])]

        for name in self.parameters:
            if name not in known:
                yield (
                    f"{self.argument}: there is no parameter :{name}{did_you_mean(name, known)}; "
                    f"there are {', '.join(f':{it}' for it in known)}"
                )
        if self.part and "ids" not in self.parameters:
            yield f"{self.argument}: the query must select by the orders: WHERE … IN :ids"

    def execute(self, db: sa.Connection, values: Mapping[str, Any]) -> sa.CursorResult[Any]:
        """
        The rows; sales are not fetched at once where lines can be read between them.
        """
        streams = not self.part and db.dialect.name == "postgresql"
        text = self.text.execution_options(stream_results=streams)

        return db.execute(text, {name: values[name] for name in self.parameters})

    def fields(self, found: sa.CursorResult[Any]) -> list[str]:
        """
        The field of each column.

        Raises:
            HostError: A column is no field, or one that is needed is missing.
        """
        known = PARTS.get(self.part, SALE)
        fields = [self.columns.get(column, column) for column in found.keys()]  # noqa: SIM118 - no mapping

        for field in fields:
            if field not in known and not field.startswith(EXTRA):
                msg = (
                    f"{self.argument}: the column {field!r} is no field of "
                    f"{self.part or 'a sale'}{did_you_mean(field, known)}: name it "
                    f"{EXTRA + field!r} to send it, or leave it out of the SELECT"
                )
                raise HostError(msg)
        for field in ("order_id",) if self.part else ("id",):
            if field not in fields:
                msg = f"{self.argument}: the query has no column {field!r}"
                raise HostError(msg)

        return fields
