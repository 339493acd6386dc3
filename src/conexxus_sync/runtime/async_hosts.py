"""
A storage and an order source that await those of an asynchronous host.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from datetime import date
from typing import Any

import attrs

from conexxus_client import Item, Transaction
from conexxus_sync.model.order_records import OrderRecord
from conexxus_sync.protocols import CatalogChanges
from conexxus_sync.runtime.event_loops import (
    AsyncStream,
    ThreadCalls,
    await_in,
    current_loop,
    iterate_in,
)


@attrs.frozen
class _AsyncChanges:
    """
    The changes of a pull, as a coroutine reads them.
    """

    location_id: str
    sequence: int
    created: AsyncStream[Item]
    updated: AsyncStream[Item]
    removed: AsyncStream[Item]

    @classmethod
    def of(cls, changes: CatalogChanges, calls: ThreadCalls) -> "_AsyncChanges":
        return cls(
            changes.location_id,
            changes.sequence,
            AsyncStream(changes.created, calls),
            AsyncStream(changes.updated, calls),
            AsyncStream(changes.removed, calls),
        )


@attrs.frozen
class Storage:
    """
    Calls a storage whose `apply` is a coroutine function.
    """

    storage: Any
    loop: asyncio.AbstractEventLoop = attrs.field(factory=current_loop)

    def apply(self, changes: CatalogChanges) -> None:
        """
        Await the host's own `apply`.
        """
        await_in(self.loop, lambda calls: self.storage.apply(_AsyncChanges.of(changes, calls)))

    def prices(self) -> Any:
        """
        What the host says in tests of it, awaited if it has to be.

        Raises:
            NotImplementedError: It says nothing.
        """
        if not hasattr(self.storage, "prices"):
            msg = "the storage has no method prices()"
            raise NotImplementedError(msg)

        return _called(self.loop, self.storage.prices)


@attrs.frozen
class RestorableStorage(Storage):
    """
    Calls one that also says how far it has come.
    """

    def last_applied(self, location_id: str) -> Any:
        """
        What the host says, awaited if it has to be.
        """
        return _called(self.loop, lambda: self.storage.last_applied(location_id))


@attrs.frozen
class Orders:
    """
    Calls an order source whose `transactions` is asynchronous.
    """

    orders: Any
    loop: asyncio.AbstractEventLoop = attrs.field(factory=current_loop)

    def transactions(self, location_id: str, business_date: date) -> Iterator[OrderRecord]:
        """
        What the host yields, read a few hundred at a time.
        """
        return iterate_in(
            self.loop, lambda: _records(self.orders.transactions(location_id, business_date))
        )


@attrs.frozen
class VoidingOrders(Orders):
    """
    Calls one that also completes voids.
    """

    def complete_void(self, void: Transaction, sold: Transaction) -> Any:
        """
        What the host makes of the void, awaited if it has to be.
        """
        return _called(self.loop, lambda: self.orders.complete_void(void, sold))


def _called(loop: asyncio.AbstractEventLoop, method: Callable[[], Any]) -> Any:
    async def call(_: ThreadCalls) -> Any:
        result = method()
        return await result if inspect.isawaitable(result) else result

    return await_in(loop, call)


async def _records(answer: Any) -> AsyncGenerator[OrderRecord, None]:
    """
    The records of an asynchronous generator, which is closed with this one, or
    of what a coroutine returns.
    """
    found: Any = await answer if inspect.isawaitable(answer) else answer
    is_asynchronous = inspect.isasyncgen(found)

    if is_asynchronous:
        async with aclosing(found):
            async for record in found:
                yield record
    else:
        for record in found:
            yield record
