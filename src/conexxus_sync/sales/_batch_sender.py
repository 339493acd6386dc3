"""
Delivering the batches of one business date, one by one.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import attrs

from conexxus_client import ConexxusError, FrozenBatch, PushReceipt
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.frozen import FrozenTransaction
from conexxus_sync.model.sales import Batch

from ._batching import halves
from ._delivery_outcome import Judgement, Ruling, doubted_since, judge, why_parked
from ._push_context import Desk
from ._run_counters import Tally


# So many refused in a row without one accepted: it is not the content.
HOPELESS = 10

# After so many unknown fates in a row, one more attempt with another batch.
PATIENCE = 3


@attrs.define(kw_only=True)
class Deliverer:
    """
    Hands frozen batches to the client and records what became of them.

    Attributes:
        announce: Called before the first send.
        patience: How many unknown fates in a row we put up with.
        stop: Whether more sends now would fare no better, of any date.
        exhausted: Whether more sends of this date would fare no better.
        retry_after: Seconds that the back office asked to wait.
    """

    desk: Desk
    business_date: date
    tally: Tally
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
        return self.stop or self.exhausted or self.desk.stopped()

    def deliver(self, last: Callable[[Any], None]) -> None:
        """
        Deliver all that is open, each batch once, in order.

        Args:
            last: Called in the transaction that settles the last of them.
        """
        place = (0, -1)

        with self.desk.store.reading() as connection:
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
        return self.desk.outbox.next_batch(
            connection,
            self.desk.location_id,
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
        self.desk.hold()
        self.announce()
        now = self.desk.clock.now()
        doubted = doubted_since(batch)
        profile = self.desk.client.profile
        parked = None if batch.forced else why_parked(doubted, now, profile)
        ids: list[str] = []

        if parked is None:
            answer, ids = self._send(batch, doubted, now)
            judgement = judge(answer, ids=ids, doubtful=doubted is not None, profile=profile)
        else:
            judgement = Judgement(
                ruling=Ruling.UNKNOWN, reason=batch.answer or "no answer came back", parked=parked
            )

        self.stop = self.stop or judgement.stop
        self.retry_after = max(self.retry_after, judgement.retry_after or 0)

        with self.desk.writing() as transaction:
            after = self._settle(transaction, batch, judgement, doubted or now)
            if last_try:
                # It was taken out of its turn.
                after = place
                self.exhausted = judgement.goes_again
            upcoming = None if self.is_over else self._next(transaction, after)
            if upcoming is None:
                last(transaction)

        self.desk.steps("settled")

        return after, upcoming

    def _send(
        self, batch: Batch, doubted: datetime | None, now: datetime
    ) -> tuple[PushReceipt | ConexxusError, list[str]]:
        """
        Send the stored bytes under the stored key.
        """
        outbox = self.desk.outbox

        with self.desk.writing() as transaction:
            outbox.mark_sending(transaction, batch, unknown_since=doubted, now=now)
            body, ids = outbox.body(transaction, batch), outbox.ids(transaction, batch)

        self.desk.steps("sending")
        self.tally.batches += 1
        frozen = FrozenBatch(date=batch.business_date, location_id=batch.location_id, body=body)

        try:
            answer: PushReceipt | ConexxusError = self.desk.client.push_sales(
                frozen,
                idempotency_key=batch.key,
                repeat_within=self._repeat_within(doubted),
            )
        except ConexxusError as exc:
            answer = exc

        self.desk.steps("sent")

        return answer, ids

    def _repeat_within(self, doubted: datetime | None) -> timedelta | None:
        """
        For how long the back office still knows the key of what it may have.
        """
        if doubted is None:
            return None

        return doubted + self.desk.client.profile.key_ttl - self.desk.clock.now()

    def _settle(
        self, transaction: Any, batch: Batch, judgement: Judgement, sent_at: datetime
    ) -> tuple[int, int]:
        """
        Record what became of *batch*; returns the place to go on from.
        """
        if judgement.ruling is Ruling.ACCEPTED:
            self._accept(transaction, batch, judgement)
        elif judgement.ruling is Ruling.REFUSED:
            self._isolate(transaction, batch, judgement)
            # What a batch is divided into takes its place.
            return batch.freeze, batch.first - 1
        else:
            self._keep(transaction, batch, judgement, sent_at)

        return batch.freeze, batch.first

    def _accept(self, transaction: Any, batch: Batch, judgement: Judgement) -> None:
        outbox, blamed = self.desk.outbox, {r.id: r.error for r in judgement.rejected}
        members = outbox.members(transaction, batch) if blamed else []
        total = outbox.mark_delivered(
            transaction,
            batch,
            refused=blamed,
            whole_day=self.desk.whole_days,
            answer=judgement.reason,
            now=self.desk.clock.now(),
        )
        self.tally.accepted(batch.transactions - len(blamed), total)
        self._quarantine(
            transaction, [m for m in members if m.id in blamed], blamed, judgement.reason
        )
        self.refused_in_a_row = self.unknown_in_a_row = 0

    def _isolate(self, transaction: Any, batch: Batch, judgement: Judgement) -> None:
        """
        Set aside who is to blame, and put the rest into batches of its own.
        """
        outbox, blamed = self.desk.outbox, {r.id: r.error for r in judgement.rejected}
        members = outbox.members(transaction, batch)
        bad: list[FrozenTransaction] = []
        parts: list[Sequence[FrozenTransaction]]
        self.unknown_in_a_row = 0

        if blamed:
            bad = [member for member in members if member.id in blamed]
            rest = [member for member in members if member.id not in blamed]
            parts = [rest] if rest else []
        elif len(members) > 1 and not self.desk.whole_days:
            parts = halves(members)
        else:
            # Of a whole day, the back office still has what it had before.
            bad, parts = outbox.undelivered(transaction, batch, members), []
            self.refused_in_a_row += 1

        outbox.divide(
            transaction,
            batch,
            [self.desk.draft(self.business_date, part) for part in parts],
            answer=judgement.reason,
            now=self.desk.clock.now(),
        )
        self._quarantine(transaction, bad, blamed, judgement.reason)

        if self.refused_in_a_row >= HOPELESS:
            self.stop = True
            self.tally.fail(
                f"the back office refused {HOPELESS} transactions one by one and accepted none: "
                f"{judgement.reason}"
            )

    def _quarantine(
        self,
        transaction: Any,
        refused: list[FrozenTransaction],
        reasons: dict[str, str],
        reason: str,
    ) -> None:
        faulty = [attrs.evolve(one, fault=reasons.get(one.id, reason)) for one in refused]
        self.desk.outbox.aside.quarantine(
            transaction, self.desk.location_id, self.business_date, faulty, self.desk.clock.now()
        )
        self.tally.quarantined(faulty)

    def _keep(
        self, transaction: Any, batch: Batch, judgement: Judgement, sent_at: datetime
    ) -> None:
        """
        The batch stays open: to be sent again, or parked.
        """
        unknown = judgement.ruling is Ruling.UNKNOWN
        self.desk.outbox.mark_open(
            transaction,
            batch,
            unknown_since=sent_at if unknown else None,
            parked=judgement.parked,
            answer=judgement.reason,
        )
        self.tally.unknown = self.tally.unknown or unknown

        if judgement.parked is not None:
            self.tally.left += batch.transactions
        elif unknown:
            self.unknown_in_a_row += 1

        self.tally.fail(_explained(batch, judgement))


def _explained(batch: Batch, judgement: Judgement) -> str:
    what = f"batch {batch.short_key} ({counted(batch.transactions, 'transaction')})"

    if judgement.parked is not None:
        key = batch.short_key
        return (
            f"{what} is parked, its delivery is unknown: {judgement.parked}. "
            f"Ask the back office whether it has them, then `conexxus outbox resolve {key}`. "
            f"Last answer: {judgement.reason}"
        )
    if judgement.ruling is Ruling.UNKNOWN:
        return (
            f"the delivery of {what} is unknown; the same bytes are sent again under the "
            f"same key: {judgement.reason}"
        )

    return f"{what} was not delivered and waits: {judgement.reason}"
