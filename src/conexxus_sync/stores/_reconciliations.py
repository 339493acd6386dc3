"""
Table of the business dates that were reconciled.
"""

from datetime import date, datetime

import attrs

from conexxus_sync.model.date_reconciliation import ComparedDate

from ._database import Repository, Row, readable, text


_RECORD = """
INSERT INTO reconciliations (location, business_date, compared_at, difference)
VALUES (?, ?, ?, ?)
ON CONFLICT (location, business_date) DO UPDATE SET
    compared_at = excluded.compared_at, difference = excluded.difference
"""
_SINCE = """
SELECT business_date, compared_at, difference FROM reconciliations
WHERE location = ? AND business_date >= ? ORDER BY business_date
"""


@attrs.frozen
class Reconciliations(Repository):
    """
    Rows of `reconciliations`.
    """

    def record(self, business_date: date, difference: str | None, now: datetime) -> None:
        """
        Replace what is known of the date.
        """
        row = (self.location, business_date.isoformat(), text(now), difference)
        self.session.execute(_RECORD, row)

    def since(self, first: date) -> dict[date, ComparedDate]:
        """
        The dates from *first* on that were compared, in order.
        """
        rows = self.session.execute(_SINCE, (self.location, first.isoformat())).fetchall()

        return dict(readable(rows, _compared))


def _compared(row: Row) -> tuple[date, ComparedDate]:
    day, at, difference = row

    return date.fromisoformat(day), ComparedDate(
        at=datetime.fromisoformat(at), difference=difference
    )
