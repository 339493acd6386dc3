"""
The event loop of an application while the SDK is at work in its process.
"""

import asyncio
from decimal import Decimal

from fastapi import FastAPI

from benchmarks.sdk import service
from benchmarks.worker import Action, Numbers, Task
from conexxus_sync import AsyncCatalogChanges, RunStatus
from conexxus_sync.contrib.fastapi import Conexxus


EVERY_S = 0.002


class Products:
    """
    An asynchronous storage: the loop is where it is awaited.
    """

    def __init__(self) -> None:
        self.prices: dict[str, Decimal] = {}

    async def apply(self, changes: AsyncCatalogChanges) -> None:
        async for item in changes.created:
            self.prices[item.sku] = item.price


def lag(task: Task) -> Action:
    """
    How late the loop of a FastAPI application is during a pull: of a hundred
    wake-ups, the last but one.
    """

    def pull(file: str) -> Numbers:
        return asyncio.run(_pull(task.url, task.store(file)))

    return task.pulling(pull)


async def _pull(url: str, store: str) -> Numbers:
    products = Products()
    conexxus = Conexxus(lambda: service(url, store, catalog=products), schedule=False)
    app = FastAPI(lifespan=conexxus.lifespan)

    async with app.router.lifespan_context(app):
        late: list[float] = []
        watch = asyncio.create_task(_watch(late))
        run = await asyncio.to_thread((await conexxus.service()).sync_inventory)
        watch.cancel()

    assert run.status is RunStatus.SUCCESS, run
    assert len(products.prices) == run.created

    return {"ms": sorted(late)[len(late) * 99 // 100] * 1000, "changed": run.created}


async def _watch(late: list[float]) -> None:
    loop = asyncio.get_running_loop()

    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        late.append(loop.time() - due)
