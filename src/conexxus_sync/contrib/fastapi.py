"""
The service, its schedule and its routes in a FastAPI application.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI

from conexxus_sync.http import PREFIX, Access, Service, api_document, integration
from conexxus_sync.service import ConexxusService
from conexxus_sync.service.running_service import RunningService


_SCHEMAS = "#/components/schemas/"


class Conexxus:
    """
    The integration of one FastAPI application.

    Storage and order source may be asynchronous: they are awaited in the
    application's loop.  Everything else happens in threads.

    Args:
        make: Makes the service, once the application starts.
        access: Who may call the routes; by default, callers that address this
            machine by a loopback name.
        prefix: Where the routes are.
        schedule: Whether the application also does what is due; without it,
            `conexxus run` or a task queue does.

    Example:
        ```python
        conexxus = Conexxus(lambda: ConexxusService.from_env(catalog=products, orders=orders))
        app = FastAPI(lifespan=conexxus.lifespan)
        conexxus.add_routes(app)


        @app.get("/stock-status")
        def stock_status(service: Annotated[ConexxusService, Depends(conexxus.service)]) -> str:
            return service.health().status
        ```
    """

    def __init__(
        self,
        make: Callable[[], ConexxusService] = ConexxusService.from_env,
        *,
        access: Access | None = None,
        prefix: str = PREFIX,
        schedule: bool = True,
    ) -> None:
        self._running = RunningService(make)
        self._access = access
        self._prefix = prefix
        self._schedule = schedule

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """
        Run the service while the application runs.

        An application with a lifespan of its own enters this one in it:
        `async with conexxus.lifespan(app): …`.
        """
        # Here, so that the service finds the loop.
        self._running.open()
        if self._schedule:
            self._running.start()

        try:
            yield
        finally:
            await asyncio.to_thread(self._running.close)

    async def service(self) -> ConexxusService:
        """
        The service, as a dependency.

        Raises:
            RuntimeError: The application has not started.
        """
        return self._running.service

    def add_routes(self, app: FastAPI) -> None:
        """
        Add the routes of the integration, which the application's OpenAPI
        document then describes, too.
        """
        service = cast("Service", self._running)
        app.routes.append(integration(service, access=self._access, prefix=self._prefix))
        own = app.openapi

        def openapi() -> dict[str, Any]:
            document = own()
            _merge(document, api_document(access=self._access, prefix=self._prefix))
            return document

        # As the framework's own documentation extends the document.
        app.openapi = openapi  # type: ignore[method-assign]


def _merge(document: dict[str, Any], more: dict[str, Any]) -> None:
    """
    Put the paths of *more* into *document*; its schemas have names of their own.
    """
    named = json.loads(json.dumps(more).replace(_SCHEMAS, f"{_SCHEMAS}Conexxus"))
    components = document.setdefault("components", {})
    schemas = {f"Conexxus{name}": it for name, it in named["components"]["schemas"].items()}
    components.setdefault("schemas", {}).update(schemas)

    if named["security"]:
        schemes = named["components"]["securitySchemes"]
        components.setdefault("securitySchemes", {})["ConexxusToken"] = schemes["token"]

    for path, operations in named["paths"].items():
        for operation in operations.values():
            operation["tags"] = ["conexxus"]
            if named["security"]:
                operation["security"] = [{"ConexxusToken": []}]
        document.setdefault("paths", {})[path] = operations
