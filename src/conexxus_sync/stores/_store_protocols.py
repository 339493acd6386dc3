"""
The protocols of a store, for the engines.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.catalogue import (
    CatalogueDiff,
    Checkpoint,
    HostState,
    ItemRow,
    MirrorCounts,
    MirrorItem,
    Plan,
    PriceChange,
    QuarantinedItem,
    RejectedElement,
)
from conexxus_sync.model.leases import Lease, LeaseKind
from conexxus_sync.model.notices import ActiveAlert, Notice, QueuedNotice, SentReport
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.model.sales import FreezeNumbers
from conexxus_sync.protocols import CatalogChanges

from ._outbox_protocols import OutboxStore as OutboxStore
from ._unreadable_rows import UnreadableRows


class RunStore(Protocol):
    """
    The history of runs.
    """

    def save(self, connection: Any, run: SyncRun, *, listed: bool = True) -> None: ...

    def get(self, run_id: str) -> SyncRun | None: ...

    def latest(self, location_id: str, kind: RunKind, *, failed: bool = True) -> SyncRun | None: ...

    def any_between(
        self, connection: Any, location_id: str, first: datetime, last: datetime
    ) -> bool: ...

    def history(
        self,
        location_id: str,
        kind: RunKind | None = None,
        limit: int = 20,
        *,
        planned: bool = False,
    ) -> list[SyncRun]: ...

    def purge(self, connection: Any, location_id: str, before: datetime) -> None: ...


class LeaseStore(Protocol):
    """
    Who may write.
    """

    def acquire(self, location_id: str, kind: LeaseKind, run_id: str, now: datetime) -> Lease: ...

    def renew(self, lease: Lease, now: datetime) -> Lease: ...

    def extend(self, connection: Any, lease: Lease, now: datetime) -> Lease: ...

    def release(self, lease: Lease) -> None: ...

    def holder(self, location_id: str, kind: LeaseKind, now: datetime) -> str | None: ...


class Staging(Protocol):
    """
    Room for one read, until it is merged or forgotten.
    """

    @property
    def connection(self) -> Any: ...

    def add(self, rows: Sequence[ItemRow], page: int) -> None: ...

    def quarantine(self, rejects: Iterable[RejectedElement], page: int) -> None: ...

    def duplicates(self) -> Iterator[RejectedElement]: ...

    def compare(self, *, complete: bool = True) -> CatalogueDiff: ...

    def merge(self, connection: Any, run_id: str, now: datetime) -> None: ...

    def merge_replayed(self, connection: Any, run_id: str, key: str) -> None: ...

    def save_prices(self, connection: Any, run_id: str) -> None: ...


class HostQueue(Protocol):
    """
    Changes that wait for a host.
    """

    def state(self, location_id: str) -> HostState | None: ...

    def queue_delta(self, connection: Any, location_id: str, *, removals: bool) -> None: ...

    def queue_everything(
        self, connection: Any, location_id: str, *, beyond: int, removals: bool
    ) -> None: ...

    def pending(self, location_id: str, connection: Any = None) -> list[int]: ...

    def changes(
        self, location_id: str, sequence: int, connection: Any = None
    ) -> CatalogChanges: ...

    def waiting(self, location_id: str, sku: str) -> list[int]: ...

    def applied(self, connection: Any, location_id: str, sequence: int) -> None: ...

    def attempt(self, connection: Any) -> AbstractContextManager[None]: ...


class PlanStore(Protocol):
    """
    Catalogues that were looked at and not applied.
    """

    def save(self, connection: Any, location_id: str, plan: Plan) -> None: ...

    def get(self, location_id: str, run_id: str) -> Plan | None: ...

    def prices(self, location_id: str, run_id: str) -> Iterator[PriceChange]: ...


class CatalogStore(Protocol):
    """
    The mirror, its checkpoint and its quarantine.
    """

    @property
    def hosts(self) -> HostQueue: ...

    @property
    def plans(self) -> PlanStore: ...

    def staging(self, location_id: str) -> AbstractContextManager[Staging]: ...

    def checkpoint(self, location_id: str) -> Checkpoint | None: ...

    def save_checkpoint(
        self, connection: Any, location_id: str, checkpoint: Checkpoint
    ) -> None: ...

    def counts(self, location_id: str) -> MirrorCounts: ...

    def is_empty(self, location_id: str) -> bool: ...

    def items(
        self, location_id: str, *, missing: bool = False, changed_since: str | None = None
    ) -> Iterator[MirrorItem]: ...

    def item(self, location_id: str, sku: str) -> MirrorItem | None: ...

    def quarantined(
        self, location_id: str, key: str | None = None, *, limit: int = -1
    ) -> Iterator[QuarantinedItem]: ...


class NoticeStore(Protocol):
    """
    What people were told, and what they are still to be told.
    """

    def since(self, connection: Any, location_id: str) -> datetime | None: ...

    def start(self, connection: Any, location_id: str, now: datetime) -> None: ...

    def active_alerts(self, connection: Any, location_id: str) -> list[ActiveAlert]: ...

    def save_active_alerts(
        self, connection: Any, location_id: str, alerts: Iterable[ActiveAlert]
    ) -> None: ...

    def sent_reports(self, connection: Any, location_id: str) -> dict[date, SentReport]: ...

    def missing(self, connection: Any, location_id: str, day: date) -> int: ...

    def record_report(
        self, connection: Any, location_id: str, report: SentReport, *, keep: date
    ) -> None: ...

    def queue(self, connection: Any, notice: Notice, now: datetime) -> None: ...

    def claim(
        self, location_id: str, now: datetime, wait_after: Callable[[int], timedelta]
    ) -> QueuedNotice | None: ...

    def mark_sent(
        self,
        location_id: str,
        notice: QueuedNotice,
        now: datetime,
        wait_after: Callable[[int], timedelta],
    ) -> None: ...

    def give_up(
        self, location_id: str, notice: QueuedNotice, now: datetime, *, why: str, keep: timedelta
    ) -> int: ...

    def given_up(
        self, location_id: str, since: datetime, now: datetime
    ) -> tuple[int, str | None]: ...

    def waiting(self, location_id: str) -> tuple[int, datetime | None]: ...


class CallStore(Protocol):
    """
    How the back office was last seen, by whichever process.
    """

    def last(self, location_id: str) -> ApiConnection | None: ...

    def record(
        self, connection: Any, location_id: str, call: ApiConnection, now: datetime
    ) -> None: ...


class FreezeStore(Protocol):
    """
    How often sales were frozen or sent, in the store and beside it.
    """

    def numbers(self, connection: Any, location_id: str) -> FreezeNumbers: ...

    def catch_up(self, connection: Any, location_id: str) -> None: ...

    def write(self, connection: Any, location_id: str) -> None: ...


class SyncStore(Protocol):
    """
    Everything that the SDK remembers.

    Attributes:
        boot: Which boot of this computer it is; empty if that is unknown.
    """

    @property
    def boot(self) -> str: ...

    @property
    def runs(self) -> RunStore: ...

    @property
    def leases(self) -> LeaseStore: ...

    @property
    def catalog(self) -> CatalogStore: ...

    @property
    def outbox(self) -> OutboxStore: ...

    @property
    def freezes(self) -> FreezeStore: ...

    @property
    def notices(self) -> NoticeStore: ...

    @property
    def calls(self) -> CallStore: ...

    def reading(self) -> AbstractContextManager[Any]: ...

    def unreadable_rows(self, location_id: str) -> list[UnreadableRows]: ...

    def snapshot(self) -> AbstractContextManager[None]: ...

    def short_timeout(self) -> AbstractContextManager[None]: ...

    def writing(
        self, lease: Lease | None = None, *, connection: Any = None
    ) -> AbstractContextManager[Any]: ...
