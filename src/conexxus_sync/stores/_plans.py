"""
Plans: catalogues that were read and not applied.
"""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

import attrs

from conexxus_sync.model.catalogue import Plan, PriceChange

from ._database import Database


# Each may list a whole catalogue, and a refused one comes again every hour.
PRICE_LISTS_ARE_KEPT = 10


@attrs.define
class SqlitePlans:
    """
    Rows of `plans`; those of `planned_prices` come from the staged read.
    """

    store: Database

    def save(self, connection: sqlite3.Connection, location_id: str, plan: Plan) -> None:
        """
        Remember *plan* as long as its run, which has been saved, and the last
        few lists of prices.
        """
        connection.execute(
            "INSERT OR REPLACE INTO plans VALUES (?, ?, ?, ?)",
            (location_id, plan.run_id, plan.scope, plan.digest),
        )
        connection.execute(
            "DELETE FROM plans WHERE location = ?1"
            " AND run_id NOT IN (SELECT id FROM runs WHERE location = ?1)",
            (location_id,),
        )
        connection.execute(
            "DELETE FROM planned_prices WHERE location = ?1 AND run_id NOT IN"
            " (SELECT run_id FROM plans WHERE location = ?1 ORDER BY run_id DESC LIMIT ?2)",
            (location_id, PRICE_LISTS_ARE_KEPT),
        )

    def get(self, location_id: str, run_id: str) -> Plan | None:
        """
        What the run with this id looked at and did not apply.
        """
        with self.store.reading() as connection:
            row = connection.execute(
                "SELECT scope, digest FROM plans WHERE location = ? AND run_id = ?",
                (location_id, run_id),
            ).fetchone()

        return None if row is None else Plan(run_id=run_id, scope=row[0], digest=row[1])

    def prices(self, location_id: str, run_id: str) -> Iterator[PriceChange]:
        """
        The prices that it would change, by SKU, streamed.
        """
        with self.store.reading() as connection:
            for sku, name, old, new in connection.execute(
                "SELECT sku, name, old_price, new_price FROM planned_prices"
                " WHERE location = ? AND run_id = ? ORDER BY sku",
                (location_id, run_id),
            ):
                yield PriceChange(sku=sku, name=name, old=Decimal(old), new=Decimal(new))
