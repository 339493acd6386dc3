"""
Manual settlement of batches and quarantined sales by an operator.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import attrs

from conexxus_client import ApiProfile, ClientConfig
from conexxus_sync.model.calendar import plain_date
from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.runs import new_run_id
from conexxus_sync.model.sales import OPEN_STATES, Batch, OutboxError, SendMoment
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.clock import uptime_of
from conexxus_sync.stores._store_protocols import SyncStore

from ._delivery_outcome import parking_reason
from ._key_age import key_age, unknown_since
from ._profile_check import ProfileCheck


@attrs.frozen(kw_only=True)
class OutboxOperator:
    """
    Settles by hand what the engine can't settle: each under the lease of the
    pushes, so that none is at work meanwhile.

    Attributes:
        profile: What the back office does with sales.
        client_config: Where the back office is; None if that is not known.
        profile_named: Whether somebody chose the profile.
    """

    store: SyncStore
    location_id: str
    clock: Clock
    profile: ApiProfile = attrs.field(factory=ApiProfile)
    client_config: ClientConfig | None = None
    profile_named: bool = True
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
            ConfigurationError: Sales were pushed with another profile.
            OutboxError: Its fate is known, or it could be doubled.
            RunInProgressError: A push is at work.
        """
        with self._writing() as transaction:
            self.profile_check.refuse_other()
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
                    replaces_day=self._replaces_day(transaction),
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
            ConfigurationError: Sales were pushed with another profile.
            RunInProgressError: A push is at work.
        """
        business_date = plain_date(business_date)
        outbox, location_id = self.store.outbox, self.location_id

        with self._writing() as transaction:
            self.profile_check.refuse_other()
            was_there = outbox.quarantine.release(
                transaction, location_id, business_date, transaction_id
            )
            if was_there:
                outbox.dates.clear_visit(transaction, location_id, business_date)

        return was_there

    def change_profile(self) -> int:
        """
        Push with this profile from now on, whatever was kept.

        What waits and never arrived is frozen anew where a push replaces its
        day from now on, or no longer does: its bytes are a whole day, or are
        not.

        Returns:
            How many batches are frozen anew.

        Raises:
            OutboxError: It is unknown whether a batch arrived.
            RunInProgressError: A push is at work.
        """
        outbox, given = self.store.outbox, self.profile_check.given

        with self._writing() as transaction:
            waiting, now = self._waiting(), self.clock.now()
            kept = outbox.profiles.kept(transaction, self.location_id)
            outbox.profiles.keep(transaction, self.location_id, given, now, replace=True)

            if kept is not None and kept.replaces_day == given.replaces_day:
                return 0

            for batch in waiting:
                answer = "the profile of the back office changed; frozen anew"
                outbox.maintenance.give_up(transaction, batch, answer=answer, now=now)
                outbox.dates.clear_visit(transaction, self.location_id, batch.business_date)

        return len(waiting)

    def _waiting(self) -> list[Batch]:
        """
        The open batches, of which none may have arrived.

        Raises:
            OutboxError: One may.
        """
        found = self.store.outbox.batches(self.location_id, OPEN_STATES, limit=-1)
        unknown = [batch for batch in found if unknown_since(batch) is not None]

        if unknown:
            keys, first = ", ".join(b.short_key for b in unknown[:3]), unknown[0].short_key
            msg = (
                f"it is unknown whether {counted(len(unknown), 'batch', 'batches')} of sales "
                f"arrived ({keys}): ask the back office of before, and settle each before the "
                f"profile is changed: `conexxus outbox resolve {first} --delivered`, "
                "or --not-delivered"
            )
            raise OutboxError(msg)

        return found

    @property
    def profile_check(self) -> ProfileCheck:
        """
        Whether the profile is the one of the pushes so far.
        """
        return ProfileCheck(
            store=self.store,
            location_id=self.location_id,
            given=DeliveryProfile.of(self.profile, self.client_config),
            named=self.profile_named,
        )

    def _replaces_day(self, transaction: Any) -> bool:
        """
        Did the batches replace their day?  What is kept says it better than
        what is given: nothing is sent, so another is not refused.
        """
        kept = self.store.outbox.profiles.kept(transaction, self.location_id)

        return (kept or self.profile_check.given).replaces_day

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
