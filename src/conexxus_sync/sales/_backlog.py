"""
Pushes several business dates, oldest first; a circuit breaker protects a failing back office.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

import attrs

from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.model.sales import Batch
from conexxus_sync.runtime.run_logging import in_run
from conexxus_sync.stores import State

from ._batch_sender import PATIENCE
from ._batching import bisect
from ._date_push import DatePush
from ._push_context import PushContext
from ._push_evidence import FRAGMENTS
from ._run_counters import RunCounters
from ._trickle_push import TricklePush


# How often what is suspected is tried once more in one push.
MOST_ROUNDS = 3

# So many dates in a row that did not settle: the back office is in trouble.
TROUBLED = 3


@attrs.frozen(kw_only=True)
class PushProgress:
    """
    How far a push has come.

    Attributes:
        business_date: The one just looked at.
        dates: How many were looked at.
        of: How many there are.
        transactions: How many the back office took so far.
    """

    business_date: date
    dates: int
    of: int
    transactions: int


@attrs.define
class CircuitBreaker:
    """
    Which date comes next while the back office is in trouble.

    Oldest first, as long as all goes well.  After `TROUBLED` dates in a row
    that did not settle there is one more attempt, with the date that was not
    tried for the longest time: a few that will never settle must not hold up
    the others for ever.  If that fails, too, the rest is left for later.

    Attributes:
        in_a_row: Dates that did not settle, one after the other.
    """

    in_a_row: int = 0

    @property
    def is_likely(self) -> bool:
        return self.in_a_row >= TROUBLED

    @property
    def is_certain(self) -> bool:
        return self.in_a_row > TROUBLED

    def note(self, *, settled: bool, exhausted: bool) -> None:
        """
        Count a date.

        Args:
            exhausted: Whether it alone had enough failures to give up.
        """
        if settled:
            self.in_a_row = 0
        elif exhausted and not self.is_likely:
            self.in_a_row = TROUBLED
        else:
            self.in_a_row += 1


@attrs.define(kw_only=True)
class BacklogPush:
    """
    Pushes dates, oldest first, as long as that makes sense.

    Attributes:
        progress: Told after each date.
        looks: The dates in progress; what waits of them waits for the next look.
        settled: Whether nothing is left to do.
        stop: Whether the back office made clear that it takes nothing now.
        retry_after: Seconds that it asked to wait.
    """

    context: PushContext
    progress: Callable[[PushProgress], None]
    looks: frozenset[date] = frozenset()
    delivered: int = 0
    settled: bool = True
    stop: bool = False
    retry_after: float = 0.0
    breaker: CircuitBreaker = attrs.field(factory=CircuitBreaker)

    def push(self, state: State, dates: list[date], run_id: str) -> list[SyncRun]:
        """
        Push *dates*.

        Args:
            run_id: Of the first run: a trigger that met our lease returned it,
                and its caller can look it up later.
        """
        context, left, runs = self.context, list(dates), list[SyncRun]()
        rounds = 0
        known = state.sales_dates.recorded(dates)
        first = state.sales_dates.first_known()

        while (left or rounds < MOST_ROUNDS) and not self._is_over:
            if not left:
                # Of what is suspected, the answers count now.
                rounds += 1
                left = self._suspected_dates()
                dates, known = [*dates, *left], {*known, *left}
                if not left:
                    break
            business_date = self._next_date(left)
            left.remove(business_date)
            day = self._day(run_id, business_date, known=business_date in known)
            day.is_unheard_of = first is None or business_date < first
            with in_run(run_id, context.location_id):
                run = day.push()
            self._add(day)

            if run is not None:
                run_id = context.engine.new_id(context.clock.now())
                runs.append(run)

            self.progress(
                PushProgress(
                    business_date=business_date,
                    dates=len(dates) - len(left),
                    of=len(dates),
                    transactions=self.delivered,
                )
            )

        if context.pending_visits:
            # They are stored with it, though there is nothing else.
            with context.writing():
                pass
        self._reopen_refused()

        return runs

    def _suspected_dates(self) -> list[date]:
        """
        The dates of the batches that are sent once more in this push.

        If none was accepted, a half of one that was forbidden is tried.
        """
        context, evidence = self.context, self.context.evidence

        if evidence.accepted:
            suspects = evidence.another_try()
            for batch in suspects:
                if batch.released and context.profile.dedupe == "none":
                    # It can't be sent again as it is, but an operator said
                    # that such an error means not delivered.
                    self._divide(batch, "divided, as others were accepted")
            return sorted({batch.business_date for batch in suspects})

        for batch in evidence.suspects.values():
            if evidence.forbidden and batch.transactions > 1 and self._probe(batch):
                return [batch.business_date]

        return []

    def _probe(self, batch: Batch) -> bool:
        """
        Divide a batch that was certainly refused; False if it is in parts enough.
        """
        context = self.context

        with context.store.read() as state:
            fragments = state.outbox.open_batches(batch.business_date)

        if fragments >= FRAGMENTS or batch.unknown_since or context.replaces_day:
            return False

        self._divide(batch, "divided, to learn whether a text in it is refused")
        self.context.evidence.suspects.pop(batch.key)

        return True

    def _divide(self, batch: Batch, answer: str) -> None:
        context = self.context

        if batch.transactions == 1 or context.replaces_day:
            return

        with context.writing() as state:
            parts = [
                context.draft(batch.business_date, part, parent=batch)
                for part in bisect(state.outbox.members(batch))
            ]
            state.outbox.divide(batch, parts, answer=answer, now=context.clock.now())

    def _reopen_refused(self) -> None:
        """
        What was set aside while everything was refused is to be sent again.
        """
        context, evidence = self.context, self.context.evidence

        if not evidence.is_hopeless:
            return

        self.settled = False
        with context.writing() as state:
            for one in evidence.refusals:
                batch = one.batch
                members = [
                    member
                    for member in state.outbox.members(batch)
                    if member.origin in one.ids or context.replaces_day
                ]
                draft = context.draft(batch.business_date, members, parent=batch)
                state.outbox.reopen(batch, draft, context.clock.now())
                for name in one.ids:
                    state.sales_quarantine.release(batch.business_date, name)
                state.sales_dates.clear_visit(batch.business_date)

    @property
    def _is_over(self) -> bool:
        """
        Would the next date fare no better?
        """
        return self.stop or self.breaker.is_certain or self.context.stopped()

    def _next_date(self, left: list[date]) -> date:
        context = self.context

        if not self.breaker.is_likely:
            return left[0]

        with context.store.read() as state:
            return least_recently_tried(left, state.outbox.attempted())

    def _day(self, run_id: str, business_date: date, *, known: bool) -> DatePush:
        context = self.context
        context.renew_lease()
        now = context.clock.now()
        run = SyncRun(
            id=run_id,
            kind=RunKind.SALES,
            location_id=context.location_id,
            business_date=business_date,
            start_time=now,
        )

        kind = (
            partial(TricklePush, settle=context.config.push_settle)
            if business_date in self.looks
            else DatePush
        )

        return kind(
            context=context,
            business_date=business_date,
            counters=RunCounters(run=run),
            is_known=known,
            visited_at=now,
            patience=1 if self.breaker.is_likely else PATIENCE,
        )

    def _add(self, day: DatePush) -> None:
        sender = day.sender
        self.delivered += day.counters.delivered
        waits_for_look = day.business_date in self.looks and not sender.retry_after
        self.settled = self.settled and (day.settled or waits_for_look)
        self.stop = sender.stop
        self.retry_after = max(self.retry_after, sender.retry_after)

        # A host that fails says nothing about the back office.
        if not day.incomplete:
            self.breaker.note(settled=day.settled, exhausted=sender.exhausted)


def least_recently_tried(dates: list[date], attempted: Mapping[date, datetime]) -> date:
    """
    The date whose last attempt was the longest ago; one that had none comes first.
    """
    never = [day for day in dates if day not in attempted]

    return min(never) if never else min(dates, key=lambda day: (attempted[day], day))
