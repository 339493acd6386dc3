"""
`SalesPush`: takes the lease, decides the start date, pushes what is due.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.engines import EngineContext, ignore
from conexxus_sync.model.calendar import plain_date
from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.protocols import OrderSource
from conexxus_sync.runtime.cancellation import interruptible

from ._adoption import Adoption, adopt
from ._backlog import BacklogPush, PushProgress
from ._backoff import A_DAY_S, Backoff
from ._clock_check import RELEASED, ClockProblem
from ._due_dates import HeldDates, StartDate
from ._ledger import SalesLedger, refuse_closed
from ._profile_check import ProfileCheck
from ._push_context import PushContext, SalesClient
from ._push_warnings import WARN_EVERY, PushWarnings
from ._run_counters import empty_run
from ._source_watch import HangingSource, SourceWatch
from ._store_age import StoreAge
from ._trickle_push import refuse_replaced_days


@attrs.define(kw_only=True)
class SalesPush:
    """
    Delivers each sale exactly once in effect, on its own business date.

    What is due comes from the store: a date that was missed is caught up,
    oldest first, and a clock that shows the push time twice changes nothing.

    Attributes:
        profile_named: Whether somebody chose the client's profile; a default
            is refused where the store does not say which one it was so far.
        released: When this version was: an earlier clock is wrong.
        watch: Since when the order source is asked.
        profile_check: Whether the client's profile is the one of the pushes so far.
    """

    client: SalesClient
    context: EngineContext
    orders: OrderSource
    profile_named: bool = True
    released: datetime = RELEASED
    watch: SourceWatch = attrs.field(init=False)
    profile_check: ProfileCheck = attrs.field(init=False)
    _backoff: Backoff = attrs.field(factory=Backoff, init=False)
    _purged: float | None = attrs.field(default=None, init=False)
    _warnings: PushWarnings = attrs.field(factory=PushWarnings, init=False)

    @watch.default
    def _new_watch(self) -> SourceWatch:
        return SourceWatch(self.context.clock)

    @profile_check.default
    def _new_profile_check(self) -> ProfileCheck:
        return ProfileCheck(
            store=self.context.store,
            # A host's own client may have no address.
            given=DeliveryProfile.of(self.client.profile, getattr(self.client, "config", None)),
            named=self.profile_named,
        )

    def __attrs_post_init__(self) -> None:
        refuse_replaced_days(self.client, is_on=self.context.config.push_every is not None)

    @property
    def hanging_source(self) -> HangingSource | None:
        """
        The order source, if it was asked five minutes ago and has not returned.
        """
        return self.watch.hanging()

    @property
    def ledger(self) -> SalesLedger:
        """
        What the store and the calendar say about business dates.

        Raises:
            ConfigurationError: The store's zone is not configured.
        """
        return SalesLedger.of(self.context.store, self.context.config)

    @property
    def store_age(self) -> StoreAge:
        """
        Whether the store has all that was sent.
        """
        return StoreAge(store=self.context.store)

    @property
    def retry_at(self) -> datetime | None:
        """
        When to try again after a push that did not settle; None if all is well.
        """
        left = self._backoff.left(self.context.clock.monotonic())
        return None if left is None else self.context.clock.now() + left

    def acquire(self) -> Lease:
        """
        Take the lease for a push that `push` then makes.

        Raises:
            RunInProgressError: Another push is at work.
            StoreError: The store can't be used.
        """
        return self.context.acquire("sales")

    def push(
        self,
        business_date: date | None = None,
        *,
        since: date | None = None,
        honour_past: bool = False,
        automatic: bool | None = None,
        accept_changes: bool = False,
        progress: Callable[[PushProgress], None] = ignore,
        lease: Lease | None = None,
    ) -> list[SyncRun]:
        """
        Push all that is due, or *business_date*, due or not.

        Args:
            since: First business date to look at, instead of the configured.
            honour_past: Whether a fresh store may push dates before today,
                because a person asked for it.
            automatic: Whether the scheduler started it; then nothing is
                pushed while the clock looks wrong.  If not given, so is every
                push without a date that does not honour the past.
            accept_changes: Whether all that changed or is gone of
                *business_date* is taken back, and sent as it is now,
                whatever the guards say, and `on_changed`.
            progress: Told after each date.
            lease: From `acquire`; the first run has its id.  If there is
                none, an empty run is recorded under that id, for the caller
                that got it; it is in no history.

        Returns:
            A run for each date with something to send or to say, oldest
            first.

        Raises:
            ConfigurationError: The store's zone is not configured, sales
                were pushed with another profile, changes are
                accepted without a date, or the store was restored from a backup.
            DateClosedError: *business_date* no longer takes a push.
            RunInProgressError: Another push is at work.
            StoreError: The store can't be used.
            ValueError: A date is a moment, or no date.
        """
        # SQLite empties its log when the last connection closes: as long as one
        # is open, a date costs no more flushes than commits.
        try:
            with self.context.store.keep_open():
                return self._push(
                    None if business_date is None else plain_date(business_date),
                    None if since is None else plain_date(since),
                    honour_past=honour_past,
                    automatic=automatic,
                    accept_changes=accept_changes,
                    progress=progress,
                    lease=lease,
                )
        except BaseException:
            # Whatever is wrong before the push begins; later, it is given back already.
            if lease is not None:
                self.context.release(lease)
            raise

    def _push(
        self,
        business_date: date | None,
        since: date | None,
        *,
        honour_past: bool,
        automatic: bool | None,
        accept_changes: bool,
        progress: Callable[[PushProgress], None],
        lease: Lease | None,
    ) -> list[SyncRun]:
        ledger = self.ledger
        clock_problem = ledger.clock_problem(self.context.clock.now(), self.released)

        if accept_changes and business_date is None:
            raise ConfigurationError(["changes are accepted of one business date: name it"])
        if automatic is None:
            automatic = business_date is None and not honour_past
        reason = (clock_problem or self.store_age.restored()) if automatic else None
        if automatic:
            self._warnings.nothing_is_pushed(reason, self.context.clock.monotonic())
        if reason is not None:
            if lease is not None:
                self.context.release(lease)
            return []

        with (
            self._leased(ledger, lease, accept_changes=accept_changes) as context,
            self.context.store.read() as stored,
        ):
            self.store_age.refuse_restored(stored)
            context.profile_check.refuse_other(stored)
            if business_date is not None:
                refuse_closed(stored, business_date)

            lagged = clock_problem is not None and clock_problem.last_run is not None
            if lagged and business_date is None:
                # A person who asks for what is due by this clock believes it.
                with context.writing() as state:
                    state.sales_dates.trust_clock()

            start_date = self._begin(
                context, ledger, since, honour_past=honour_past, record=clock_problem is None
            )

            if business_date is None:
                now = self.context.clock.now()
                known = ledger.dates(start_date, now)
                dates, context.watermark = known.due(now), known.watermark(now)
                looks = known.looks(now, at_once=not automatic)
            else:
                dates, looks = [business_date], []

            if looks:
                # If it fails, or dies, it waits for the next all the same.
                with context.writing() as state:
                    state.sales_looks.begin(now, looks[0])

            rounds = BacklogPush(context=context, progress=progress, looks=frozenset(looks))
            runs = rounds.push(stored, [*dates, *looks], context.lease.run_id)
            context.failpoint("visited")
            if lease is not None and not runs:
                run = empty_run(
                    lease, business_date, self.context.clock.now(), stopped=context.stopped()
                )
                with context.writing() as state:
                    state.runs.save(run, listed=False)
            self._backoff.note(
                self.context.clock.monotonic(),
                settled=rounds.settled,
                retry_after=rounds.retry_after,
            )
            self._purge(context)

            return runs

    def adopt(self, through: date) -> Adoption:
        """
        Take what the host has up to *through* for delivered by something
        else, and close the dates before the lookback.

        Raises:
            ConfigurationError: That date is yet to come, or the store's zone
                is not configured.
            HostError: The host failed; what it returned before is adopted.
            RunInProgressError: A push is at work.
            StoreError: The store can't be used.
            SyncError: It was stopped; done again, it does the rest.
        """
        through = plain_date(through)
        ledger = self.ledger
        today = ledger.calendar.business_date(self.context.clock.now())

        if through > today:
            msg = f"{through} is yet to come, today's business date is {today}: name a past one"
            raise ConfigurationError([msg])

        with self.context.store.keep_open(), self._leased(ledger) as context:
            return adopt(context, through)

    def close_day(self, business_date: date) -> list[SyncRun]:
        """
        Push *business_date* now: the till's own end of day.

        What is sold after it is found at the push time and at the tail.
        """
        return self.push(business_date)

    def due(self, now: datetime) -> list[date]:
        """
        The business dates that are due, oldest first.
        """
        ledger = self.ledger
        return ledger.dates(ledger.start_date(now), now).due(now)

    def next_due(self, now: datetime) -> datetime:
        """
        When to push next; not after *now* if that is at once.

        A fresh store is pushed at once, to remember where it began: at the
        push time it would be too late for today.
        """
        ledger = self.ledger

        # To open a connection costs more than all that is asked.
        with self.context.store.keep_open():
            if self.clock_problem(now) is not None:
                return now + WARN_EVERY

            start_date = ledger.start_date(now)
            moment = (
                now
                if start_date.record is not None
                else ledger.dates(start_date, now).next_due(now)
            )

        left = self._backoff.left(self.context.clock.monotonic())

        return moment if left is None else max(moment, now + left)

    def clock_problem(self, now: datetime) -> ClockProblem | None:
        """
        Why nothing is pushed automatically: the clock can't be right; None if
        it can.
        """
        return self.ledger.clock_problem(now, self.released)

    def held(self, now: datetime) -> HeldDates | None:
        """
        Past dates that are not pushed without being asked to.
        """
        return self.ledger.start_date(now).held

    def _begin(
        self,
        context: PushContext,
        ledger: SalesLedger,
        since: date | None,
        *,
        honour_past: bool,
        record: bool,
    ) -> StartDate:
        """
        Decide where to begin, and remember it.

        Args:
            record: Whether the clock can be believed.
        """
        now = self.context.clock.now()
        start_date = ledger.start_date(now, since, honour_past=honour_past)

        self._warnings.held(start_date.held)

        if start_date.record is not None and record:
            with context.writing() as state:
                state.sales_dates.set_start_date(start_date.record, now)

        return start_date

    def _purge(self, context: PushContext) -> None:
        """
        Purge what is old, once a day.
        """
        now = self.context.clock.monotonic()

        if self._purged is None or now - self._purged >= A_DAY_S:
            self._purged = now
            context.purge()

    @contextmanager
    def _leased(
        self, ledger: SalesLedger, lease: Lease | None = None, *, accept_changes: bool = False
    ) -> Iterator[PushContext]:
        """
        What a push works with, as long as it holds *lease*; then it is given back.
        """
        engine = self.context
        lease = lease or engine.acquire("sales")
        push: PushContext | None = None

        try:
            push = PushContext(
                engine=engine,
                client=self.client,
                orders=self.orders,
                lease=lease,
                profile_check=self.profile_check,
                watch=self.watch,
                calendar=ledger.calendar,
                accept_changes=accept_changes,
            )
            engine.failpoint("leased")
            with interruptible(self.client, engine.is_stopping):
                yield push
        finally:
            engine.release(lease if push is None else push.lease)
