"""
Decides what an answer means for a batch: accepted, refused, waiting or unknown.

Pure: an answer comes in, an outcome goes out. See
[guarantees](../../../docs/explanation/guarantees.md).
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum

import attrs

from conexxus_client import (
    ApiProfile,
    ConexxusError,
    Delivery,
    PushReceipt,
    RejectedTransaction,
    StatusError,
)
from conexxus_sync.model.formatting import counted, rough_duration
from conexxus_sync.runtime.clock import TOLERANCE

from ._key_age import KeyAge


BLAMES_CONTENT = (400, 413, 422)
KEEPS_WAITING = (401, 403, 404, 429)
# Of the key, the path, or a firewall that dislikes a text: one batch proves nothing.
FORBIDDEN = (403, 404)
CONFLICT = 409
SERVER_ERROR = 500


class Outcome(StrEnum):
    """
    What becomes of a batch.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class DeliveryOutcome:
    """
    What becomes of a batch, and why.

    Attributes:
        reason: What the back office, or the network, said.
        rejected: The transactions that the answer blames by name.
        parked: Why it must not be repeated, whatever the profile allows.
        stop: Whether more sends now would fare no better.
        retry_after: Seconds that the back office asked to wait.
        status: HTTP status of the answer, if it is an error.
        is_server_error: Whether each attempt that left was answered 5xx, so that none
            was lost on the way.
    """

    outcome: Outcome
    reason: str
    rejected: tuple[RejectedTransaction, ...] = ()
    parked: str | None = None
    stop: bool = False
    retry_after: float | None = None
    status: int | None = None
    is_server_error: bool = False

    @property
    def is_forbidden(self) -> bool:
        """
        Is it refused, be it for its content or for all batches alike?
        """
        return self.outcome is Outcome.WAITING and self.status in FORBIDDEN

    @property
    def is_sent_again(self) -> bool:
        """
        Is the same batch sent once more, sooner or later?
        """
        return self.parked is None and self.outcome in (Outcome.WAITING, Outcome.UNKNOWN)


def classify_answer(
    answer: PushReceipt | ConexxusError,
    *,
    ids: Collection[str],
    was_unknown: bool,
    profile: ApiProfile,
) -> DeliveryOutcome:
    """
    Decide what *answer* means for a batch.

    Args:
        ids: Of its transactions.
        was_unknown: Whether the fate of an earlier attempt is unknown; then
            only an acceptance settles it.
    """
    found = (
        _of_receipt(answer, ids)
        if isinstance(answer, PushReceipt)
        else _of_error(answer, ids, profile)
    )

    if was_unknown and found.outcome is not Outcome.ACCEPTED:
        found = attrs.evolve(found, outcome=Outcome.UNKNOWN, rejected=())
    if was_unknown and found.rejected and profile.dedupe == "transaction_id":
        # It may reject them because it has them.
        found = _disputed(
            "the back office was sent these transactions before, and rejects "
            f"{len(found.rejected)} of them now: {found.rejected[0].error}"
        )
    if found.outcome is Outcome.UNKNOWN and found.parked is None and profile.dedupe == "none":
        found = attrs.evolve(found, parked="the back office recognises no repetition")

    return found


def parking_reason(
    unknown_since: datetime | None,
    now: datetime,
    profile: ApiProfile,
    *,
    key_age: KeyAge | None = None,
) -> str | None:
    """
    Why a batch whose fate is unknown since then must not be repeated; None
    if it may.

    Args:
        key_age: How old its key is, if more is known than that *now* is right.
    """
    if unknown_since is None or profile.dedupe == "transaction_id":
        return None
    if profile.dedupe == "none":
        return "the back office recognises no repetition"
    age = now - unknown_since if key_age is None else key_age.age
    if (age is None or key_age is None) and now < unknown_since - TOLERANCE:
        return (
            f"it was sent at {unknown_since:%Y-%m-%d %H:%M} UTC, by a clock that was ahead, or "
            "this one is behind: for how long the back office has known its key is unknown"
        )
    if age is None:
        doubt = "" if key_age is None else key_age.doubt
        return (
            f"it was sent at {unknown_since:%Y-%m-%d %H:%M} UTC, and {doubt}: for how long the "
            "back office has known its key is unknown"
        )
    # What is sent in the last minutes may arrive too late.
    if age >= profile.key_ttl - min(TOLERANCE, profile.key_ttl / 10):
        lasts = rough_duration(profile.key_ttl)
        return f"the back office remembers a key for {lasts}, and that has passed"

    return None


def _of_receipt(receipt: PushReceipt, ids: Collection[str]) -> DeliveryOutcome:
    """
    An acceptance, unless it speaks of something else than what was sent.
    """
    rejected = {entry.id: entry for entry in receipt.rejected}
    taken = len(ids) - len(rejected)
    dispute = _dispute(receipt, ids, rejected.keys())

    if dispute is not None:
        return _disputed(dispute)

    return DeliveryOutcome(
        outcome=Outcome.ACCEPTED,
        reason=f"accepted {taken} of {counted(len(ids), 'transaction')}",
        rejected=tuple(rejected.values()),
    )


def _dispute(receipt: PushReceipt, ids: Collection[str], rejected: AbstractSet[str]) -> str | None:
    """
    Why the answer does not say what became of each transaction; None if it does.
    """
    taken, sent = len(ids) - len(rejected), set(ids)
    foreign, foreign_duplicates = rejected - sent, set(receipt.duplicate_ids) - sent
    known = max(receipt.duplicates, len(receipt.duplicate_ids))

    if receipt.complaint is not None:
        return f"the back office says success, and complains: {receipt.complaint}"
    if foreign:
        return f"the answer rejects {counted(len(foreign), 'transaction')} that were not sent"
    if foreign_duplicates:
        return (
            f"the answer names {counted(len(foreign_duplicates), 'transaction')} that were not sent"
        )
    # Its count may include what it had before, or not.
    if receipt.accepted is not None and taken not in (receipt.accepted, receipt.accepted + known):
        return (
            f"the back office says that it accepted {receipt.accepted} of "
            f"{counted(len(ids), 'transaction')} and names {len(rejected)} as rejected"
        )
    if receipt.least is not None and receipt.least + known < taken:
        return (
            f"the back office says that it processed {receipt.least} of "
            f"{counted(len(ids), 'transaction')} and names {len(rejected)} as rejected"
        )

    return None


def _disputed(reason: str) -> DeliveryOutcome:
    return DeliveryOutcome(outcome=Outcome.UNKNOWN, reason=reason, parked=reason)


def _of_error(error: ConexxusError, ids: Collection[str], profile: ApiProfile) -> DeliveryOutcome:
    status = error.status if isinstance(error, StatusError) else None
    blames = status in BLAMES_CONTENT
    unprocessed = _is_unprocessed(error, profile)
    stop = (
        (status in KEEPS_WAITING and status not in FORBIDDEN)
        or error.delivery is Delivery.NOT_SENT
        or unprocessed
    )

    if status == CONFLICT and profile.conflict_is_delivered:
        reason = f"delivered before: {error.explanation}"
        return DeliveryOutcome(outcome=Outcome.ACCEPTED, reason=reason)

    return DeliveryOutcome(
        outcome=Outcome.WAITING if unprocessed else _outcome_of(error.delivery, status),
        reason=error.explanation,
        rejected=_named(error, ids) if blames else (),
        stop=stop,
        retry_after=error.retry_after,
        status=status,
        is_server_error=_is_server_error(error),
    )


def _is_server_error(error: ConexxusError) -> bool:
    return (
        isinstance(error, StatusError)
        and error.status >= SERVER_ERROR
        and all(
            attempt.delivery is Delivery.NOT_SENT or (attempt.status or 0) >= SERVER_ERROR
            for attempt in error.attempts
        )
    )


def _is_unprocessed(error: ConexxusError, profile: ApiProfile) -> bool:
    """
    Did each attempt of the call end before the back office looked at it?
    """
    if not isinstance(error, StatusError) or error.status not in profile.unprocessed_statuses:
        return False

    return all(
        attempt.delivery is Delivery.NOT_SENT or attempt.status in profile.unprocessed_statuses
        for attempt in error.attempts
    )


def _outcome_of(delivery: Delivery, status: int | None) -> Outcome:
    """
    `delivery` speaks for all attempts of the call, the status for the last.
    """
    if delivery is Delivery.NOT_SENT:
        return Outcome.WAITING
    if delivery is Delivery.UNKNOWN:
        return Outcome.UNKNOWN
    if status in BLAMES_CONTENT:
        return Outcome.REFUSED
    if status in KEEPS_WAITING or status == CONFLICT:
        return Outcome.WAITING

    return Outcome.UNKNOWN


def _named(error: ConexxusError, ids: Collection[str]) -> tuple[RejectedTransaction, ...]:
    """
    Those that the refusal names; names that were not sent say nothing.
    """
    blamed = error.rejected if isinstance(error, StatusError) else ()
    sent = set(ids)

    return tuple({entry.id: entry for entry in blamed if entry.id in sent}.values())
