"""
A shop's own web application with the SDK's routes beside its own.

    export CONEXXUS_API_URL=http://127.0.0.1:8080 CONEXXUS_API_KEY=sandbox-key
    python examples/http_shim.py &
    curl -X POST http://localhost:3000/integrations/conexxus/sync
    curl http://localhost:3000/integrations/conexxus/health
    curl http://localhost:3000/products/WINE001
"""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from conexxus_client import Item  # noqa: TC001  # an example imports plainly
from conexxus_sync import CatalogChanges, ConexxusService
from conexxus_sync.http import integration


class Shelf:
    """
    What the shop sells, in memory.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._sequence: int | None = None

    def apply(self, changes: CatalogChanges) -> None:
        """
        Change a copy and swap it in: readers see the old shelf or the new.
        """
        items = dict(self.items)
        items.update((item.sku, item) for item in chain(changes.created, changes.updated))

        for item in changes.removed:
            items.pop(item.sku, None)

        self.items, self._sequence = items, changes.sequence

    def last_applied(self, location_id: str) -> int | None:
        """
        None after a restart: then the SDK hands over the whole catalogue.
        """
        return self._sequence


def create_app(service: ConexxusService, shelf: Shelf) -> Starlette:
    """
    The shop's own routes, and the SDK's under `/integrations/conexxus`.
    """

    async def product(request: Request) -> JSONResponse:
        item = shelf.items.get(request.path_params["sku"])

        if item is None:
            return JSONResponse({"error": "We do not sell that."}, 404)

        return JSONResponse({"sku": item.sku, "name": item.name, "price": str(item.price)})

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[Route("/products/{sku}", product), Route("/health", health), integration(service)],
        lifespan=partial(scheduler, service),
    )


@asynccontextmanager
async def scheduler(service: ConexxusService, app: Starlette) -> AsyncIterator[None]:
    """
    The engines block, so the schedule runs in a thread beside the event loop.
    """
    stop = threading.Event()

    async with anyio.create_task_group() as tasks:
        # The shelf is empty, and the next pull may be due in an hour only.
        tasks.start_soon(partial(anyio.to_thread.run_sync, service.trigger_sync))
        tasks.start_soon(anyio.to_thread.run_sync, service.run_forever, stop)
        try:
            yield
        finally:
            stop.set()


def main() -> None:
    """
    Serve on this machine only; `Access` knows what other addresses need.
    """
    shelf = Shelf()
    service = ConexxusService.from_env(catalog=shelf)
    port = int(os.environ.get("PORT", "3000"))

    uvicorn.run(create_app(service, shelf), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
