"""
The protocols of the outbox, for the engines.

What writes takes the connection of a transaction that is open already.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from conexxus_sync.model.frozen_sales import BatchDraft, FrozenTransaction
from conexxus_sync.model.sales import (
    Batch,
    BatchState,
    DateTotals,
    DateVisit,
    Discrepancy,
    FoundDiscrepancy,
    QuarantinedTransaction,
    RunsAround,
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

    def recorded(self, connection: Any, location_id: str, dates: Iterable[date]) -> set[date]: ...

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

    def fill(self, connection: Any, transactions: Iterable[FrozenTransaction]) -> None: ...

    def compare(
        self, connection: Any, location_id: str, business_date: date, *, ids_are_global: bool
    ) -> list[FoundDiscrepancy]: ...

    def fresh(
        self, connection: Any, location_id: str, business_date: date
    ) -> Iterator[FrozenTransaction]: ...

    def corrected(self, connection: Any, location_id: str, business_date: date) -> set[str]: ...

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

    def transactions(self, location_id: str, limit: int = 100) -> list[QuarantinedTransaction]: ...

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

    def purge(self, connection: Any, location_id: str, now: datetime) -> None: ...

    def history(self, location_id: str, name: str) -> TransactionHistory: ...


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
    ) -> Batch | None: ...

    def open_dates(self, connection: Any, location_id: str) -> list[date]: ...

    def attempted(self, connection: Any, location_id: str) -> dict[date, datetime]: ...

    def parked(self, location_id: str) -> list[Batch]: ...

    def mismatched(self, location_id: str) -> int: ...

    def date_totals(self, location_id: str, since: date) -> list[DateTotals]: ...

    def open_transactions(
        self, connection: Any, location_id: str, business_date: date, *, parked: bool = False
    ) -> int: ...

    def body(self, connection: Any, batch: Batch) -> bytes: ...

    def ids(self, connection: Any, batch: Batch) -> list[str]: ...

    def members(self, connection: Any, batch: Batch) -> list[FrozenTransaction]: ...

    def effective(
        self, connection: Any, location_id: str, business_date: date, ids: Collection[str]
    ) -> list[FrozenTransaction]: ...

    def undelivered(
        self, connection: Any, batch: Batch, members: Iterable[FrozenTransaction]
    ) -> list[FrozenTransaction]: ...

    def mark_sending(
        self, connection: Any, batch: Batch, *, unknown_since: datetime | None, now: datetime
    ) -> None: ...

    def mark_open(
        self,
        connection: Any,
        batch: Batch,
        *,
        unknown_since: datetime | None,
        parked: str | None = None,
        answer: str,
    ) -> None: ...

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

    def get(self, location_id: str, key: str) -> Batch | None: ...

    def batches(
        self,
        location_id: str,
        states: Collection[BatchState] = tuple(BatchState),
        limit: int = 100,
    ) -> list[Batch]: ...

    def counts(self, location_id: str) -> dict[BatchState, int]: ...
