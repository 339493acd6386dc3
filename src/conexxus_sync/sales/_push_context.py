"""
What all parts of one push share: client, store, orders, clock, lease.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Protocol

import attrs

from conexxus_client import ApiProfile, ConexxusError, FrozenBatch, PushReceipt
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import SyncError
from conexxus_sync.model.calendar import StoreCalendar, Watermark
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.leases import NO_TIME, RENEWED_AFTER, Lease
from conexxus_sync.model.sales import Batch, SendMoment
from conexxus_sync.protocols import Clock, OrderSource
from conexxus_sync.runtime.clock import uptime_of
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import LocationStore, State

from ._batching import BatchLimits
from ._profile_check import ProfileCheck
from ._push_evidence import PushEvidence
from ._source_watch import SourceWatch


_log = safe_logger(__name__)


class PushStoppedError(Exception):
    """
    The push shall end, and nothing of what it was at is worth keeping.
    """


class SalesClient(Protocol):
    """
    What a push asks of the client.
    """

    @property
    def profile(self) -> ApiProfile: ...

    def push_sales(
        self,
        batch: FrozenBatch,
        *,
        idempotency_key: str,
        repeat_within: timedelta | None = None,
    ) -> PushReceipt: ...


@attrs.define(kw_only=True)
class PushContext:
    """
    The collaborators of one push, and its lease.

    Attributes:
        profile_check: Whose profile the store keeps before anything is sent.
        accept_changes: Whether a person asked for all of it, this once.
        evidence: What the answers of this push prove together.
        calendar: Which business date a moment belongs to.
        watch: Records since when the order source is asked.
        pending_visits: Dates that were looked at, but not stored yet: a date
            without sales does not deserve a disk flush of its own.
        watermark: Nor does a new one; it goes with the next transaction.
        keeps_profile: Whether a transaction of this push made the profile the
            location's: until the lease is given back, it stays.
        failpoint: Called when a step is done.
        stopped: Shall the push end as soon as it can?
        limits: How large a batch may become.
        uptime: Seconds that go on while the computer is suspended.
        replaces_day: Whether a push replaces all that the back office has of its date.
    """

    engine: EngineContext
    client: SalesClient
    orders: OrderSource
    lease: Lease
    profile_check: ProfileCheck
    watch: SourceWatch
    calendar: StoreCalendar
    accept_changes: bool = False
    evidence: PushEvidence = attrs.field(factory=PushEvidence)
    pending_visits: list[tuple[date, datetime, bytes | None]] = attrs.field(factory=list)
    watermark: Watermark | None = None
    keeps_profile: bool = False

    store: LocationStore = attrs.field(init=False)
    config: SyncConfig = attrs.field(init=False)
    clock: Clock = attrs.field(init=False)
    observer: FanOut = attrs.field(init=False)
    failpoint: Callable[[str], None] = attrs.field(init=False)
    stopped: Callable[[], bool] = attrs.field(init=False)
    location_id: str = attrs.field(init=False)
    profile: ApiProfile = attrs.field(init=False)
    limits: BatchLimits = attrs.field(init=False)
    replaces_day: bool = attrs.field(init=False)
    uptime: Callable[[], float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        engine = self.engine
        self.store, self.config, self.clock = engine.store, engine.config, engine.clock
        self.observer, self.location_id = engine.observer, self.lease.location_id
        self.failpoint, self.stopped = engine.failpoint, engine.is_stopping
        self.profile, self.limits = self.client.profile, BatchLimits.of(self.config)
        self.replaces_day = self.profile.sales_mode == "replace_day"
        self.uptime = uptime_of(self.clock)

    def draft(
        self,
        business_date: date,
        members: Iterable[FrozenTransaction],
        *,
        parent: Batch | None = None,
        unknown_since: datetime | None = None,
    ) -> BatchDraft:
        """
        A batch of *members*.

        Args:
            parent: The batch that it is divided from.
            unknown_since: Since when the back office may have them.
        """
        draft = BatchDraft.of(self.location_id, business_date, members, summary=self.config.summary)

        return attrs.evolve(
            draft,
            parent=None if parent is None else parent.key,
            released=parent is not None and parent.released,
            unknown_since=unknown_since,
        )

    def moment(self) -> SendMoment:
        """
        This moment; by the back office's clock, no later one.
        """
        return SendMoment(
            at=self.clock.now(),
            boot=self.store.boot,
            uptime=self.uptime(),
            server=getattr(self.client, "server_time", None),
        )

    def asked_moment(self) -> SendMoment:
        """
        This moment, after the back office was asked for its own.

        What an earlier answer said is too old: this computer may have stood
        still since.
        """
        # A host's own client need not have it.
        ask: Callable[[], object] = getattr(self.client, "health", bool)
        try:
            ask()
        except ConexxusError:
            return attrs.evolve(self.moment(), server=None)

        return self.moment()

    def renew_lease(self) -> None:
        """
        Put off the end of our lease if that is due.
        """
        if self._is_lease_due():
            self.lease = self.store.leases.renew(self.lease, self.clock.now())

    def _is_lease_due(self) -> bool:
        # `Lease.is_due`, asked again and again in a large day: without a call.
        age = self.engine.clock.now() - self.lease.renewed_at

        return not NO_TIME <= age < RENEWED_AFTER

    @contextmanager
    def writing(self) -> Iterator[State]:
        """
        One transaction under our lease, with the visits that wait.

        However long it takes, it ends with a lease that lasts: no other
        run could take it meanwhile.
        """
        with self.store.write(self.lease) as state:
            if self.watermark is not None:
                state.sales_dates.set_watermark(self.watermark)
            if self.pending_visits:
                state.sales_dates.record(self.pending_visits)
            yield state
            lease = self.lease
            if self._is_lease_due():
                lease = self.store.leases.extend(state.session, lease, self.clock.now())

        self.lease, self.watermark = lease, None
        self.pending_visits.clear()

    def purge(self) -> None:
        """
        Purge what is old, unless the clock looks wrong.
        """
        try:
            now = self.clock.now()
            with self.store.read() as state:
                is_safe = state.runs.is_safe_to_purge(now)
            if is_safe:
                with self.writing() as state:
                    state.outbox_maintenance.purge(now)
        except SyncError:
            # The sales are delivered, and that is what is reported.
            _log.exception("Conexxus: what is old could not be forgotten")
