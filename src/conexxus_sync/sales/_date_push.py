"""
One push of one business date: what waits, then what is new.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.errors import HostError
from conexxus_sync.model.frozen import FrozenDraft, FrozenTransaction
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.model.sales import DiscrepancyKind, Found

from ._batch_sender import Deliverer
from ._batching import BatchLimits, batches_of
from ._corrections import revised, void_of
from ._order_reader import told_of
from ._push_context import Desk, StoppedError
from ._replace_day import UNDIVIDED, WholeDay
from ._run_counters import Tally


@attrs.define(kw_only=True)
class DayPush:
    """
    Pushes one business date, once.

    Attributes:
        known: Whether the store knows anything of the date.
        patience: How many unknown fates in a row it puts up with.
        finished: The run as it was recorded; None if there was nothing to say.
        untold: Whether the host did not tell all of it.
        settled: Whether nothing is left to do until the date is due again.
    """

    desk: Desk
    business_date: date
    tally: Tally
    known: bool
    visited_at: datetime
    patience: int
    finished: SyncRun | None = None
    settled: bool = False
    untold: bool = False
    announced: bool = False
    deliverer: Deliverer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.deliverer = Deliverer(
            desk=self.desk,
            business_date=self.business_date,
            tally=self.tally,
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
            if not self.known or self._deliver_waiting():
                self._deliver_new()
            if self.finished is None and not self.settled:
                self._finish_alone()
        except StoppedError:
            self.untold = True
            self._finish_alone()
        except HostError as exc:
            self.untold = True
            self.tally.fail(str(exc))
            self._finish_alone()
        except BaseException as exc:
            self._abandon(exc)
            raise

        if self.finished is not None:
            # Collectors may be slow: no transaction is open when they are told.
            self._announce()
            self.desk.collectors.run_finished(self.finished)

        return self.finished

    def _deliver_waiting(self) -> bool:
        """
        Deliver what was frozen before; False if some of it still waits.
        """
        self.deliverer.deliver(lambda _: None)

        return self._is_clear(parked=self.desk.whole_days)

    def _is_clear(self, *, parked: bool) -> bool:
        """
        Is nothing left to deliver, and may we go on?

        Args:
            parked: Whether what waits for an operator counts as left.
        """
        with self.desk.store.reading() as connection:
            left = self.desk.outbox.open_transactions(
                connection,
                self.desk.location_id,
                self.business_date,
                parked=parked,
            )

        return left == 0 and not self.deliverer.is_over

    def _deliver_new(self) -> None:
        told = iter(told_of(self.desk, self.business_date))
        first = next(told, None)
        self.desk.steps("read")

        if first is None and not self.known:
            # The common case of a closed shop: no sale, no transaction.
            self.settled = True
            self.desk.visited.append((self.business_date, self.visited_at))
            return

        again = self._freeze(chain((first,) if first else (), told))
        self.desk.steps("frozen")

        if again:
            # What changed is taken back first; what it became comes after it,
            # in this push or in the next.
            self.untold = True
            self.deliverer.deliver(lambda _: None)
            if self._is_clear(parked=True):
                self.untold = False
                self._freeze(told_of(self.desk, self.business_date))
                self.desk.steps("frozen")
            elif self.tally.failure is None:
                self.tally.fail(
                    "what changed is taken back; what it became goes with the next push"
                )

        if self.finished is None and not self.settled:
            self.deliverer.deliver(self._finish)

    def _freeze(self, told: Iterable[FrozenTransaction]) -> bool:
        """
        Store what is new in batches, bytes and keys, before anything is sent.

        Returns:
            Whether instead only what changed is taken back, and all of it is
            to be asked for again.
        """
        desk, day = self.desk, (self.desk.location_id, self.business_date)
        staging = desk.outbox.staging

        with desk.store.reading() as connection:
            staging.fill(connection, told)
            found = staging.compare(
                connection, *day, ids_are_global=desk.client.profile.dedupe == "transaction_id"
            )
            faulty = staging.faulty(connection)
            voids = self._voids(connection, found)
            drafts = self._drafts(connection)
            if desk.whole_days:
                whole = WholeDay.of(desk, connection, self.business_date, found)
                drafts = self._batches(whole.members, UNDIVIDED)
                found, faulty = list(whole.found), [*faulty, *whole.held]
            now = desk.clock.now()

            with desk.writing(connection) as transaction:
                if voids:
                    desk.outbox.freeze(transaction, self._batches(voids, desk.limits), now)
                    desk.outbox.dates.forget(transaction, *day)
                    return True

                desk.outbox.freeze(transaction, drafts, now)
                self.tally.contradictions(
                    desk.outbox.aside.contradicted(transaction, *day, found, now)
                )
                desk.outbox.aside.quarantine(transaction, *day, faulty, now)
                self.tally.quarantined(faulty)

                if desk.outbox.next_batch(transaction, *day, after=(0, -1)) is None:
                    self._finish(transaction)

        return False

    def _voids(self, connection: Any, found: Iterable[Found]) -> list[FrozenTransaction]:
        """
        What takes back those that changed or disappeared, if it shall.
        """
        if self.desk.whole_days or self.desk.on_changed != "resend":
            return []

        ids = [one.id for one in found if one.kind is not DiscrepancyKind.ELSEWHERE]
        sent = self.desk.outbox.effective(
            connection, self.desk.location_id, self.business_date, ids
        )

        return [
            void_of(one, position=position, business_date=self.business_date)
            for position, one in enumerate(sent)
        ]

    def _drafts(self, connection: Any) -> Iterator[FrozenDraft]:
        fresh = self.desk.outbox.staging.fresh(
            connection, self.desk.location_id, self.business_date
        )

        return self._batches((revised(one, self.business_date) for one in fresh), self.desk.limits)

    def _batches(
        self, members: Iterable[FrozenTransaction], limits: BatchLimits
    ) -> Iterator[FrozenDraft]:
        for batch in batches_of(members, limits):
            self.tally.frozen(batch)
            yield self.desk.draft(self.business_date, batch)

    def _finish_alone(self) -> None:
        with self.desk.writing() as transaction:
            self._finish(transaction)

    def _finish(self, transaction: Any) -> None:
        """
        Record the run and the visit in the transaction that is open.
        """
        day = (self.desk.location_id, self.business_date)
        waiting = self.desk.outbox.open_transactions(transaction, *day)
        self.tally.left += waiting

        if waiting and self.desk.stopped():
            self.tally.fail("the push was stopped; what waits is delivered by the next one")

        self.settled = waiting == 0 and not self.untold

        if self.settled:
            self.desk.outbox.dates.record(
                transaction, day[0], [(self.business_date, self.visited_at)]
            )
        if self.tally.has_news:
            self.finished = self.tally.finished(self.desk.clock.now())
            self.desk.store.runs.save(transaction, self.finished)

    def _announce(self) -> None:
        if not self.announced:
            self.announced = True
            self.desk.collectors.run_started(self.tally.run)

    def _abandon(self, exc: BaseException) -> None:
        """
        Tell the collectors of a run that can't be recorded.
        """
        if self.announced or self.tally.has_news:
            self._announce()
            said = (
                str(exc) if isinstance(exc, ConexxusError) else f"unexpected {type(exc).__name__}"
            )
            self.tally.fail(said)
            self.desk.collectors.run_finished(self.tally.finished(self.desk.clock.now()))
