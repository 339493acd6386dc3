"""
What every push of a date works with.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

import attrs

from conexxus_client import ApiProfile, FrozenBatch, PushReceipt
from conexxus_sync.collectors import FanOut
from conexxus_sync.model.frozen import FrozenDraft, FrozenTransaction
from conexxus_sync.model.leases import Lease
from conexxus_sync.protocols import Clock, OrderSource
from conexxus_sync.stores._outbox_protocols import OutboxStore
from conexxus_sync.stores._protocols import SyncStore

from ._batching import BatchLimits


OnChanged = Literal["report", "resend"]


class StoppedError(Exception):
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
class Desk:
    """
    The collaborators of one push, and its lease.

    Attributes:
        steps: Told the name of each step once it is done, for tests.
        stopped: Whether the push shall end as soon as it can.
        on_changed: What to do about delivered sales that changed.
        summary: Whether a batch says what it comes to.
        visited: Dates that were looked at, but not stored yet: a date
            without sales does not deserve a disk flush of its own.
    """

    client: SalesClient
    store: SyncStore
    orders: OrderSource
    clock: Clock
    collectors: FanOut
    steps: Callable[[str], None]
    stopped: Callable[[], bool]
    limits: BatchLimits
    on_changed: OnChanged
    summary: bool
    lease: Lease
    visited: list[tuple[date, datetime]] = attrs.field(factory=list)

    @property
    def outbox(self) -> OutboxStore:
        return self.store.outbox

    @property
    def location_id(self) -> str:
        return self.lease.location_id

    @property
    def whole_days(self) -> bool:
        """
        Does a push replace all that the back office has of its date?
        """
        return self.client.profile.sales_mode == "replace_day"

    def draft(self, business_date: date, members: Iterable[FrozenTransaction]) -> FrozenDraft:
        """
        A batch of *members*.
        """
        return FrozenDraft.of(self.location_id, business_date, members, summary=self.summary)

    def hold(self) -> None:
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
            self.outbox.dates.record(transaction, self.location_id, self.visited)
            yield transaction

        self.visited.clear()

    def flush(self) -> None:
        """
        Store the visits that wait.
        """
        if self.visited:
            with self.writing():
                pass
