"""
What a host application provides.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

import attrs

from conexxus_client import CatalogWindow, Item, Transaction
from conexxus_sync.model.catalogue import SourceFile
from conexxus_sync.model.order_records import OrderRecord
from conexxus_sync.model.runs import SyncRun


T_co = TypeVar("T_co", covariant=True)


class Stream(Protocol[T_co]):
    """
    Values that are read from the store each time they are iterated.
    """

    def __iter__(self) -> Iterator[T_co]: ...

    def __len__(self) -> int: ...


class CatalogStream(Protocol):
    """
    A catalogue on its way in: provisional until its last window.

    Attributes:
        not_modified: There is nothing newer than what was applied last, and
            there are no windows.
        etag: Its version, if it has one.
        total: How many elements there are, once that is known.
        page: Of the window that came last.
        digest: Over all of it, after the last window.
    """

    @property
    def not_modified(self) -> bool: ...

    @property
    def etag(self) -> str | None: ...

    @property
    def total(self) -> int | None: ...

    @property
    def page(self) -> int: ...

    @property
    def digest(self) -> bytes: ...

    def windows(self) -> Iterator[CatalogWindow]: ...


@attrs.frozen(kw_only=True)
class CatalogReading:
    """
    One read of a catalogue.

    Attributes:
        file: The file that it is; None if it is none.
        is_complete: What is not in it is gone; else it says what changed.
        deleted: What a file takes away by name, after the last window.
    """

    stream: CatalogStream
    file: SourceFile | None = None
    is_complete: bool = True
    deleted: list[str] = attrs.field(factory=list)


class CatalogSource(Protocol):
    """
    Where the catalogue comes from: the back office, or a folder of files.

    Attributes:
        scope: What is read, and where; what was read elsewhere means nothing
            for it.
        remembers: What was applied of it is never read again.
    """

    @property
    def scope(self) -> str: ...

    @property
    def remembers(self) -> bool: ...

    def open(
        self, *, etag: str | None, known: Mapping[bytes, int]
    ) -> AbstractContextManager[CatalogReading]:
        """
        Begin to read.

        Args:
            etag: Of the last applied read, if it may answer for this one.
            known: Windows of it that need not be read again, and how many
                elements each has.

        Raises:
            ConexxusError: It can't be read.
        """
        ...


class CatalogChanges(Protocol):
    """
    What one pull changed.

    Attributes:
        sequence: 1, 2, 3 … per location, without a gap.
        created: Items new to the mirror; the host upserts them.
        updated: Items that changed or returned.
        removed: Items that are gone: with `removals="deactivate"` all, else
            those that a file deletes by name.
            After a restored backup, the host may never have had them.
    """

    @property
    def location_id(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    @property
    def created(self) -> Stream[Item]: ...

    @property
    def updated(self) -> Stream[Item]: ...

    @property
    def removed(self) -> Stream[Item]: ...


class CatalogStorage(Protocol):
    """
    Where catalogue changes end up in the host application.

    It may also have `last_applied(location_id) -> int | None`, the sequence
    of the last changes that it made visible: that is how a host that was
    restored from a backup gets everything again.
    """

    def apply(self, changes: CatalogChanges) -> None:
        """
        Make all of *changes* visible, or nothing.

        Applying the same sequence twice must be harmless: after a crash it
        comes again.
        """
        ...


@runtime_checkable
class TransactionalCatalogStorage(Protocol):
    """
    A storage whose tables live in the SDK's own database.

    One whose tables may be elsewhere has `apply` as well, and
    `shares(connection) -> bool`: does the SDK's *connection* lead to the
    database of its tables?  It is asked before each pull.
    """

    def apply_in(self, connection: Any, changes: CatalogChanges) -> None:
        """
        Make *changes* visible inside the transaction open on *connection*.

        It neither commits nor rolls back: the mirror and the host's tables
        change in the same instant.
        """
        ...


@runtime_checkable
class RestorableCatalogStorage(Protocol):
    """
    A storage that records the last changes that it applied.
    """

    def last_applied(self, location_id: str) -> int | None:
        """
        Sequence of the last changes made visible; None if there were none.
        """
        ...


class AsyncStream(Protocol[T_co]):
    """
    A stream of an asynchronous host: read with `async for`, each time anew.
    """

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    def __len__(self) -> int: ...


class AsyncCatalogChanges(Protocol):
    """
    `CatalogChanges` of an asynchronous host: its streams are read with `async for`.
    """

    @property
    def location_id(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    @property
    def created(self) -> AsyncStream[Item]: ...

    @property
    def updated(self) -> AsyncStream[Item]: ...

    @property
    def removed(self) -> AsyncStream[Item]: ...


class AsyncCatalogStorage(Protocol):
    """
    A `CatalogStorage` whose methods are coroutine functions.

    A service that gets one awaits it in the event loop that runs where the
    service is made; made outside of one, in a loop of the SDK's own.  The
    service itself is called from another thread than that of the loop:
    `await asyncio.to_thread(service.sync_inventory)`.
    """

    async def apply(self, changes: AsyncCatalogChanges) -> None:
        """
        Make all of *changes* visible, or nothing.
        """
        ...


class AsyncOrderSource(Protocol):
    """
    An `OrderSource` whose `transactions` is an asynchronous generator.
    """

    def transactions(self, location_id: str, business_date: date) -> AsyncIterator[OrderRecord]:
        """
        All finished sales of *business_date*, as those of an `OrderSource`.
        """
        ...


class OrderSource(Protocol):
    """
    Where sales come from in the host application.
    """

    def transactions(self, location_id: str, business_date: date) -> Iterable[OrderRecord]:
        """
        All finished sales of *business_date*, refunds included.

        Read-only, and asked as often as we like.

        Each is a `Transaction`, or a mapping with the keys of the wire
        contract: `id`, `timestamp` (an aware datetime or an ISO text),
        `total`, `items`, and where there are such `tax`, `discount`,
        `businessDate`, `extra`.  A mapping is built here, so that one that
        can't be built is set aside alone; a source that builds transactions
        itself yields an `UnusableTransaction` in the place of such a one.
        What it raises ends the date: nothing new of it is delivered.
        """
        ...


@runtime_checkable
class VoidingOrderSource(Protocol):
    """
    An order source that says what the void of a sale has in `extra`.

    Without it, a void has none: payments or points that are said again would
    count again.
    """

    def complete_void(self, void: Transaction, sold: Transaction) -> Transaction:
        """
        The *void* with its `extra`, and that of its lines; nothing else of it
        may be changed.

        Args:
            void: The sale with every amount negated, and without `extra`.
            sold: As it was sent.
        """
        ...


class MetricsCollector(Protocol):
    """
    Somebody who watches runs.

    What it raises is logged and goes no further; so is that it hangs, and
    then no run waits for it.  Each call comes in a thread of its own.
    """

    def run_started(self, run: SyncRun) -> None: ...

    def run_finished(self, run: SyncRun) -> None: ...


class Clock(Protocol):
    """
    Where moments come from, so that tests can bring their own.
    """

    def now(self) -> datetime:
        """
        This moment; aware, in UTC.
        """
        ...

    def monotonic(self) -> float:
        """
        Seconds that only ever grow.
        """
        ...


HostStorage = CatalogStorage | TransactionalCatalogStorage
# What a service takes: it awaits an asynchronous one.
AnyCatalogStorage = HostStorage | AsyncCatalogStorage
AnyOrderSource = OrderSource | AsyncOrderSource
