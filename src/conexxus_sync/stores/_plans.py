"""
Plans: catalogues that were read and not applied.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import attrs

from conexxus_sync.model.catalogue import AbsentItem, Plan, PlanSummary, PriceChange

from ._database import Repository


# Each may list a whole catalogue, and a refused one comes again every hour.
PRICE_LISTS_ARE_KEPT = 10

_SAVE = """
INSERT INTO plans (location, run_id, scope, digest, anew) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (location, run_id) DO UPDATE SET scope = excluded.scope, digest = excluded.digest,
    anew = excluded.anew
"""
_PURGE = """
DELETE FROM plans WHERE location = ?1 AND run_id NOT IN (SELECT id FROM runs WHERE location = ?1)
"""
_PURGE_LIST = """
DELETE FROM {} WHERE location = ?1 AND run_id NOT IN (
    SELECT run_id FROM plans WHERE location = ?1 ORDER BY run_id DESC LIMIT ?2
)
"""
_PURGE_LISTS = tuple(map(_PURGE_LIST.format, ("planned_prices", "planned_removals")))
_CLEAR = "DELETE FROM plans WHERE location = ?"
_OPEN = "SELECT run_id FROM plans WHERE location = ?"
_GET = "SELECT scope, digest, anew FROM plans WHERE location = ? AND run_id = ?"
_PRICES = """
SELECT sku, name, old_price, new_price FROM planned_prices WHERE location = ? AND run_id = ?
ORDER BY sku
"""
_SAVE_PRICES = """
INSERT INTO planned_prices (location, run_id, sku, name, old_price, new_price)
SELECT ?1, ?2, s.sku, s.name,
    (SELECT i.price FROM items AS i WHERE i.location = ?1 AND i.sku = s.sku), s.price
FROM stage AS s WHERE s.sku IN (SELECT sku FROM delta WHERE repriced = 1) ORDER BY s.sku
"""
_SAVE_ABSENT = """
INSERT INTO planned_removals (location, run_id, sku, name, price)
SELECT ?1, ?2, sku, name, price FROM items WHERE location = ?1
    AND sku IN (SELECT sku FROM delta WHERE kind IN ('removed', 'deleted', 'waiting')) ORDER BY sku
"""
_ABSENT = """
SELECT sku, name, price FROM planned_removals WHERE location = ? AND run_id = ? ORDER BY sku
"""
# By what share of the old price; floats are exact enough for an order.
_LARGEST = """
SELECT sku, name, old_price, new_price FROM planned_prices WHERE location = ? AND run_id = ?
ORDER BY COALESCE(
    ABS(CAST(new_price AS DOUBLE PRECISION) - CAST(old_price AS DOUBLE PRECISION))
        / NULLIF(CAST(old_price AS DOUBLE PRECISION), 0), 0) DESC, sku LIMIT 1
"""
_COUNTS = """
SELECT
    (SELECT COUNT(*) FROM planned_prices WHERE location = ?1 AND run_id = ?2),
    (SELECT COUNT(*) FROM planned_removals WHERE location = ?1 AND run_id = ?2)
"""
_LAST_WITHOUT = """
SELECT p.run_id FROM plans AS p WHERE p.location = ?1 AND EXISTS (
    SELECT 1 FROM planned_removals AS r
    WHERE r.location = ?1 AND r.run_id = p.run_id AND r.sku = ?2
) ORDER BY p.run_id DESC LIMIT 1
"""


@attrs.frozen
class Plans(Repository):
    """
    Rows of `plans`; those of `planned_prices` and `planned_removals` come from
    the staged read.
    """

    def save(self, plan: Plan) -> None:
        """
        Remember *plan* as long as its run, which has been saved, and the last
        few lists of what would change.
        """
        values = (plan.run_id, plan.scope, plan.digest, int(plan.anew))
        self.session.execute(_SAVE, (self.location, *values))
        self.session.execute(_PURGE, (self.location,))
        for statement in _PURGE_LISTS:
            self.session.execute(statement, (self.location, PRICE_LISTS_ARE_KEPT))

    def save_changes(self, run_id: str) -> None:
        """
        Keep what a staged and compared read would make of prices, and what is
        absent from it, instead of doing it.
        """
        self.session.execute(_SAVE_PRICES, (self.location, run_id))
        self.session.execute(_SAVE_ABSENT, (self.location, run_id))

    def get(self, run_id: str) -> Plan | None:
        """
        What the run with this id looked at and did not apply.
        """
        row = self.session.execute(_GET, (self.location, run_id)).fetchone()

        if row is None:
            return None

        scope, digest, anew = row

        return Plan(run_id=run_id, scope=scope, digest=bytes(digest), anew=bool(anew))

    def open(self) -> Plan | None:
        """
        The one plan of a location that has no runs.
        """
        run_id = self.value(_OPEN, (self.location,))

        return None if run_id is None else self.get(run_id)

    def replace(self, plan: Plan | None) -> None:
        """
        Let *plan* be the one of a location that has no runs.
        """
        self.session.execute(_CLEAR, (self.location,))
        if plan is not None:
            self.session.execute(
                _SAVE, (self.location, plan.run_id, plan.scope, plan.digest, int(plan.anew))
            )

    def prices(self, run_id: str) -> Iterator[PriceChange]:
        """
        The prices that it would change, by SKU, streamed.
        """
        yield from map(_price_change, self.session.stream(_PRICES, (self.location, run_id)))

    def summary(self, run_id: str) -> PlanSummary:
        """
        What it would do, in figures.
        """
        [[prices, absent]] = self.session.execute(_COUNTS, (self.location, run_id)).fetchall()
        largest = self.session.execute(_LARGEST, (self.location, run_id)).fetchone()

        return PlanSummary(
            largest=None if largest is None else _price_change(largest),
            prices=int(prices),
            absent=int(absent),
        )

    def absent(self, run_id: str) -> Iterator[AbsentItem]:
        """
        The items in force that its catalogue lacks, by SKU, streamed.
        """
        for sku, name, price in self.session.stream(_ABSENT, (self.location, run_id)):
            yield AbsentItem(sku=sku, name=name, price=Decimal(price))

    def last_without(self, sku: str) -> str | None:
        """
        The last run whose catalogue lacked this item, and was not applied.
        """
        row = self.session.execute(_LAST_WITHOUT, (self.location, sku)).fetchone()

        return None if row is None else str(row[0])


def _price_change(row: Sequence[Any]) -> PriceChange:
    sku, name, old, new = row

    return PriceChange(sku=sku, name=name, old=Decimal(old), new=Decimal(new))
