"""
What all parts of one push share: client, store, orders, clock, lease.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

import attrs

from conexxus_client import ApiProfile, FrozenBatch, PushReceipt
from conexxus_sync.collectors import FanOut
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.leases import Lease
from conexxus_sync.protocols import Clock, OrderSource
from conexxus_sync.stores._outbox_protocols import OutboxStore
from conexxus_sync.stores._store_protocols import SyncStore

from ._batching import BatchLimits
from ._source_watch import SourceWatch


OnChanged = Literal["report", "resend"]


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
        failpoint: Called with the name of each step once it is done, for tests.
        stopped: Whether the push shall end as soon as it can.
        on_changed: What to do about delivered sales that changed.
        summary: Whether a batch says what it comes to.
        calendar: Tells which business date a moment belongs to.
        watch: Knows since when the order source is asked.
        pending_visits: Dates that were looked at, but not stored yet: a date
            without sales does not deserve a disk flush of its own.
    """

    client: SalesClient
    store: SyncStore
    orders: OrderSource
    clock: Clock
    collectors: FanOut
    failpoint: Callable[[str], None]
    stopped: Callable[[], bool]
    limits: BatchLimits
    on_changed: OnChanged
    summary: bool
    lease: Lease
    watch: SourceWatch
    calendar: StoreCalendar
    pending_visits: list[tuple[date, datetime]] = attrs.field(factory=list)

    @property
    def outbox(self) -> OutboxStore:
        return self.store.outbox

    @property
    def location_id(self) -> str:
        return self.lease.location_id

    @property
    def replaces_day(self) -> bool:
        """
        Does a push replace all that the back office has of its date?
        """
        return self.client.profile.sales_mode == "replace_day"

    def draft(self, business_date: date, members: Iterable[FrozenTransaction]) -> BatchDraft:
        """
        A batch of *members*.
        """
        return BatchDraft.of(self.location_id, business_date, members, summary=self.summary)

    def renew_lease(self) -> None:
        """
        Put off the end of our lease if that is due.
        """
        self.lease = self.store.leases.renew(self.lease, self.clock.now())

    @contextmanager
    def writing(self, connection: Any = None) -> Iterator[Any]:
        """
        One transaction under our lease, with the visits that wait.
        """
        with self.store.writing(self.lease, connection=connection) as transaction:
            self.outbox.dates.record(transaction, self.location_id, self.pending_visits)
            yield transaction

        self.pending_visits.clear()

    def flush(self) -> None:
        """
        Store the visits that wait.
        """
        if self.pending_visits:
            with self.writing():
                pass
