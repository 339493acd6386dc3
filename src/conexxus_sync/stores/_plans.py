"""
Plans: catalogues that were read and not applied.
"""

from collections.abc import Iterator
from decimal import Decimal

import attrs

from conexxus_sync.model.catalogue import Plan, PriceChange

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
_PURGE_PRICES = """
DELETE FROM planned_prices WHERE location = ?1 AND run_id NOT IN (
    SELECT run_id FROM plans WHERE location = ?1 ORDER BY run_id DESC LIMIT ?2
)
"""
_GET = "SELECT scope, digest, anew FROM plans WHERE location = ? AND run_id = ?"
_PRICES = """
SELECT sku, name, old_price, new_price FROM planned_prices WHERE location = ? AND run_id = ?
ORDER BY sku
"""


@attrs.frozen
class Plans(Repository):
    """
    Rows of `plans`; those of `planned_prices` come from the staged read.
    """

    def save(self, plan: Plan) -> None:
        """
        Remember *plan* as long as its run, which has been saved, and the last
        few lists of prices.
        """
        values = (plan.run_id, plan.scope, plan.digest, int(plan.anew))
        self.session.execute(_SAVE, (self.location, *values))
        self.session.execute(_PURGE, (self.location,))
        self.session.execute(_PURGE_PRICES, (self.location, PRICE_LISTS_ARE_KEPT))

    def get(self, run_id: str) -> Plan | None:
        """
        What the run with this id looked at and did not apply.
        """
        row = self.session.execute(_GET, (self.location, run_id)).fetchone()

        if row is None:
            return None

        scope, digest, anew = row

        return Plan(run_id=run_id, scope=scope, digest=bytes(digest), anew=bool(anew))

    def prices(self, run_id: str) -> Iterator[PriceChange]:
        """
        The prices that it would change, by SKU, streamed.
        """
        for sku, name, old, new in self.session.stream(_PRICES, (self.location, run_id)):
            yield PriceChange(sku=sku, name=name, old=Decimal(old), new=Decimal(new))
