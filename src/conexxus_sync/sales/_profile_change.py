"""
Changes the profile with which a location's sales are pushed.
"""

from datetime import datetime

from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.sales import OPEN_STATES, Batch, OutboxError
from conexxus_sync.stores import State

from ._key_age import unknown_since


def change_profile(state: State, given: DeliveryProfile, *, now: datetime) -> int:
    """
    Keep *given* instead of the profile of the pushes so far.

    Returns:
        How many batches are frozen anew, because their bytes are a whole day
        where a push no longer replaces its day, or the other way round.

    Raises:
        OutboxError: It is unknown whether a batch arrived.
    """
    waiting = _waiting(state)
    kept = state.sales_profiles.kept()
    state.sales_profiles.keep(given, now, replace=True)

    if kept is not None and kept.replaces_day == given.replaces_day:
        return 0

    for batch in waiting:
        answer = "the profile of the back office changed; frozen anew"
        state.outbox_maintenance.give_up(batch, answer=answer, now=now)
        state.sales_dates.clear_visit(batch.business_date)

    return len(waiting)


def _waiting(state: State) -> list[Batch]:
    """
    The open batches, of which none may have arrived.
    """
    found = state.outbox.batches(OPEN_STATES, limit=-1)
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
