"""
Pushes one business date: stored batches first, then new transactions.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.errors import HostError
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.sales import DiscrepancyKind, FoundDiscrepancy

from ._batch_sender import BatchSender
from ._batching import BatchLimits, split_into_batches
from ._corrections import corrected, void
from ._order_reader import read_transactions
from ._push_context import PushContext, PushStoppedError
from ._replace_day import UNDIVIDED, DayReplacement
from ._run_counters import RunCounters


@attrs.define(kw_only=True)
class DatePush:
    """
    Pushes one business date, once.

    Attributes:
        is_known: Whether the store knows anything of the date.
        patience: How many unknown fates in a row it puts up with.
        finished: The run as it was recorded; None if there was nothing to say.
        incomplete: Whether the host did not return all of its transactions.
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
    incomplete: bool = False
    announced: bool = False
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
            # What waits goes first, even if the host is gone.
            if not self.is_known or self._deliver_waiting():
                self._deliver_new()
            if self.finished is None and not self.settled:
                self._finish_alone()
        except PushStoppedError:
            self.incomplete = True
            self._finish_alone()
        except HostError as exc:
            self.incomplete = True
            self.counters.fail(str(exc))
            self._finish_alone()
        except BaseException as exc:
            self._abandon(exc)
            raise

        if self.finished is not None:
            # Collectors may be slow: no transaction is open when they are told.
            self._announce()
            self.context.collectors.run_finished(self.finished)

        return self.finished

    def _deliver_waiting(self) -> bool:
        """
        Deliver what was frozen before; False if some of it still waits.
        """
        self.sender.deliver(lambda _: None)

        return self._is_clear(parked=self.context.replaces_day)

    def _is_clear(self, *, parked: bool) -> bool:
        """
        Is nothing left to deliver, and may we go on?

        Args:
            parked: Whether what waits for an operator counts as left.
        """
        with self.context.store.reading() as connection:
            left = self.context.outbox.open_transactions(
                connection,
                self.context.location_id,
                self.business_date,
                parked=parked,
            )

        return left == 0 and not self.sender.is_over

    def _deliver_new(self) -> None:
        transactions = iter(self._read())
        first = next(transactions, None)
        self.context.failpoint("read")

        if first is None and not self.is_known and not self.counters.source_remarks:
            # The common case of a closed shop: no sale, no transaction.
            self.settled = True
            self.context.pending_visits.append((self.business_date, self.visited_at))
            return

        again = self._freeze(chain((first,) if first else (), transactions))
        self.context.failpoint("frozen")

        if again:
            # What changed is taken back first; what it became comes after it,
            # in this push or in the next.
            self.incomplete = True
            self.sender.deliver(lambda _: None)
            if self._is_clear(parked=True):
                self.incomplete = False
                self._freeze(self._read())
                self.context.failpoint("frozen")
            elif self.counters.failure is None:
                self.counters.fail(
                    "what changed is taken back; what it became goes with the next push"
                )

        if self.finished is None and not self.settled:
            self.sender.deliver(self._finish)

    def _read(self) -> Iterator[FrozenTransaction]:
        self.counters.misdated.clear()
        return read_transactions(self.context, self.business_date, self.counters)

    def _freeze(self, transactions: Iterable[FrozenTransaction]) -> bool:
        """
        Store what is new in batches, bytes and keys, before anything is sent.

        Returns:
            Whether instead only what changed is taken back, and all of it is
            to be asked for again.
        """
        context, day = self.context, (self.context.location_id, self.business_date)
        staging = context.outbox.staging

        with context.store.reading() as connection:
            staging.fill(connection, transactions)
            found = staging.compare(
                connection, *day, ids_are_global=context.client.profile.dedupe == "transaction_id"
            )
            faulty: Iterable[FrozenTransaction] = staging.faulty(connection)
            voids = self._voids(connection, found)
            drafts = self._drafts(connection)
            if context.replaces_day:
                whole = DayReplacement.of(context, connection, self.business_date, found)
                drafts = self._batches(whole.members, UNDIVIDED)
                found, faulty = list(whole.found), chain(faulty, whole.held)
            now = context.clock.now()

            with context.writing(connection) as transaction:
                if voids:
                    context.outbox.freeze(transaction, self._batches(voids, context.limits), now)
                    context.outbox.dates.clear_visit(transaction, *day)
                    return True

                context.outbox.freeze(transaction, drafts, now)
                self.counters.add_discrepancies(
                    context.outbox.quarantine.record_discrepancies(transaction, *day, found, now)
                )
                counted = self.counters.counting_quarantined(faulty)
                context.outbox.quarantine.add(transaction, *day, counted, now)

                if context.outbox.next_batch(transaction, *day, after=(0, -1)) is None:
                    self._finish(transaction)

        return False

    def _voids(self, connection: Any, found: Iterable[FoundDiscrepancy]) -> list[FrozenTransaction]:
        """
        What takes back those that changed or disappeared, if it shall.
        """
        if self.context.replaces_day or self.context.on_changed != "resend":
            return []

        ids = [one.id for one in found if one.kind is not DiscrepancyKind.ELSEWHERE]
        sent = self.context.outbox.effective(
            connection, self.context.location_id, self.business_date, ids
        )

        return [
            void(one, position=position, business_date=self.business_date)
            for position, one in enumerate(sent)
        ]

    def _drafts(self, connection: Any) -> Iterator[BatchDraft]:
        fresh = self.context.outbox.staging.fresh(
            connection, self.context.location_id, self.business_date
        )

        return self._batches(
            (corrected(one, self.business_date) for one in fresh), self.context.limits
        )

    def _batches(
        self, members: Iterable[FrozenTransaction], limits: BatchLimits
    ) -> Iterator[BatchDraft]:
        for batch in split_into_batches(members, limits):
            self.counters.add_remarks(batch)
            yield self.context.draft(self.business_date, batch)

    def _finish_alone(self) -> None:
        with self.context.writing() as transaction:
            self._finish(transaction)

    def _finish(self, transaction: Any) -> None:
        """
        Record the run and the visit in the transaction that is open.
        """
        day = (self.context.location_id, self.business_date)
        waiting = self.context.outbox.open_transactions(transaction, *day)
        self.counters.left += waiting

        if waiting and self.context.stopped():
            self.counters.fail("the push was stopped; what waits is delivered by the next one")

        self.settled = waiting == 0 and not self.incomplete

        if self.settled:
            self.context.outbox.dates.record(
                transaction, day[0], [(self.business_date, self.visited_at)]
            )
        if self.counters.has_content:
            self.finished = self.counters.finished_run(self.context.clock.now())
            self.context.store.runs.save(transaction, self.finished)

    def _announce(self) -> None:
        if not self.announced:
            self.announced = True
            self.context.collectors.run_started(self.counters.run)

    def _abandon(self, exc: BaseException) -> None:
        """
        Tell the collectors of a run that can't be recorded.
        """
        if self.announced or self.counters.has_content:
            self._announce()
            said = (
                str(exc) if isinstance(exc, ConexxusError) else f"unexpected {type(exc).__name__}"
            )
            self.counters.fail(said)
            self.context.collectors.run_finished(
                self.counters.finished_run(self.context.clock.now())
            )
