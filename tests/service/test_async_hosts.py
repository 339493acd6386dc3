"""
A host whose storage and order source are asynchronous.
"""

import asyncio
import sqlite3
import threading
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync import HostError, RunStatus
from conexxus_sync.runtime.event_loops import AsyncStream, await_in, current_loop, iterate_in
from conexxus_sync.testing import CatalogStorageContract, OrderSourceContract, sale


DAY = date(2026, 1, 1)
NOON = datetime(2026, 1, 1, 17, tzinfo=UTC)


class Catalog:
    """
    Keeps the prices, and says in which loop and thread it worked.
    """

    def __init__(self, fails=False):
        self.prices, self.applied, self.fails, self.loops = {}, {}, fails, set()

    async def apply(self, changes):
        self.loops.add(asyncio.get_running_loop())
        prices = dict(self.prices)
        for stream in (changes.created, changes.updated):
            async for item in stream:
                await asyncio.sleep(0)
                prices[item.sku] = item.price
        async for item in changes.removed:
            prices.pop(item.sku, None)
        if self.fails:
            raise sqlite3.OperationalError("disk is full")
        self.prices = prices
        self.applied[changes.location_id] = changes.sequence

    async def last_applied(self, location_id):
        return self.applied.get(location_id)


class Orders:
    """
    Yields sales, and notes that it was closed.
    """

    def __init__(self, sales):
        self.sales, self.closed, self.tasks = sales, 0, set()

    async def transactions(self, location_id, business_date):
        try:
            for each in self.sales:
                self.tasks.add(asyncio.current_task())
                await asyncio.sleep(0)
                yield each
        finally:
            self.closed += 1


def sales_of(count):
    return [sale(f"t{number}", timestamp=NOON) for number in range(count)]


def test_pull_outside_of_a_loop(new_service):
    """
    Without a loop where the service is made, there is one of the SDK's own.
    """
    catalog = Catalog()
    service = new_service(catalog=catalog)

    run = service.sync_inventory()

    assert run.status is RunStatus.SUCCESS
    assert {"A", "B"} == {*catalog.prices}
    assert catalog.loops == {current_loop()}


def test_pull_in_the_loop_of_the_host(new_service):
    """
    The storage is awaited in the loop in which the service was made.
    """
    catalog = Catalog()

    async def main():
        service = new_service(catalog=catalog)
        run = await asyncio.to_thread(service.sync_inventory)
        return run, asyncio.get_running_loop()

    run, loop = asyncio.run(main())

    assert run.status is RunStatus.SUCCESS
    assert catalog.loops == {loop}


def test_error_of_the_host(new_service):
    """
    What the coroutine raises fails the delivery, and the changes come again.
    """
    catalog = Catalog(fails=True)
    service = new_service(catalog=catalog)

    run = service.sync_inventory()
    catalog.fails = False
    again = service.sync_inventory()

    assert "disk is full" in run.last_error
    assert again.status is RunStatus.SUCCESS
    assert {"A", "B"} == {*catalog.prices}


def test_restored_host(new_service):
    """
    `last_applied` is awaited, too.
    """
    catalog = Catalog()
    service = new_service(catalog=catalog)
    service.sync_inventory()
    catalog.prices.clear()
    catalog.applied.clear()

    service.sync_inventory()

    assert {"A", "B"} == {*catalog.prices}


def test_push(new_service):
    """
    An asynchronous generator is read to its end, each sale once and in one task.
    """
    orders = Orders(sales_of(450))
    service = new_service(orders=orders)

    (run,) = service.push_sales(DAY)

    assert run.status is RunStatus.SUCCESS
    assert run.items_processed == 450
    assert orders.closed == len(orders.tasks)


def test_coroutine_that_returns_a_list(new_service):
    """
    `transactions` may also be a coroutine function.
    """

    class Listed:
        async def transactions(self, location_id, business_date):
            return sales_of(2)

    (run,) = new_service(orders=Listed()).push_sales(DAY)

    assert run.items_processed == 2


def test_reader_that_stops_early():
    """
    A generator that is not read to its end is closed before the reader goes on.
    """
    orders = Orders(sales_of(1_000))
    values = iterate_in(current_loop(), lambda: orders.transactions("loc-001", DAY))

    assert next(values).id == "t0"
    values.close()

    assert orders.closed == 1


def test_call_from_the_loop_itself(new_service):
    """
    It would wait for itself: the reason says what to write instead.
    """

    async def main():
        return new_service(catalog=Catalog()).sync_inventory()

    run = asyncio.run(main())

    assert run.status is RunStatus.FAILED
    assert "await asyncio.to_thread(service.sync_inventory)" in run.last_error


def test_loop_that_was_closed(new_service):
    """
    A service that outlives its loop says so.
    """

    async def main():
        return new_service(catalog=Catalog())

    run = asyncio.run(main()).sync_inventory()

    assert "the event loop that the host's coroutine needs is closed" in run.last_error


def test_streams_are_read_in_the_waiting_thread():
    """
    What may wait for a disk is not done in the loop.
    """
    readers = set()

    class Rows:
        def __len__(self):
            return 1_000

        def __iter__(self):
            for number in range(1_000):
                readers.add(threading.get_ident())
                yield number

    async def read(calls):
        stream = AsyncStream(Rows(), calls)
        return len(stream), [value async for value in stream], [value async for value in stream]

    count, first, second = await_in(current_loop(), read)

    assert count == 1_000
    assert first == second == [*range(1_000)]
    assert readers == {threading.get_ident()}


def test_error_of_the_store():
    """
    What the reading of a stream raises is raised in the coroutine.
    """

    class Rows:
        def __len__(self):
            return 1

        def __iter__(self):
            raise HostError("the disk is gone")

    async def read(calls):
        return [value async for value in AsyncStream(Rows(), calls)]

    with pytest.raises(HostError, match="the disk is gone"):
        await_in(current_loop(), read)


class TestStorageContract(CatalogStorageContract):
    """
    An asynchronous storage is tested like another.
    """

    many = 2_000
    keeps_all = True

    @pytest.fixture
    def storage(self):
        return Catalog()

    def prices(self, storage):
        return storage.prices


class TestOrdersContract(OrderSourceContract):
    """
    An asynchronous order source is tested like another.
    """

    business_date = DAY
    timezone = ZoneInfo("America/New_York")

    @pytest.fixture
    def source(self):
        class Dated(Orders):
            async def transactions(self, location_id, business_date):
                if business_date == DAY:
                    async for each in Orders.transactions(self, location_id, business_date):
                        yield each

        return Dated(sales_of(3))
