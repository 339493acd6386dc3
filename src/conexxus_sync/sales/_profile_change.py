"""
Changes the profile with which a location's sales are pushed.
"""

from datetime import datetime
from typing import Any

from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.sales import OPEN_STATES, Batch, OutboxError
from conexxus_sync.stores._store_protocols import SyncStore

from ._key_age import unknown_since


def change_profile(
    store: SyncStore,
    location_id: str,
    given: DeliveryProfile,
    transaction: Any,
    *,
    now: datetime,
) -> int:
    """
    Keep *given* instead of the profile of the pushes so far.

    Returns:
        How many batches are frozen anew, because their bytes are a whole day
        where a push no longer replaces its day, or the other way round.

    Raises:
        OutboxError: It is unknown whether a batch arrived.
    """
    outbox = store.outbox
    waiting = _waiting(store, location_id)
    kept = outbox.profiles.kept(transaction, location_id)
    outbox.profiles.keep(transaction, location_id, given, now, replace=True)

    if kept is not None and kept.replaces_day == given.replaces_day:
        return 0

    for batch in waiting:
        answer = "the profile of the back office changed; frozen anew"
        outbox.maintenance.give_up(transaction, batch, answer=answer, now=now)
        outbox.dates.clear_visit(transaction, location_id, batch.business_date)

    return len(waiting)


def _waiting(store: SyncStore, location_id: str) -> list[Batch]:
    """
    The open batches, of which none may have arrived.
    """
    found = store.outbox.batches(location_id, OPEN_STATES, limit=-1)
    unknown = [batch for batch in found if unknown_since(batch) is not None]

    if unknown:
        keys, first = ", ".join(b.short_key for b in unknown[:3]), unknown[0].short_key
        msg = (
            f"it is unknown whether {counted(len(unknown), 'batch', 'batches')} of sales "
            f"arrived ({keys}): ask the back office of before, and settle each before the "
            f"profile is changed: `conexxus outbox resolve {first} --delivered`, "
            "or --not-delivered"
        )
        raise OutboxError(msg)

    return found
