"""
Sends the batches of one business date, one by one, and records each outcome.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta

import attrs

from conexxus_client import CallStoppedError, ConexxusError, Delivery, FrozenBatch, PushReceipt
from conexxus_sync.model.frozen_sales import FrozenTransaction
from conexxus_sync.model.sales import Batch
from conexxus_sync.runtime.clock import TOLERANCE
from conexxus_sync.stores import State

from ._batching import bisect
from ._delivery_outcome import DeliveryOutcome, Outcome, classify_answer, parking_reason
from ._failure_text import explained, hopeless
from ._key_age import KeyAge, key_age, unknown_since
from ._push_context import PushContext
from ._push_evidence import FORBIDDEN, FRAGMENTS, UNKNOWN_PUSHES
from ._run_counters import RunCounters


# After so many unknown fates in a row, one more attempt with another batch.
PATIENCE = 3

_STOOD_STILL = (
    "This computer or process stood still before the batch was sent: nothing was sent. "
    "The next push decides anew."
)


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
        is_last_try: Whether there were so many failures that only one more is worth
            a try. It goes to the batch that was not sent for the longest time: a few
            that are never answered must not hold up the others for ever.
    """

    context: PushContext
    business_date: date
    counters: RunCounters
    announce: Callable[[], None]
    patience: int = PATIENCE
    stop: bool = False
    exhausted: bool = False
    retry_after: float = 0.0
    unknown_in_a_row: int = 0
    is_last_try: bool = False

    @property
    def is_over(self) -> bool:
        """
        Is there no point in going on with this date?
        """
        return self.stop or self.exhausted or self.context.stopped()

    def deliver(self, state: State, last: Callable[[State], None]) -> None:
        """
        Deliver all that is open, each batch once, in order.

        Args:
            last: Called in the transaction that settles the last of them.
        """
        place = (0, -1)
        batch = self._next(state, place)

        while batch is not None and not self.is_over:
            place, batch = self._deliver_one(batch, place, last)

    def _next(self, state: State, after: tuple[int, int]) -> Batch | None:
        is_tired = self.unknown_in_a_row >= self.patience
        self.is_last_try = is_tired or self.context.evidence.is_hopeless

        return state.outbox.next_batch(
            self.business_date,
            after=after,
            rested=self.is_last_try,
            tried=self.context.evidence.tried,
        )

    def _deliver_one(
        self, batch: Batch, place: tuple[int, int], last: Callable[[State], None]
    ) -> tuple[tuple[int, int], Batch | None]:
        """
        Deliver *batch*; returns the place to go on from, and what comes next.
        """
        last_try = self.is_last_try
        self.context.renew_lease()
        self.announce()
        now, began = self.context.clock.now(), self.context.uptime()
        since = unknown_since(batch)
        profile = self.context.profile
        age = self._key_age(batch, since)
        parked = None if batch.forced else parking_reason(since, now, profile, key_age=age)

        if parked is None:
            answer, ids = self._send(batch, since, now, age, began)
            result = classify_answer(
                answer, ids=ids, was_unknown=since is not None, profile=profile
            )
        else:
            result = DeliveryOutcome(
                outcome=Outcome.UNKNOWN, reason=batch.answer or "no answer came back", parked=parked
            )

        self.stop = self.stop or result.stop
        self.retry_after = max(self.retry_after, result.retry_after or 0)

        with self.context.writing() as state:
            after = self._settle(state, batch, result, since or now)
            is_hopeless = self.context.evidence.is_hopeless
            if last_try:
                # It was taken out of its turn.
                after = place
                self.exhausted = result.is_sent_again
                self.stop = self.stop or is_hopeless
            upcoming = None if self.is_over else self._next(state, after)
            if upcoming is None:
                if is_hopeless:
                    self.counters.fail(hopeless(self.context.evidence.refused, result.reason))
                last(state)

        self.context.failpoint("settled")

        return after, upcoming

    def _key_age(self, batch: Batch, since: datetime | None) -> KeyAge:
        if since is None:
            return KeyAge(age=timedelta())

        age = key_age(batch, attrs.evolve(self.context.moment(), server=None))

        if age.age is not None or self.context.profile.dedupe != "key":
            return age

        return key_age(batch, self.context.asked_moment())

    def _send(
        self, batch: Batch, since: datetime | None, now: datetime, age: KeyAge, began: float
    ) -> tuple[PushReceipt | ConexxusError, list[str]]:
        """
        Send the stored bytes under the stored key.

        Args:
            began: The uptime at which it was decided that they may be sent.
        """
        with self.context.writing() as state:
            # A batch may be older than the first profile that was kept.
            if not self.context.keeps_profile:
                self.context.profile_check.keep(state, now)
            moment = self.context.moment() if since is None else None
            state.outbox.mark_sending(batch, unknown_since=since, now=now, moment=moment)
            body, ids = state.outbox.body(batch), state.outbox.ids(batch)

        self.context.keeps_profile = True
        self.context.failpoint("sending")
        self.counters.batches += 1
        frozen = FrozenBatch(date=batch.business_date, location_id=batch.location_id, body=body)

        try:
            self._refuse_stale(began)
            answer: PushReceipt | ConexxusError = self.context.client.push_sales(
                frozen,
                idempotency_key=batch.key,
                repeat_within=self._repeat_within(since, age),
            )
        except ConexxusError as exc:
            answer = exc

        self.context.failpoint("sent")

        return answer, ids

    def _refuse_stale(self, began: float) -> None:
        """
        Since it was decided, this process may have stood still: by now the key
        may be forgotten, or another process has taken over, and delivered.

        Raises:
            CallStoppedError: It did, for longer than the decision leaves.
        """
        leaves = min(TOLERANCE, self.context.profile.key_ttl / 10) / 2

        if self.context.uptime() - began > leaves.total_seconds():
            raise CallStoppedError(_STOOD_STILL, delivery=Delivery.NOT_SENT)

    def _repeat_within(self, since: datetime | None, age: KeyAge) -> timedelta | None:
        """
        For how long the back office still recognises the key of what it may have.
        """
        if since is None:
            return None

        # What is sent in spite of a doubt goes once.
        ttl = self.context.profile.key_ttl

        return timedelta() if age.age is None else ttl - age.age

    def _settle(
        self, state: State, batch: Batch, result: DeliveryOutcome, sent_at: datetime
    ) -> tuple[int, int]:
        """
        Record what became of *batch*; returns the place to go on from.
        """
        evidence = self.context.evidence

        # What a batch is divided into takes its place.
        if result.outcome is Outcome.ACCEPTED:
            self._accept(state, batch, result)
        elif result.outcome is Outcome.REFUSED or (result.is_forbidden and evidence.accepted):
            self._isolate(state, batch, result)
            return batch.freeze, batch.first - 1
        elif self._is_divisible(state, batch, result):
            self._halve(state, batch, result, sent_at)
            return batch.freeze, batch.first - 1
        else:
            self._keep(state, batch, result, sent_at)

        return batch.freeze, batch.first

    def _accept(self, state: State, batch: Batch, result: DeliveryOutcome) -> None:
        blamed = {r.id: r.error for r in result.rejected}
        members = state.outbox.members(batch) if blamed else []
        total = state.outbox.mark_delivered(
            batch,
            refused=blamed,
            replaces_day=self.context.replaces_day,
            answer=result.reason,
            now=self.context.clock.now(),
        )
        self.counters.add_accepted(batch.transactions - len(blamed), total)
        refused = [member for member in members if member.id in blamed]
        if refused:
            self._quarantine(state, refused, blamed, result.reason)
        self.unknown_in_a_row = 0

        if len(blamed) < batch.transactions:
            self.context.evidence.note_accepted()
        elif not self.context.replaces_day:
            self._note_refused(batch, refused)

    def _isolate(self, state: State, batch: Batch, result: DeliveryOutcome) -> None:
        """
        Set aside who is to blame, and put the rest into batches of its own.
        """
        blamed = {r.id: r.error for r in result.rejected}
        members = state.outbox.members(batch)
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
            bad, parts = members, []
            if self.context.replaces_day:
                # The back office still has what it had before.
                bad = state.outbox.undelivered(batch, members)

        state.outbox.divide(
            batch,
            [self.context.draft(self.business_date, part, parent=batch) for part in parts],
            answer=result.reason,
            now=self.context.clock.now(),
        )
        self._quarantine(state, bad, blamed, result.reason)

        if not (self.context.replaces_day and parts):
            self._note_refused(batch, bad)

    def _note_refused(self, batch: Batch, refused: Iterable[FrozenTransaction]) -> None:
        self.context.evidence.note_refused(batch, {member.origin for member in refused})

    def _is_divisible(self, state: State, batch: Batch, result: DeliveryOutcome) -> bool:
        """
        May an unknown batch be halved under new keys, and does that help?

        Where ids are recognised, no half is booked twice.  Elsewhere an
        operator has said that such an error means that nothing was booked, and
        no attempt since was lost on the way.
        """
        context, evidence = self.context, self.context.evidence

        if result.outcome is not Outcome.UNKNOWN or batch.transactions < 2 or context.replaces_day:
            return False
        if context.profile.dedupe == "transaction_id":
            if result.parked is not None:
                return False
        elif not (batch.released and result.is_server_error):
            return False
        if result.is_server_error and evidence.accepted:
            return True
        if batch.unknown_pushes + 1 < UNKNOWN_PUSHES:
            return False

        # While all is answered like that, nothing is divided without end.
        fragments = state.outbox.open_batches(self.business_date)

        return evidence.accepted or fragments < FRAGMENTS

    def _halve(
        self, state: State, batch: Batch, result: DeliveryOutcome, sent_at: datetime
    ) -> None:
        context = self.context
        is_known_by_id = context.profile.dedupe == "transaction_id"
        state.outbox.divide(
            batch,
            [
                context.draft(
                    self.business_date,
                    part,
                    parent=batch,
                    unknown_since=sent_at if is_known_by_id else None,
                )
                for part in bisect(state.outbox.members(batch))
            ],
            answer=f"divided, as its fate stayed unknown: {result.reason}",
            now=context.clock.now(),
        )
        self.counters.unknown = True

    def _quarantine(
        self,
        state: State,
        refused: list[FrozenTransaction],
        reasons: dict[str, str],
        reason: str,
    ) -> None:
        faulty = (attrs.evolve(one, fault=reasons.get(one.id, reason)) for one in refused)
        state.sales_quarantine.add(
            self.business_date,
            self.counters.counting_quarantined(faulty),
            self.context.clock.now(),
        )

    def _keep(self, state: State, batch: Batch, result: DeliveryOutcome, sent_at: datetime) -> None:
        """
        The batch stays open: to be sent again, or parked.
        """
        unknown = result.outcome is Outcome.UNKNOWN
        self.context.evidence.tried.add(batch.key)
        counts = unknown and batch.key not in self.context.evidence.counted
        result = self._suspected(state, batch, result)
        self.context.evidence.counted.add(batch.key)
        state.outbox.mark_open(
            batch,
            unknown_since=sent_at if unknown else None,
            parked=result.parked,
            answer=result.reason,
            counts=counts,
            # The operator did not speak of what was lost since.
            released=batch.released and (result.is_server_error or not unknown),
        )
        self.counters.unknown = self.counters.unknown or unknown

        if result.parked is not None:
            self.counters.left += batch.transactions
        elif unknown:
            self.unknown_in_a_row += 1

        self.counters.fail(explained(batch, result, self.context.profile))

    def _suspected(self, state: State, batch: Batch, result: DeliveryOutcome) -> DeliveryOutcome:
        """
        What is to be done if the content of *batch* is to blame.
        """
        evidence, profile = self.context.evidence, self.context.profile
        # Counted at the first try of each push.
        pushes = batch.unknown_pushes + (batch.key not in evidence.counted)
        by_id = profile.dedupe == "transaction_id" and result.parked is None
        released = batch.released and result.is_server_error

        if result.is_forbidden:
            evidence.suspect(batch, forbidden=True)
            self.stop = self.stop or evidence.forbidden >= FORBIDDEN
        elif result.outcome is Outcome.UNKNOWN and (by_id or released):
            others = evidence.accepted or state.outbox.delivered_since(batch.frozen_at)
            if batch.transactions == 1 and pushes >= UNKNOWN_PUSHES and others:
                why = f"{pushes} pushes did not settle it, and others were accepted meanwhile"
                return attrs.evolve(result, parked=result.parked or why)
            if result.is_server_error and not evidence.accepted:
                evidence.suspect(batch, forbidden=False)

        return result
