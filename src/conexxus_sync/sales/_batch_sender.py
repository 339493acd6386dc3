"""
Sends the batches of one business date, one by one, and records each outcome.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import attrs

from conexxus_client import ConexxusError, FrozenBatch, PushReceipt
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import Batch

from ._batching import bisect
from ._delivery_outcome import (
    DeliveryOutcome,
    Outcome,
    classify_answer,
    parking_reason,
    unknown_since,
)
from ._push_context import PushContext
from ._run_counters import RunCounters


# So many refused in a row without one accepted: it is not the content.
HOPELESS = 10

# After so many unknown fates in a row, one more attempt with another batch.
PATIENCE = 3


@attrs.define(kw_only=True)
class BatchSender:
    """
    Hands frozen batches to the client and records what became of them.

    Attributes:
        announce: Called before the first send.
        patience: How many unknown fates in a row we put up with.
        stop: Whether more sends now would fare no better, of any date.
        exhausted: Whether more sends of this date would fare no better.
        retry_after: Seconds that the back office asked to wait.
    """

    context: PushContext
    business_date: date
    counters: RunCounters
    announce: Callable[[], None]
    patience: int = PATIENCE
    stop: bool = False
    exhausted: bool = False
    retry_after: float = 0.0
    refused_in_a_row: int = 0
    unknown_in_a_row: int = 0

    @property
    def is_over(self) -> bool:
        """
        Is there no point in going on with this date?
        """
        return self.stop or self.exhausted or self.context.stopped()

    def deliver(self, last: Callable[[Any], None]) -> None:
        """
        Deliver all that is open, each batch once, in order.

        Args:
            last: Called in the transaction that settles the last of them.
        """
        place = (0, -1)

        with self.context.store.reading() as connection:
            batch = self._next(connection, place)

        while batch is not None and not self.is_over:
            place, batch = self._deliver_one(batch, place, last)

    @property
    def _is_last_try(self) -> bool:
        """
        Were there so many unknown fates that only one more is worth a try?

        It goes to the batch that was not sent for the longest time: a few
        that are never answered must not hold up the others for ever.
        """
        return self.unknown_in_a_row >= self.patience

    def _next(self, connection: Any, after: tuple[int, int]) -> Batch | None:
        return self.context.outbox.next_batch(
            connection,
            self.context.location_id,
            self.business_date,
            after=after,
            rested=self._is_last_try,
        )

    def _deliver_one(
        self, batch: Batch, place: tuple[int, int], last: Callable[[Any], None]
    ) -> tuple[tuple[int, int], Batch | None]:
        """
        Deliver *batch*; returns the place to go on from, and what comes next.
        """
        last_try = self._is_last_try
        self.context.renew_lease()
        self.announce()
        now = self.context.clock.now()
        since = unknown_since(batch)
        profile = self.context.client.profile
        parked = None if batch.forced else parking_reason(since, now, profile)
        ids: list[str] = []

        if parked is None:
            answer, ids = self._send(batch, since, now)
            result = classify_answer(
                answer, ids=ids, was_unknown=since is not None, profile=profile
            )
        else:
            result = DeliveryOutcome(
                outcome=Outcome.UNKNOWN, reason=batch.answer or "no answer came back", parked=parked
            )

        self.stop = self.stop or result.stop
        self.retry_after = max(self.retry_after, result.retry_after or 0)

        with self.context.writing() as transaction:
            after = self._settle(transaction, batch, result, since or now)
            if last_try:
                # It was taken out of its turn.
                after = place
                self.exhausted = result.is_sent_again
            upcoming = None if self.is_over else self._next(transaction, after)
            if upcoming is None:
                last(transaction)

        self.context.failpoint("settled")

        return after, upcoming

    def _send(
        self, batch: Batch, since: datetime | None, now: datetime
    ) -> tuple[PushReceipt | ConexxusError, list[str]]:
        """
        Send the stored bytes under the stored key.
        """
        outbox = self.context.outbox

        with self.context.writing() as transaction:
            outbox.mark_sending(transaction, batch, unknown_since=since, now=now)
            body, ids = outbox.body(transaction, batch), outbox.ids(transaction, batch)

        self.context.failpoint("sending")
        self.counters.batches += 1
        frozen = FrozenBatch(date=batch.business_date, location_id=batch.location_id, body=body)

        try:
            answer: PushReceipt | ConexxusError = self.context.client.push_sales(
                frozen,
                idempotency_key=batch.key,
                repeat_within=self._repeat_within(since),
            )
        except ConexxusError as exc:
            answer = exc

        self.context.failpoint("sent")

        return answer, ids

    def _repeat_within(self, since: datetime | None) -> timedelta | None:
        """
        For how long the back office still knows the key of what it may have.
        """
        if since is None:
            return None

        return since + self.context.client.profile.key_ttl - self.context.clock.now()

    def _settle(
        self, transaction: Any, batch: Batch, result: DeliveryOutcome, sent_at: datetime
    ) -> tuple[int, int]:
        """
        Record what became of *batch*; returns the place to go on from.
        """
        if result.outcome is Outcome.ACCEPTED:
            self._accept(transaction, batch, result)
        elif result.outcome is Outcome.REFUSED:
            self._isolate(transaction, batch, result)
            # What a batch is divided into takes its place.
            return batch.freeze, batch.first - 1
        else:
            self._keep(transaction, batch, result, sent_at)

        return batch.freeze, batch.first

    def _accept(self, transaction: Any, batch: Batch, result: DeliveryOutcome) -> None:
        outbox, blamed = self.context.outbox, {r.id: r.error for r in result.rejected}
        members = outbox.members(transaction, batch) if blamed else []
        total = outbox.mark_delivered(
            transaction,
            batch,
            refused=blamed,
            replaces_day=self.context.replaces_day,
            answer=result.reason,
            now=self.context.clock.now(),
        )
        self.counters.add_accepted(batch.transactions - len(blamed), total)
        self._quarantine(transaction, [m for m in members if m.id in blamed], blamed, result.reason)
        self.refused_in_a_row = self.unknown_in_a_row = 0

    def _isolate(self, transaction: Any, batch: Batch, result: DeliveryOutcome) -> None:
        """
        Set aside who is to blame, and put the rest into batches of its own.
        """
        outbox, blamed = self.context.outbox, {r.id: r.error for r in result.rejected}
        members = outbox.members(transaction, batch)
        bad: list[FrozenTransaction] = []
        parts: list[Sequence[FrozenTransaction]]
        self.unknown_in_a_row = 0

        if blamed:
            bad = [member for member in members if member.id in blamed]
            rest = [member for member in members if member.id not in blamed]
            parts = [rest] if rest else []
        elif len(members) > 1 and not self.context.replaces_day:
            parts = bisect(members)
        else:
            # Of a whole day, the back office still has what it had before.
            bad, parts = outbox.undelivered(transaction, batch, members), []
            self.refused_in_a_row += 1

        outbox.divide(
            transaction,
            batch,
            [self.context.draft(self.business_date, part) for part in parts],
            answer=result.reason,
            now=self.context.clock.now(),
        )
        self._quarantine(transaction, bad, blamed, result.reason)

        if self.refused_in_a_row >= HOPELESS:
            self.stop = True
            self.counters.fail(
                f"the back office refused {HOPELESS} transactions one by one and accepted none: "
                f"{result.reason}"
            )

    def _quarantine(
        self,
        transaction: Any,
        refused: list[FrozenTransaction],
        reasons: dict[str, str],
        reason: str,
    ) -> None:
        faulty = (attrs.evolve(one, fault=reasons.get(one.id, reason)) for one in refused)
        self.context.outbox.quarantine.add(
            transaction,
            self.context.location_id,
            self.business_date,
            self.counters.counting_quarantined(faulty),
            self.context.clock.now(),
        )

    def _keep(
        self, transaction: Any, batch: Batch, result: DeliveryOutcome, sent_at: datetime
    ) -> None:
        """
        The batch stays open: to be sent again, or parked.
        """
        unknown = result.outcome is Outcome.UNKNOWN
        self.context.outbox.mark_open(
            transaction,
            batch,
            unknown_since=sent_at if unknown else None,
            parked=result.parked,
            answer=result.reason,
        )
        self.counters.unknown = self.counters.unknown or unknown

        if result.parked is not None:
            self.counters.left += batch.transactions
        elif unknown:
            self.unknown_in_a_row += 1

        self.counters.fail(_explained(batch, result))


def _explained(batch: Batch, result: DeliveryOutcome) -> str:
    what = f"batch {batch.short_key} ({counted(batch.transactions, 'transaction')})"

    if result.parked is not None:
        key = batch.short_key
        return (
            f"{what} is parked, its delivery is unknown: {result.parked}. "
            f"Ask the back office whether it has them, then `conexxus outbox resolve {key}`. "
            f"Last answer: {result.reason}"
        )
    if result.outcome is Outcome.UNKNOWN:
        return (
            f"the delivery of {what} is unknown; the same bytes are sent again under the "
            f"same key: {result.reason}"
        )

    return f"{what} was not delivered and waits: {result.reason}"
