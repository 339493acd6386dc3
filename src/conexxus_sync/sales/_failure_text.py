"""
Texts about batches that were not delivered: what happened, why, and what to do.
"""

from conexxus_client import ApiProfile
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.sales import Batch

from ._delivery_outcome import DeliveryOutcome, Outcome


def hopeless(refused: int, reason: str) -> str:
    """
    Why nothing is set aside, although all is refused.
    """
    return (
        f"the back office refused {refused} transactions in a row and accepted none: as long as "
        f"it accepts none, nothing is set aside, and they are sent again: {reason}"
    )


def explained(batch: Batch, result: DeliveryOutcome, profile: ApiProfile) -> str:
    """
    Why *batch* was not delivered, and what to do.
    """
    what = f"batch {batch.short_key} ({counted(batch.transactions, 'transaction')})"

    if result.parked is not None:
        key = batch.short_key
        return (
            f"{what} is parked, its delivery is unknown: {result.parked}. "
            "Ask the back office whether it has them, then "
            f"`conexxus outbox resolve {key} --delivered`, or --not-delivered. "
            f"Last answer: {result.reason}"
        )
    if result.outcome is Outcome.UNKNOWN:
        return (
            f"the delivery of {what} is unknown; the same bytes are sent again under the "
            f"same key: {result.reason}{_limits(batch, result)}"
        )

    if result.is_forbidden:
        return (
            f"{what} was refused and waits: {result.reason} Check the permission of the API key, "
            f"that {profile.sales_path} is the right path, and whether a firewall refuses a text "
            "of these sales"
        )

    return f"{what} was not delivered and waits: {result.reason}"


def _limits(batch: Batch, result: DeliveryOutcome) -> str:
    """
    What helps a line that is too slow for a batch.
    """
    if result.status is not None or batch.transactions == 1:
        return ""

    return (
        " If the line is too slow for so many, CONEXXUS_BATCH_TRANSACTIONS and "
        "CONEXXUS_BATCH_BYTES make batches smaller"
    )
