"""
Manual settlement of batches and quarantined sales by an operator.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import attrs

from conexxus_client import ApiProfile, ClientConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.model.calendar import plain_date
from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.sales import (
    OPEN_STATES,
    Batch,
    OperatorAction,
    OutboxError,
    QuarantinedTransaction,
    SendMoment,
)
from conexxus_sync.runtime.clock import uptime_of
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import State
from conexxus_sync.stores._database import NO_LIMIT

from ._delivery_outcome import parking_reason
from ._key_age import key_age, unknown_since
from ._ledger import refuse_closed
from ._profile_check import ProfileCheck, change_profile


_log = safe_logger(__name__)


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

    context: EngineContext
    profile: ApiProfile = attrs.field(factory=ApiProfile)
    client_config: ClientConfig | None = None
    profile_named: bool = True

    def find(self, key: str) -> Batch:
        """
        The batch with this key, or the only one whose key begins like it.

        Raises:
            OutboxError: There is none, or there are several.
        """
        with self.context.store.read() as state:
            found = state.outbox_maintenance.find(key)

        if len(found) == 1:
            return found[0]

        why = "several batches have keys that begin with" if found else "no batch has the key"
        msg = f"{why} {key}: see `conexxus outbox list`"
        raise OutboxError(msg)

    def undecided(self, business_date: date | None = None) -> list[Batch]:
        """
        The batches of unknown fate, of one date or of all, oldest date first.
        """
        with self.context.store.read() as state:
            return state.outbox_maintenance.undecided(business_date)

    def resend(self, key: str, *, force: bool = False, reason: str | None = None) -> Batch:
        """
        Let the next push send a batch again: the same bytes, the same key.

        Args:
            force: Even where the back office may not recognise the repetition.
            reason: For the record.

        Raises:
            ConfigurationError: Sales were pushed with another profile.
            OutboxError: Its fate is known, or it could be doubled.
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            self.profile_check.refuse_other(state)
            batch = self._open(key)
            danger = self._danger(batch)

            if danger is not None and not force:
                msg = (
                    f"batch {batch.key} may be at the back office already, and sent again it could "
                    f"be doubled: {danger}. Ask whether it has them, then `conexxus outbox resolve "
                    f"{batch.short_key} --delivered`, or --not-delivered; or --force"
                )
                raise OutboxError(msg)

            self._resend(state, batch, danger, reason)

        return self.find(batch.key)

    def resend_all(
        self,
        business_date: date | None = None,
        *,
        force: bool = False,
        reason: str | None = None,
    ) -> list[Batch]:
        """
        Let the next push send all parked batches again that can't be doubled.

        Args:
            business_date: Of this date alone.
            force: Those, too, that could be doubled.

        Returns:
            Those that are sent again.

        Raises:
            ConfigurationError: Sales were pushed with another profile.
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            self.profile_check.refuse_other(state)
            sent = []
            for batch in self.undecided(business_date):
                danger = self._danger(batch)
                if danger is None or force:
                    self._resend(state, batch, danger, reason)
                    sent.append(batch)

        return [self.find(batch.key) for batch in sent]

    def resolve(self, key: str, *, delivered: bool, reason: str | None = None) -> Batch:
        """
        Settle a batch as the back office said on the telephone.

        Args:
            delivered: Whether it has the sales.  If not, they are frozen
                anew, in halves and under other keys, by the next push of
                their date.
            reason: For the record.

        Raises:
            DateClosedError: It was not delivered, and its date takes no push
                any more.
            OutboxError: Its fate is known.
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            batch = self._open(key)
            self._resolve(state, batch, reason, delivered=delivered)

        return self.find(batch.key)

    def resolve_all(
        self, business_date: date | None = None, *, delivered: bool, reason: str | None = None
    ) -> list[Batch]:
        """
        Settle all batches of unknown fate alike, of one date or of all.

        Raises:
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            batches = self.undecided(business_date)
            for batch in batches:
                self._resolve(state, batch, reason, delivered=delivered)

        return [self.find(batch.key) for batch in batches]

    def replay(
        self, business_date: date, transaction_id: str, *, reason: str | None = None
    ) -> bool:
        """
        Let a transaction out of quarantine: the next push of its date takes
        it as if it had never been seen.

        Returns:
            Whether it was there.

        Raises:
            ConfigurationError: Sales were pushed with another profile.
            DateClosedError: Its date takes no push any more.
            RunInProgressError: A push is at work.
        """
        business_date = plain_date(business_date)

        with self._writing() as state:
            self.profile_check.refuse_other(state)
            return self._replay(state, business_date, transaction_id, reason)

    def replay_all(
        self, business_date: date | None = None, *, reason: str | None = None
    ) -> list[QuarantinedTransaction]:
        """
        Release all transactions from quarantine that were not dismissed, of
        one date or of all; those of a closed date stay.

        Raises:
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            self.profile_check.refuse_other(state)
            found = [
                sale
                for sale in self.quarantined(business_date)
                if state.sales_dates.closed(sale.business_date) is None
            ]
            for sale in found:
                self._replay(state, sale.business_date, sale.id, reason, dismissed=False)

        return found

    def quarantined(self, business_date: date | None = None) -> list[QuarantinedTransaction]:
        """
        The transactions that were set aside, of one date or of all.
        """
        with self.context.store.read() as state:
            found = state.sales_quarantine.transactions(NO_LIMIT)

        return [sale for sale in found if business_date in (None, sale.business_date)]

    def dismiss(
        self, business_date: date, transaction_id: str, *, reason: str | None = None
    ) -> bool:
        """
        Settle a transaction in quarantine for good: it is not sent, and asks
        for nothing any more.  `replay` takes that back.

        Returns:
            Whether it was there, and not dismissed before.

        Raises:
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            action = self._action(transaction_id, business_date, "dismissed", reason)
            done = state.operator_actions.dismiss(action)
            if done:
                self._record(state, action)

        return done

    def accept_discrepancy(self, transaction_id: str, *, reason: str | None = None) -> list[date]:
        """
        Take as delivered what the host now returns for a delivered transaction: it
        asks for nothing any more, until the host returns something else.

        Returns:
            The dates on which it was one.

        Raises:
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            dates = state.operator_actions.accept_discrepancies(
                transaction_id, self.context.clock.now()
            )
            for day in dates:
                action = self._action(transaction_id, day, "discrepancy accepted", reason)
                self._record(state, action)

        return dates

    def _resend(self, state: State, batch: Batch, danger: str | None, reason: str | None) -> None:
        state.outbox_maintenance.unpark(batch, forced=danger is not None)
        what = "sent again" if danger is None else "sent again by force"
        self._record(state, self._action(batch.key, batch.business_date, what, reason))

    def _resolve(self, state: State, batch: Batch, reason: str | None, *, delivered: bool) -> None:
        now, replaces_day = self.context.clock.now(), self._replaces_day(state)

        if delivered:
            answer = "delivered, says an operator"
            state.outbox.mark_delivered(batch, replaces_day=replaces_day, answer=answer, now=now)
        else:
            refuse_closed(state, batch.business_date)
            answer = "not delivered, says an operator"
            state.outbox_maintenance.give_up(batch, answer=answer, now=now)
        if replaces_day or not delivered:
            # Of a day that is replaced, new sales waited for this, past the last look.
            state.sales_dates.clear_visit(batch.business_date)

        what = "resolved as delivered" if delivered else "resolved as not delivered"
        self._record(state, self._action(batch.key, batch.business_date, what, reason))

    def _replay(
        self,
        state: State,
        business_date: date,
        name: str,
        reason: str | None,
        *,
        dismissed: bool = True,
    ) -> bool:
        refuse_closed(state, business_date)
        was_there = state.sales_quarantine.release(business_date, name, dismissed=dismissed)

        if was_there:
            state.sales_dates.clear_visit(business_date)
            self._record(state, self._action(name, business_date, "replayed", reason))

        return was_there

    def change_profile(self) -> int:
        """
        Push with this profile from now on, whatever was kept.

        What waits and never arrived is frozen anew where a push replaces its
        day from now on, or no longer does: its bytes are a whole day, or are
        not. Likewise where ids are recognised from now on: several registers
        may have used one.

        Returns:
            How many batches are frozen anew.

        Raises:
            OutboxError: It is unknown whether a batch arrived.
            RunInProgressError: A push is at work.
        """
        with self._writing() as state:
            return change_profile(state, self.profile_check.given, now=self.context.clock.now())

    @property
    def profile_check(self) -> ProfileCheck:
        """
        Whether the profile is the one of the pushes so far.
        """
        return ProfileCheck(
            store=self.context.store,
            given=DeliveryProfile.of(self.profile, self.client_config),
            named=self.profile_named,
        )

    def _replaces_day(self, state: State) -> bool:
        """
        Did the batches replace their day?  What is kept says it better than
        what is given: nothing is sent, so another is not refused.
        """
        kept = state.sales_profiles.kept()

        return (kept or self.profile_check.given).replaces_day

    def _action(
        self, subject: str, business_date: date, what: str, reason: str | None
    ) -> OperatorAction:
        return OperatorAction(
            subject=subject,
            business_date=business_date,
            action=what,
            reason=reason,
            at=self.context.clock.now(),
        )

    def _record(self, state: State, action: OperatorAction) -> None:
        state.operator_actions.record(action)
        _log.info(
            "Conexxus sales were settled by an operator",
            extra={
                "action": action.action,
                "subject": action.subject,
                "business_date": action.business_date.isoformat(),
                "reason": action.reason,
            },
        )

    def _danger(self, batch: Batch) -> str | None:
        now = self.context.clock.now()
        here = SendMoment(
            at=now, boot=self.context.store.boot, uptime=uptime_of(self.context.clock)()
        )

        return parking_reason(unknown_since(batch), now, self.profile, key_age=key_age(batch, here))

    def _open(self, key: str) -> Batch:
        batch = self.find(key)

        if batch.state not in OPEN_STATES:
            msg = f"batch {batch.key} is {batch.state.value}: its fate is known"
            raise OutboxError(msg)

        return batch

    @contextmanager
    def _writing(self) -> Iterator[State]:
        with (
            self.context.store.keep_open(),
            self.context.leased("sales") as lease,
            self.context.store.write(lease) as state,
        ):
            yield state
