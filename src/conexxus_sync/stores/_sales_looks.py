"""
Looks at the dates in progress: which sales the host returns, and since when unchanged.
"""

from datetime import date, datetime

import attrs

from ._database import Repository, first_readable, text


_LOOKED_AT = "SELECT looked_at FROM sales_looks WHERE location = ?"
_BEGIN = """
INSERT INTO sales_looks (location, looked_at) VALUES (?, ?)
ON CONFLICT (location) DO UPDATE SET looked_at = excluded.looked_at
"""
_FORGET_EARLIER = "DELETE FROM looked_sales WHERE location = ? AND business_date < ?"

# By a clock that was set back, what is later was never seen.
_NOTE = """
INSERT INTO looked_sales (location, business_date, id, sold_second, version, digest, since)
SELECT ?1, ?2, id, sold_second, version, digest, ?3 FROM staged
WHERE fault IS NULL AND twin IS NULL
ON CONFLICT (location, business_date, id, sold_second) DO UPDATE SET
    version = excluded.version, digest = excluded.digest, since = excluded.since
WHERE looked_sales.version <> excluded.version OR looked_sales.digest <> excluded.digest
    OR looked_sales.since > excluded.since
"""
_FORGET_GONE = """
DELETE FROM looked_sales AS l WHERE location = ?1 AND business_date = ?2 AND NOT EXISTS (
    SELECT 1 FROM staged AS s WHERE s.id = l.id AND s.sold_second = l.sold_second
        AND s.fault IS NULL AND s.twin IS NULL
)
"""
_DROP_UNSETTLED = """
DELETE FROM staged AS s WHERE NOT EXISTS (
    SELECT 1 FROM looked_sales AS l WHERE l.location = ?1 AND l.business_date = ?2
        AND l.id = s.id AND l.sold_second = s.sold_second AND l.since <= ?3
)
"""


@attrs.frozen
class SalesLooks(Repository):
    """
    Rows of `sales_looks` and `looked_sales`.
    """

    def looked_at(self) -> datetime | None:
        """
        When the dates in progress were last looked at.
        """
        rows = self.session.execute(_LOOKED_AT, (self.location,)).fetchall()

        return first_readable(rows, lambda row: datetime.fromisoformat(row[0]))

    def begin(self, now: datetime, first: date) -> None:
        """
        Record a look, and forget the sales of dates before *first*.
        """
        self.session.execute(_BEGIN, (self.location, text(now)))
        self.session.execute(_FORGET_EARLIER, (self.location, first.isoformat()))

    def keep_settled(self, business_date: date, now: datetime, *, since: datetime) -> None:
        """
        Note what is staged and may be sent; of that, keep staged what has been
        returned unchanged since the moment *since*, or for longer.
        """
        day = (self.location, business_date.isoformat())
        self.session.execute(_NOTE, (*day, text(now)))
        self.session.execute(_FORGET_GONE, day)
        self.session.execute(_DROP_UNSETTLED, (*day, text(since)))
