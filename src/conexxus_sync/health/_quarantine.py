"""
What was set aside, items and sales.
"""

import attrs

from conexxus_sync.model.catalogue import Quarantined
from conexxus_sync.model.sales import QuarantinedTransaction
from conexxus_sync.stores._protocols import SyncStore


@attrs.frozen(kw_only=True)
class Quarantine:
    """
    What was set aside.
    """

    items: tuple[Quarantined, ...] = ()
    sales: tuple[QuarantinedTransaction, ...] = ()

    @classmethod
    def of(cls, store: SyncStore, location_id: str, limit: int) -> "Quarantine":
        """
        At most so many of each.

        Raises:
            StoreError: It can't be read.
        """
        return cls(
            items=tuple(store.catalog.quarantined(location_id, limit=limit)),
            sales=tuple(store.outbox.aside.quarantined(location_id, limit)),
        )
