"""
One push of one business date: what waits, then what is new.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any

import attrs

from conexxus_client import ConexxusError, Transaction
from conexxus_sync._frozen import FrozenDraft, FrozenTransaction
from conexxus_sync.errors import HostError
from conexxus_sync.runs import SyncRun

from ._delivery import Deliverer
from ._desk import Desk
from ._drafts import BatchLimits, batches_of
from ._tally import Tally


HOLD_EVERY = 1_000


@attrs.define(kw_only=True)
class DayPush:
    """
    Pushes one business date, once.

    Attributes:
        known: Whether the store knows anything of the date.
        finished: The run as it was recorded; None if there was nothing to say.
        settled: Whether nothing is left to do until the date is due again.
    """

    desk: Desk
    business_date: date
    tally: Tally
    known: bool
    visited_at: datetime
    finished: SyncRun | None = None
    settled: bool = False
    host_failed: bool = False
    announced: bool = False
    deliverer: Deliverer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.deliverer = Deliverer(
            desk=self.desk,
            business_date=self.business_date,
            tally=self.tally,
            announce=self._announce,
        )

    @property
    def stop(self) -> bool:
        """
        Would sending more fare no better now?
        """
        return self.deliverer.stop

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
        except HostError as exc:
            self.host_failed = True
            self.tally.fail(str(exc))
            self._finish_alone()
        except BaseException as exc:
            self._abandon(exc)
            raise

        if self.finished is not None:
            self.desk.collectors.run_finished(self.finished)

        return self.finished

    def _deliver_waiting(self) -> bool:
        """
        Deliver what was frozen before; False if some of it still waits.
        """
        self.deliverer.deliver(lambda _: None)

        with self.desk.store.reading() as connection:
            left = self.desk.outbox.open_transactions(
                connection,
                self.desk.location_id,
                self.business_date,
                parked=self.desk.whole_days,
            )

        return left == 0 and not self.stop

    def _deliver_new(self) -> None:
        told = iter(self._told())
        first = next(told, None)
        self.desk.steps("read")

        if first is None and not self.known:
            # The common case of a closed shop: no sale, no transaction.
            self.settled = True
            self.desk.visited.append((self.business_date, self.visited_at))
            return

        self._freeze(chain((first,) if first else (), told))
        self.desk.steps("frozen")

        if self.finished is None and not self.settled:
            self.deliverer.deliver(self._finish)

    def _freeze(self, told: Iterable[FrozenTransaction]) -> None:
        """
        Store what is new in batches, bytes and keys, before anything is sent.
        """
        desk, day = self.desk, (self.desk.location_id, self.business_date)
        staging = desk.outbox.staging

        with desk.store.reading() as connection:
            staging.fill(connection, told)
            found = staging.compare(
                connection, *day, ids_are_global=desk.client.profile.dedupe == "transaction_id"
            )
            faulty = staging.faulty(connection)
            now = desk.clock.now()

            with desk.writing(connection) as transaction:
                self.tally.contradictions(
                    desk.outbox.aside.contradicted(transaction, *day, found, now)
                )
                desk.outbox.aside.quarantine(transaction, *day, faulty, now)
                self.tally.quarantined(faulty)
                desk.outbox.freeze(transaction, self._drafts(connection), now)

                if desk.outbox.next_batch(transaction, *day, after=(0, -1)) is None:
                    self._finish(transaction)

    def _drafts(self, connection: Any) -> Iterator[FrozenDraft]:
        location_id, staging = self.desk.location_id, self.desk.outbox.staging
        fresh = staging.fresh(connection, location_id, self.business_date)
        limits = self.desk.limits

        if self.desk.whole_days:
            # Only a new sale makes the day worth replacing.
            fresh = staging.whole(connection) if next(fresh, None) else iter(())
            limits = BatchLimits(transactions=2**63, bytes=2**63)

        for members in batches_of(fresh, limits):
            yield FrozenDraft.of(location_id, self.business_date, members)

    def _told(self) -> Iterator[FrozenTransaction]:
        """
        What the host tells of the date, as it comes.
        """
        for position, transaction in enumerate(self._host()):
            if position % HOLD_EVERY == 0:
                self.desk.hold()
            yield FrozenTransaction.of(
                transaction, position=position, business_date=self.business_date
            )

    def _host(self) -> Iterator[Transaction]:
        """
        Raises:
            HostError: Whatever the host raised.
        """
        try:
            told: Any
            for told in self.desk.orders.transactions(self.desk.location_id, self.business_date):
                if not isinstance(told, Transaction):
                    msg = f"it gave a {type(told).__name__} instead of a Transaction"
                    raise TypeError(msg)
                yield told
        except HostError:
            raise
        except Exception as exc:
            msg = (
                f"the order source failed for business date {self.business_date}: "
                f"{type(exc).__name__}: {exc}"
            )
            raise HostError(msg) from exc

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
        self.settled = waiting == 0 and not self.host_failed

        if self.settled:
            self.desk.outbox.dates.record(
                transaction, day[0], [(self.business_date, self.visited_at)]
            )
        if self.tally.has_news:
            self._announce()
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
        if self.announced:
            said = (
                str(exc) if isinstance(exc, ConexxusError) else f"unexpected {type(exc).__name__}"
            )
            self.tally.fail(said)
            self.desk.collectors.run_finished(self.tally.finished(self.desk.clock.now()))
