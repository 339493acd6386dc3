"""
Manual settlement of batches and quarantined sales by an operator.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import attrs

from conexxus_client import ApiProfile
from conexxus_sync.model.runs import new_run_id
from conexxus_sync.model.sales import OPEN_STATES, Batch, OutboxError, SendMoment
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.clock import uptime_of
from conexxus_sync.stores._store_protocols import SyncStore

from ._delivery_outcome import parking_reason
from ._key_age import key_age, unknown_since


@attrs.frozen(kw_only=True)
class OutboxOperator:
    """
    Settles by hand what the engine can't settle: each under the lease of the
    pushes, so that none is at work meanwhile.

    Attributes:
        profile: What the back office does with sales.
    """

    store: SyncStore
    location_id: str
    clock: Clock
    profile: ApiProfile = attrs.field(factory=ApiProfile)
    new_id: Callable[[datetime], str] = new_run_id

    def find(self, key: str) -> Batch:
        """
        The batch with this key, or the only one whose key begins like it.

        Raises:
            OutboxError: There is none, or there are several.
        """
        found = self.store.outbox.maintenance.find(self.location_id, key)

        if len(found) == 1:
            return found[0]

        why = "several batches have keys that begin with" if found else "no batch has the key"
        msg = f"{why} {key}: see `conexxus outbox list`"
        raise OutboxError(msg)

    def resend(self, key: str, *, force: bool = False) -> Batch:
        """
        Let the next push send a batch again: the same bytes, the same key.

        Args:
            force: Even where the back office may not recognise the repetition.

        Raises:
            OutboxError: Its fate is known, or it could be doubled.
            RunInProgressError: A push is at work.
        """
        with self._writing() as transaction:
            batch = self._open(key)
            danger = self._danger(batch)

            if danger is not None and not force:
                msg = (
                    f"batch {batch.key} may be at the back office already, and sent again it could "
                    f"be doubled: {danger}. Ask whether it has the sales, then "
                    "`conexxus outbox resolve`; or --force"
                )
                raise OutboxError(msg)

            self.store.outbox.maintenance.unpark(transaction, batch, forced=danger is not None)

        return self.find(batch.key)

    def resolve(self, key: str, *, delivered: bool) -> Batch:
        """
        Settle a batch as the back office said on the telephone.

        Args:
            delivered: Whether it has the sales.  If not, they are frozen
                anew, under another key, by the next push of their date.

        Raises:
            OutboxError: Its fate is known.
            RunInProgressError: A push is at work.
        """
        outbox = self.store.outbox

        with self._writing() as transaction:
            batch, now = self._open(key), self.clock.now()

            if delivered:
                outbox.mark_delivered(
                    transaction,
                    batch,
                    replaces_day=self.profile.sales_mode == "replace_day",
                    answer="delivered, says an operator",
                    now=now,
                )
            else:
                answer = "not delivered, says an operator"
                outbox.maintenance.give_up(transaction, batch, answer=answer, now=now)
                outbox.dates.clear_visit(transaction, self.location_id, batch.business_date)

        return self.find(batch.key)

    def replay(self, business_date: date, transaction_id: str) -> bool:
        """
        Let a transaction out of quarantine: the next push of its date takes
        it as if it had never been seen.

        Returns:
            Whether it was there.

        Raises:
            RunInProgressError: A push is at work.
        """
        outbox, location_id = self.store.outbox, self.location_id

        with self._writing() as transaction:
            was_there = outbox.quarantine.release(
                transaction, location_id, business_date, transaction_id
            )
            if was_there:
                outbox.dates.clear_visit(transaction, location_id, business_date)

        return was_there

    def _danger(self, batch: Batch) -> str | None:
        now = self.clock.now()
        here = SendMoment(at=now, boot=self.store.boot, uptime=uptime_of(self.clock))

        return parking_reason(unknown_since(batch), now, self.profile, key_age=key_age(batch, here))

    def _open(self, key: str) -> Batch:
        batch = self.find(key)

        if batch.state not in OPEN_STATES:
            msg = f"batch {batch.key} is {batch.state.value}: its fate is known"
            raise OutboxError(msg)

        return batch

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        now = self.clock.now()
        lease = self.store.leases.acquire(self.location_id, "sales", self.new_id(now), now)

        try:
            with self.store.writing(lease) as transaction:
                yield transaction
        finally:
            self.store.leases.release(lease)
