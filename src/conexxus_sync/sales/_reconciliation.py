"""
Do the till, the outbox and the back office agree about a business date?
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import attrs

from conexxus_client import exact_sum
from conexxus_sync.model.sales import DateSums
from conexxus_sync.protocols import OrderSource
from conexxus_sync.stores._protocols import SyncStore


@attrs.frozen(kw_only=True)
class Reconciliation:
    """
    One business date, as the store knows it and as the till tells it.

    Attributes:
        sums: What was delivered, what waits, what was set aside.
        told: How many sales the till tells now; None if it was not asked.
        told_total: Their exact sum.
    """

    sums: DateSums
    told: int | None = None
    told_total: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """
        Does the back office have what the till has, and nothing else?
        """
        settled = not (self.sums.waiting or self.sums.set_aside or self.sums.contradicted)
        same = self.told is None or (
            (self.told, self.told_total) == (self.sums.delivered, self.sums.total)
        )

        return settled and same


def reconcile(
    store: SyncStore, location_id: str, since: date, orders: OrderSource | None = None
) -> Iterator[Reconciliation]:
    """
    Every business date from *since* of which the store knows anything.

    Args:
        orders: Asked what it tells of each of them, if given.
    """
    for sums in store.outbox.date_sums(location_id, since):
        if orders is None:
            yield Reconciliation(sums=sums)
            continue

        # Told twice under one id, it is one sale.
        told = {
            sale.id: sale.total
            for sale in orders.transactions(location_id, sums.business_date)
            if sale.business_date in (None, sums.business_date)
        }
        yield Reconciliation(sums=sums, told=len(told), told_total=exact_sum(told.values()))
