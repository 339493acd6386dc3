"""
Pushes one business date: stored batches first, then new transactions.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain, repeat

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.errors import HostError
from conexxus_sync.model.day_fingerprint import DayFingerprint
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.sales import FoundDiscrepancy
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import State

from ._batch_sender import BatchSender
from ._batching import BatchLimits, released_halves, split_into_batches
from ._change_guard import ChangeDecision
from ._corrections import corrected, void
from ._order_reader import read_bytes, read_transactions
from ._push_context import PushContext, PushStoppedError
from ._replace_day import UNDIVIDED, DayReplacement
from ._run_counters import RunCounters
from ._store_age import first_push_note


_log = safe_logger(__name__)


@attrs.define(kw_only=True)
class DatePush:
    """
    Pushes one business date, once.

    Attributes:
        is_known: Whether the store has anything of the date.
        is_unheard_of: Whether it has nothing of earlier dates either.
        patience: How many unknown fates in a row it puts up with.
        finished: The run as it was recorded; None if there was nothing to say.
        incomplete: Whether the host did not return all of its transactions.
        takes_back: Whether this push took something back.
        fingerprint: Of what the host just returned.
        proven: What the date is like, if a comparison found nothing to do.
        settled: Whether nothing is left to do until the date is due again.
    """

    context: PushContext
    business_date: date
    counters: RunCounters
    is_known: bool
    visited_at: datetime
    patience: int
    finished: SyncRun | None = None
    settled: bool = False
    is_unheard_of: bool = False
    incomplete: bool = False
    takes_back: bool = False
    announced: bool = False
    fingerprint: DayFingerprint = attrs.field(factory=DayFingerprint)
    proven: bytes | None = None
    sender: BatchSender = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.sender = BatchSender(
            context=self.context,
            business_date=self.business_date,
            counters=self.counters,
            announce=self._announce,
            patience=self.patience,
        )

    def push(self) -> SyncRun | None:
        """
        Deliver what waits from the stored bytes; then freeze and deliver
        what is new.

        Raises:
            ConexxusError: The store failed, or the lease was lost.
        """
        try:
            with self.context.store.read() as state:
                # What waits goes first, even if the host is gone.
                if not self.is_known or self._deliver_waiting(state):
                    self._deliver_new(state)
            if self.finished is None and not self.settled:
                self._finish_alone()
        except PushStoppedError:
            self.incomplete = True
            self._finish_alone()
        except HostError as exc:
            self.incomplete = True
            self.counters.fail(str(exc))
            _log.error("Conexxus sales: %s", exc, exc_info=exc.__cause__ or exc)
            self._finish_alone()
        except BaseException as exc:
            self._abandon(exc)
            raise

        if self.finished is not None:
            # Collectors may be slow: no transaction is open when they are called.
            self._announce()
            self.context.observer.run_finished(self.finished)

        return self.finished

    def _deliver_waiting(self, state: State) -> bool:
        """
        Deliver what was frozen before.

        Returns:
            Whether nothing of it waits, and the date takes new sales: what was delivered
            on one that is closed may be forgotten, and would be sent again.
        """
        self.sender.deliver(state, lambda _: None)

        is_clear = self._is_clear(state, parked=self.context.replaces_day)

        return is_clear and state.sales_dates.closed(self.business_date) is None

    def _is_clear(self, state: State, *, parked: bool) -> bool:
        """
        Is nothing left to deliver, and may we go on?

        Args:
            parked: Whether what waits for an operator counts as left.
        """
        left = state.outbox.open_transactions(self.business_date, parked=parked)

        return left == 0 and not self.sender.is_over

    def _is_as_before(self, state: State) -> bool:
        """
        Is the date as it was when a comparison last found nothing to do?
        """
        before = state.sales_dates.fingerprint(self.business_date)

        if before is None or self.context.accept_changes:
            return False
        for raw in read_bytes(self.context, self.business_date, self.counters):
            self.fingerprint.add(raw)
        if self._value(state) != before or self.counters.source_remarks:
            return False

        self.proven = before

        return True

    def _value(self, state: State) -> bytes:
        config = self.context.config

        return self.fingerprint.value(
            (
                *(self.context.replaces_day, self.context.profile.dedupe),
                *(sorted(config.compare), config.on_changed, config.sales_guards),
                *state.sales_dates.figures(self.business_date),
            )
        )

    def _deliver_new(self, state: State) -> None:
        if self.is_known and self._is_as_before(state):
            self._settle_later()
            return

        transactions = iter(self._read())
        first = next(transactions, None)
        self.context.failpoint("read")

        if first is None and not self.is_known and not self.counters.source_remarks:
            # The common case of a closed shop: no sale, no transaction.
            self._settle_later()
            return

        again = self._freeze(state, chain((first,) if first else (), transactions))
        self.context.failpoint("frozen")

        if again:
            # What changed is taken back first; what it became comes after it,
            # in this push or in the next.
            self.incomplete = self.takes_back = True
            self.sender.deliver(state, lambda _: None)
            if self._is_clear(state, parked=True):
                self.incomplete = False
                again = self._freeze(state, self._read())
                self.context.failpoint("frozen")
            if again:
                # The till said something else when it was asked once more.
                self.incomplete = True
                if self.counters.failure is None:
                    self.counters.fail(
                        "what changed is taken back; what it became goes with the next push"
                    )

        if self.finished is None and not self.settled:
            self.sender.deliver(state, self._finish)

    def _settle_later(self) -> None:
        self.settled = True
        visit = (self.business_date, self.visited_at, self.proven)
        self.context.pending_visits.append(visit)

    def _read(self) -> Iterator[FrozenTransaction]:
        self.counters.misdated.clear()
        self.fingerprint = DayFingerprint()

        for sale in read_transactions(self.context, self.business_date, self.counters):
            self.fingerprint.add(sale.raw if sale.fault is None else None)
            yield sale

    def _freeze(self, state: State, transactions: Iterable[FrozenTransaction]) -> bool:
        """
        Store what is new in batches, bytes and keys, before anything is sent.

        Returns:
            Whether instead only what changed is taken back, and all of it is
            to be asked for again.
        """
        context, day = self.context, self.business_date

        staging, found = state.sales_staging, self._stage(state, transactions)
        settled = not found and not self.fingerprint.is_faulty and staging.is_settled()
        self.proven = self._value(state) if settled else None
        faulty: Iterable[FrozenTransaction] = staging.faulty()
        accepted = state.sales_quarantine.accepted(day, found) if found else set()
        found = [one for one in found if one not in accepted]
        decision = ChangeDecision.of(context, state, found)
        context.renew_lease()
        voids = self._voids(state, decision)
        drafts = self._drafts(state)
        if context.replaces_day:
            whole = DayReplacement.of(context, state, day, found, corrects=decision.corrects)
            drafts = self._batches(whole.members, UNDIVIDED)
            found, faulty = list(whole.found), chain(faulty, whole.held)
            context.renew_lease()

        now = context.clock.now()

        with context.writing() as state:
            state.sales_dates.clear_fingerprint(day)
            if voids:
                state.outbox.freeze(self._batches(voids, context.limits), now)
                state.sales_dates.clear_visit(day)
                return True

            is_frozen = self._freeze_drafts(state, drafts, now)
            if accepted:
                staging.adopt_accepted(day, now)
            self.counters.add_discrepancies(
                state.sales_quarantine.record_discrepancies(day, [*found, *accepted], now)
            )
            counted = self.counters.counting_quarantined(faulty)
            state.sales_quarantine.add(day, counted, now)
            if decision.record(state, day, now):
                self.counters.refused = decision.refused
            # What was taken back in this push has still to come again.
            if self.takes_back and decision.refused is not None:
                self.incomplete = True

            if not is_frozen and not state.outbox.open_transactions(day):
                self._finish(state)

        context.keeps_profile = context.keeps_profile or is_frozen

        return False

    def _stage(
        self, state: State, transactions: Iterable[FrozenTransaction]
    ) -> list[FoundDiscrepancy]:
        """
        Stage *transactions*, and compare them with what is known of the date.
        """
        config = self.context.config
        state.sales_staging.fill(transactions, fields=config.compare)

        return state.sales_staging.compare(
            self.business_date,
            ids_are_global=self.context.profile.dedupe == "transaction_id",
            fields=config.compare,
            hold=self.context.renew_lease,
        )

    def _freeze_drafts(self, state: State, drafts: Iterable[BatchDraft], now: datetime) -> bool:
        """
        Store *drafts*; False if there are none.
        """
        if not state.outbox.freeze(drafts, now):
            return False

        if not self.context.keeps_profile:
            self.context.profile_check.keep(state, now)
        if self.is_unheard_of:
            self.counters.note = first_push_note(self.business_date)

        return True

    def _voids(self, state: State, decision: ChangeDecision) -> list[FrozenTransaction]:
        """
        What takes back those that changed or disappeared, if it shall.
        """
        if self.context.replaces_day or not decision.corrects:
            return []

        numbers, voids = dict[str, int](), list[FrozenTransaction]()
        sales = state.outbox.effective(self.business_date, decision.changes)

        for position, sent in enumerate(sales):
            number = numbers[sent.origin] = state.sales_staging.next_revision(
                self.business_date, name=sent.origin, above=numbers.get(sent.origin, 0)
            )
            voids.append(
                void(
                    sent,
                    orders=self.context.orders,
                    revision=number,
                    position=position,
                    business_date=self.business_date,
                )
            )
            self.context.renew_lease()

        return voids

    def _drafts(self, state: State) -> Iterator[BatchDraft]:
        fresh = state.sales_staging.fresh()
        members = map(corrected, fresh, repeat(self.business_date))
        released = state.outbox.released(self.business_date) if self.is_known else {}

        if not released:
            # As a stream: a day may be large.
            yield from self._batches(members, self.context.limits)
            return

        known = list(members)
        yield from self._batches(
            (one for one in known if one.origin not in released), self.context.limits
        )
        for parent, half in released_halves(known, released):
            for draft in self._batches(half, self.context.limits):
                yield attrs.evolve(draft, parent=parent, released=True)

    def _batches(
        self, members: Iterable[FrozenTransaction], limits: BatchLimits
    ) -> Iterator[BatchDraft]:
        for batch in split_into_batches(members, limits):
            self.counters.add_remarks(batch)
            yield self.context.draft(self.business_date, batch)

    def _finish_alone(self) -> None:
        with self.context.writing() as state:
            self._finish(state)

    def _finish(self, state: State) -> None:
        """
        Record the run and the visit in the transaction that is open.
        """
        waiting = state.outbox.open_transactions(self.business_date)
        # What was unknown may have been accepted since, in this push.
        self.counters.unknown = self.counters.unknown and state.outbox.has_unknown(
            self.business_date
        )
        self.counters.left += waiting

        if waiting and self.context.stopped():
            self.counters.fail("the push was stopped; what waits is delivered by the next one")
        elif waiting and self.counters.failure is None and not self.counters.issues:
            wait = f"{counted(waiting, 'transaction')} not sent yet"
            self.counters.fail(f"{wait}: the next push sends what waits")

        self.settled = waiting == 0 and not self.incomplete

        if self.settled:
            self._record_visit(state)
        if self.counters.has_content:
            self.finished = self.counters.finished_run(self.context.clock.now())
            state.runs.save(self.finished)

    def _record_visit(self, state: State) -> None:
        state.sales_dates.record([(self.business_date, self.visited_at, self.proven)])

    def _announce(self) -> None:
        if not self.announced:
            self.announced = True
            self.context.observer.run_started(self.counters.run)

    def _abandon(self, exc: BaseException) -> None:
        """
        Notify the collectors of a run that can't be recorded.
        """
        if self.announced or self.counters.has_content:
            self._announce()
            unexpected = f"unexpected {type(exc).__name__}"
            self.counters.fail(exc.explanation if isinstance(exc, ConexxusError) else unexpected)
            self.context.observer.run_finished(self.counters.finished_run(self.context.clock.now()))
