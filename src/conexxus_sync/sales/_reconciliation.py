"""
Reconciliation: compares till, outbox and back office for a business date.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import attrs

from conexxus_client import Transaction, exact_sum
from conexxus_sync.model.sales import DateTotals
from conexxus_sync.protocols import OrderSource
from conexxus_sync.stores import LocationStore

from ._source_watch import HostRecords


# Id, register and second.
SoldBy = tuple[str, str | None, datetime]


@attrs.frozen(kw_only=True)
class Reconciliation:
    """
    One business date, as the store has it and as the till returns it.

    Attributes:
        sums: What was delivered, what waits, what was set aside.
        till_count: How many sales the till has now; None if it was not asked.
        till_total: Their exact sum.
    """

    sums: DateTotals
    till_count: int | None = None
    till_total: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """
        Does the back office have what the till has, and nothing else?
        """
        settled = not (self.sums.waiting or self.sums.quarantined or self.sums.discrepancies)
        same = self.till_count is None or (
            (self.till_count, self.till_total) == (self.sums.delivered, self.sums.total)
        )

        return settled and same


def reconcile(
    store: LocationStore, since: date, orders: OrderSource | None = None
) -> Iterator[Reconciliation]:
    """
    Every business date from *since* of which the store has anything.

    Args:
        orders: Asked for each of them, if given.

    Raises:
        HostError: The order source raised.
    """
    with store.read() as state:
        dates = state.outbox.date_totals(since)

    for sums in dates:
        if orders is None:
            yield Reconciliation(sums=sums)
            continue

        told = _totals(HostRecords(orders, store.location, sums.business_date), sums.business_date)
        yield Reconciliation(sums=sums, till_count=len(told), till_total=exact_sum(told.values()))


def _totals(records: HostRecords, business_date: date) -> dict[SoldBy, Decimal]:
    """
    What each sale of the till comes to.
    """
    return {sale_key(sale): sale.total for sale in sales_of(records, business_date)}


def sales_of(records: HostRecords, business_date: date) -> Iterator[Transaction]:
    """
    The sales of the till on *business_date*; returned twice under one id,
    register and second, it is one sale.
    """
    seen = set[SoldBy]()

    for sale in records:
        if isinstance(sale, Transaction) and sale.business_date in (None, business_date):
            key = sale_key(sale)
            if key not in seen:
                seen.add(key)
                yield sale


def sale_key(sale: Transaction) -> SoldBy:
    return sale.id, sale.register, sale.timestamp.replace(microsecond=0)
