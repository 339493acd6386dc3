"""
What the store knows of one location, in figures.
"""

import attrs

from .outbox import BatchState
from .runs import RunKind, SyncRun
from .stores import SyncStore


@attrs.frozen(kw_only=True)
class StoreCounts:
    """
    How much the store holds of everything.

    Attributes:
        items: In the catalogue, without those that are gone.
        quarantined_items: Set aside in the last applied pull.
        pending_changes: Sets of changes that the host has not taken yet.
        unknown_batches: Batches of sales of unknown fate.
        quarantined_sales: Transactions that were set aside.
        discrepancies: Delivered transactions that changed or disappeared.
        mismatched_sales: Transactions whose lines do not add up to their
            total; a tax-free sum of lines is normal.
    """

    items: int = 0
    quarantined_items: int = 0
    pending_changes: int = 0
    unknown_batches: int = 0
    quarantined_sales: int = 0
    discrepancies: int = 0
    mismatched_sales: int = 0


@attrs.frozen(kw_only=True)
class Known:
    """
    The last runs and the counts of one location.
    """

    latest_pull: SyncRun | None = None
    latest_push: SyncRun | None = None
    counts: StoreCounts = attrs.field(factory=StoreCounts)

    @classmethod
    def of(cls, store: SyncStore, location_id: str) -> "Known":
        """
        Ask *store*.

        Raises:
            StoreError: It can't be read.
        """
        with store.glancing():
            return cls(
                latest_pull=store.runs.latest(location_id, RunKind.INVENTORY),
                latest_push=store.runs.latest(location_id, RunKind.SALES),
                counts=_counts(store, location_id),
            )


def _counts(store: SyncStore, location_id: str) -> StoreCounts:
    mirror = store.catalog.counts(location_id)
    batches, aside = store.outbox.counts(location_id), store.outbox.aside

    return StoreCounts(
        items=mirror.present,
        quarantined_items=mirror.quarantined,
        pending_changes=mirror.pending,
        unknown_batches=batches.get(BatchState.UNKNOWN, 0),
        quarantined_sales=aside.quarantine_size(location_id),
        discrepancies=aside.discrepancy_count(location_id),
        mismatched_sales=store.outbox.mismatched(location_id),
    )
