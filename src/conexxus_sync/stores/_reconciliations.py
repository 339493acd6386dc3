"""
Table of the business dates that were reconciled.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs

from conexxus_sync.model.date_reconciliation import (
    ComparedDate,
    DateReconciliation,
    Measure,
    ReconciledAmount,
)
from conexxus_sync.model.reconciled_table import gravest_rows

from ._database import Repository, Row, readable, text


_RECORD = """
INSERT INTO reconciliations (location, business_date, compared_at, difference, figures)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (location, business_date) DO UPDATE SET
    compared_at = excluded.compared_at, difference = excluded.difference,
    figures = excluded.figures
"""
_SINCE = """
SELECT business_date, compared_at, difference, figures FROM reconciliations
WHERE location = ? AND business_date >= ? ORDER BY business_date
"""

# A till may give each sale a tender of its own: beyond that, no row is kept.
KEPT_ROWS = 100
_SIDES = ("till", "sent", "accepted", "set_aside", "back_office")


@attrs.frozen
class Reconciliations(Repository):
    """
    Rows of `reconciliations`.
    """

    def record(self, found: DateReconciliation, now: datetime) -> None:
        """
        Replace what is known of the date.
        """
        day = found.business_date.isoformat()
        row = (self.location, day, text(now), found.difference, _figures(found.rows))
        self.session.execute(_RECORD, row)

    def since(self, first: date) -> dict[date, ComparedDate]:
        """
        The dates from *first* on that were compared, in order.
        """
        rows = self.session.execute(_SINCE, (self.location, first.isoformat())).fetchall()

        return dict(readable(rows, _compared))


def _figures(rows: tuple[ReconciledAmount, ...]) -> str:
    values = [
        [row.measure, row.name, *(_text(getattr(row, side)) for side in _SIDES)]
        for row in gravest_rows(rows, KEPT_ROWS)
    ]

    return json.dumps({"rows": values, "more": len(rows) - len(values)})


def _compared(row: Row) -> tuple[date, ComparedDate]:
    day, at, difference, figures = row
    known = json.loads(figures or "{}")

    return date.fromisoformat(day), ComparedDate(
        at=datetime.fromisoformat(at),
        difference=difference,
        rows=tuple(map(_amounts, known.get("rows", ()))),
        more=known.get("more", 0),
    )


def _amounts(values: list[Any]) -> ReconciledAmount:
    measure, name, *amounts = values
    sides = {
        side: Decimal(amount)
        for side, amount in zip(_SIDES, amounts, strict=True)
        if amount is not None
    }

    return ReconciledAmount(measure=Measure(measure), name=name, **sides)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
