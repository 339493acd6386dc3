"""
The protocols of the outbox, for the engines.

What writes takes the connection of a transaction that is open already.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.sales import (
    Batch,
    BatchState,
    DateTotals,
    DateVisit,
    Discrepancy,
    FoundDiscrepancy,
    OperatorAction,
    QuarantinedTransaction,
    RunsAround,
    SaleKey,
    SendMoment,
    TransactionHistory,
)


class SalesDateStore(Protocol):
    """
    The ledger of business dates.
    """

    def start_date(self, connection: Any, location_id: str) -> date | None: ...

    def set_start_date(
        self, connection: Any, location_id: str, since: date, now: datetime
    ) -> None: ...

    def visits(self, connection: Any, location_id: str) -> dict[date, DateVisit]: ...

    def closed(self, connection: Any, location_id: str, business_date: date) -> str | None: ...

    def record(
        self, connection: Any, location_id: str, visits: Iterable[tuple[date, datetime]]
    ) -> None: ...

    def clear_visit(self, connection: Any, location_id: str, business_date: date) -> None: ...

    def refuse_changes(
        self, connection: Any, location_id: str, business_date: date, *, why: str, now: datetime
    ) -> bool: ...

    def clear_refusal(self, connection: Any, location_id: str, business_date: date) -> None: ...

    def refused_changes(self, location_id: str) -> dict[date, str]: ...

    def recorded(self, connection: Any, location_id: str, dates: Iterable[date]) -> set[date]: ...

    def first_known(self, connection: Any, location_id: str) -> date | None: ...

    def open_from(self, connection: Any, location_id: str) -> date | None: ...

    def close_before(
        self, connection: Any, location_id: str, first: date, now: datetime
    ) -> None: ...

    def runs_around(self, connection: Any, location_id: str, moment: datetime) -> RunsAround: ...

    def started_at(self, connection: Any, location_id: str) -> datetime | None: ...

    def days_with_sales(self, connection: Any, location_id: str, limit: int) -> list[date]: ...

    def trust_clock(self, connection: Any, location_id: str) -> None: ...


class StagingStore(Protocol):
    """
    Where a day's transactions are compared with what is known of them.
    """

    def fill(
        self,
        connection: Any,
        transactions: Iterable[FrozenTransaction],
        *,
        fields: Collection[str],
    ) -> None: ...

    def compare(
        self,
        connection: Any,
        location_id: str,
        business_date: date,
        *,
        ids_are_global: bool,
        fields: Collection[str],
        hold: Callable[[], None],
    ) -> list[FoundDiscrepancy]: ...

    def fresh(self, connection: Any) -> Iterator[FrozenTransaction]: ...

    def delivered_count(self, connection: Any) -> int: ...

    def corrected(self, connection: Any) -> set[SaleKey]: ...

    def next_revision(
        self,
        connection: Any,
        location_id: str,
        business_date: date,
        *,
        name: str,
        above: int = 0,
    ) -> int: ...

    def whole(self, connection: Any) -> Iterator[FrozenTransaction]: ...

    def faulty(self, connection: Any) -> Iterator[FrozenTransaction]: ...

    def adopt(
        self, connection: Any, location_id: str, business_date: date, now: datetime
    ) -> int: ...


class SalesQuarantineStore(Protocol):
    """
    What was set aside, and what the host contradicts.
    """

    def add(
        self,
        connection: Any,
        location_id: str,
        business_date: date,
        transactions: Iterable[FrozenTransaction],
        now: datetime,
    ) -> None: ...

    def transactions(
        self, location_id: str, limit: int = 100, *, dismissed: bool = False
    ) -> list[QuarantinedTransaction]: ...

    def release(
        self, connection: Any, location_id: str, business_date: date, name: str
    ) -> bool: ...

    def record_discrepancies(
        self,
        connection: Any,
        location_id: str,
        business_date: date,
        found: Collection[FoundDiscrepancy],
        now: datetime,
    ) -> list[FoundDiscrepancy]: ...

    def size(self, location_id: str, business_date: date | None = None) -> int: ...

    def discrepancies(self, location_id: str, limit: int = 100) -> list[Discrepancy]: ...

    def discrepancy_count(self, location_id: str, business_date: date | None = None) -> int: ...


class OutboxMaintenanceStore(Protocol):
    """
    What people, and time, do to batches.
    """

    def find(self, location_id: str, beginning: str) -> list[Batch]: ...

    def unpark(self, connection: Any, batch: Batch, *, forced: bool) -> None: ...

    def give_up(self, connection: Any, batch: Batch, *, answer: str, now: datetime) -> None: ...

    def undecided(self, location_id: str, business_date: date | None = None) -> list[Batch]: ...

    def purge(self, connection: Any, location_id: str, now: datetime) -> None: ...

    def history(self, location_id: str, name: str) -> TransactionHistory: ...


class SalesProfileStore(Protocol):
    """
    With which profile of the back office sales are pushed.
    """

    def kept(self, connection: Any, location_id: str) -> DeliveryProfile | None: ...

    def keep(
        self,
        connection: Any,
        location_id: str,
        profile: DeliveryProfile,
        now: datetime,
        *,
        replace: bool = False,
    ) -> None: ...

    def was_pushed(self, connection: Any, location_id: str) -> bool: ...


class OperatorActionStore(Protocol):
    """
    What operators did, when, and why.
    """

    def record(self, connection: Any, location_id: str, action: OperatorAction) -> None: ...

    def dismiss(self, connection: Any, location_id: str, action: OperatorAction) -> bool: ...

    def accept_discrepancies(
        self, connection: Any, location_id: str, name: str, now: datetime
    ) -> list[date]: ...


class OutboxStore(Protocol):
    """
    Batches of sales and what became of them.
    """

    @property
    def dates(self) -> SalesDateStore: ...

    @property
    def staging(self) -> StagingStore: ...

    @property
    def quarantine(self) -> SalesQuarantineStore: ...

    @property
    def maintenance(self) -> OutboxMaintenanceStore: ...

    @property
    def profiles(self) -> SalesProfileStore: ...

    @property
    def actions(self) -> OperatorActionStore: ...

    def freeze(self, connection: Any, drafts: Iterable[BatchDraft], now: datetime) -> bool: ...

    def divide(
        self,
        connection: Any,
        batch: Batch,
        parts: Sequence[BatchDraft],
        *,
        answer: str,
        now: datetime,
    ) -> None: ...

    def next_batch(
        self,
        connection: Any,
        location_id: str,
        business_date: date,
        *,
        after: tuple[int, int],
        rested: bool = False,
        tried: Collection[str] = (),
    ) -> Batch | None: ...

    def open_dates(self, connection: Any, location_id: str) -> list[date]: ...

    def attempted(self, connection: Any, location_id: str) -> dict[date, datetime]: ...

    def parked(self, location_id: str) -> list[Batch]: ...

    def mismatched(self, location_id: str) -> int: ...

    def date_totals(self, location_id: str, since: date) -> list[DateTotals]: ...

    def open_batches(self, connection: Any, location_id: str, business_date: date) -> int: ...

    def delivered_since(self, connection: Any, location_id: str, moment: datetime) -> bool: ...

    def released(
        self, connection: Any, location_id: str, business_date: date
    ) -> dict[str, str]: ...

    def has_unknown(self, connection: Any, location_id: str, business_date: date) -> bool: ...

    def open_transactions(
        self, connection: Any, location_id: str, business_date: date, *, parked: bool = False
    ) -> int: ...

    def body(self, connection: Any, batch: Batch) -> bytes: ...

    def ids(self, connection: Any, batch: Batch) -> list[str]: ...

    def members(self, connection: Any, batch: Batch) -> list[FrozenTransaction]: ...

    def effective(
        self, connection: Any, location_id: str, business_date: date, sales: Collection[SaleKey]
    ) -> list[FrozenTransaction]: ...

    def undelivered(
        self, connection: Any, batch: Batch, members: Iterable[FrozenTransaction]
    ) -> list[FrozenTransaction]: ...

    def mark_sending(
        self, connection: Any, batch: Batch, *, unknown_since: datetime | None, now: datetime
    ) -> None: ...

    def note_moment(self, connection: Any, batch: Batch, moment: SendMoment) -> None: ...

    def mark_open(
        self,
        connection: Any,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        parked: str | None = None,
        answer: str,
        counts: bool = False,
    ) -> None: ...

    def reopen(self, connection: Any, batch: Batch, draft: BatchDraft, now: datetime) -> None: ...

    def mark_delivered(
        self,
        connection: Any,
        batch: Batch,
        *,
        refused: Collection[str] = (),
        replaces_day: bool = False,
        answer: str,
        now: datetime,
    ) -> Decimal: ...

    def adopt_open(
        self, connection: Any, location_id: str, last: date, *, replaces_day: bool, now: datetime
    ) -> int: ...

    def get(self, location_id: str, key: str) -> Batch | None: ...

    def batches(
        self,
        location_id: str,
        states: Collection[BatchState] = tuple(BatchState),
        limit: int = 100,
    ) -> list[Batch]: ...

    def counts(self, location_id: str) -> dict[BatchState, int]: ...
