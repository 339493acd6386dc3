"""
Keep a catalogue and a day of sales in step with a back office.

Start with `ConexxusService`; fill in `CatalogStorage` and `OrderSource`.
"""

import logging
from typing import TYPE_CHECKING

from conexxus_client.lazy_names import lazy_names

from ._moved import register as _register_moved_modules


if TYPE_CHECKING:
    from conexxus_sync.health._health import SalesHealth, ServiceHealth, ServiceState
    from conexxus_sync.health._overview import Day, DayState, Overview, Quarantine, RefusedCatalogue
    from conexxus_sync.health._store_snapshot import StoreCounts
    from conexxus_sync.model.alerts import Alert, AlertName, Severity
    from conexxus_sync.model.api_connection import ApiConnection
    from conexxus_sync.model.calendar import StoreCalendar
    from conexxus_sync.model.guards import Guards, SalesGuards
    from conexxus_sync.model.order_records import OrderRemark, UnusableTransaction
    from conexxus_sync.model.runs import IssueKind, RunIssue, RunKind, RunStatus, SyncRun
    from conexxus_sync.model.sales import Batch, BatchState, OutboxError
    from conexxus_sync.scheduling._background_runs import Trigger
    from conexxus_sync.service._queries import RunHistory

    from .collectors import InMemoryCollector, LoggingCollector
    from .config import SyncConfig
    from .engines import EngineContext
    from .errors import (
        DateClosedError,
        HostError,
        LeaseLostError,
        RunInProgressError,
        StoreError,
        SyncError,
    )
    from .inventory import InventorySync
    from .protocols import (
        AsyncCatalogChanges,
        AsyncCatalogStorage,
        AsyncOrderSource,
        AsyncStream,
        CatalogChanges,
        CatalogReading,
        CatalogSource,
        CatalogStorage,
        CatalogStream,
        Clock,
        MetricsCollector,
        OrderSource,
        RestorableCatalogStorage,
        Stream,
        TransactionalCatalogStorage,
        VoidingOrderSource,
    )
    from .sales import Adoption, ClockProblem, HeldDates, OutboxOperator, SalesPush
    from .service import ConexxusService
    from .stores import LocationStore, SyncStore, open_store
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "health._health": "SalesHealth ServiceHealth ServiceState",
            "health._overview": "Day DayState Overview Quarantine RefusedCatalogue",
            "health._store_snapshot": "StoreCounts",
            "model.alerts": "Alert AlertName Severity",
            "model.api_connection": "ApiConnection",
            "model.calendar": "StoreCalendar",
            "model.guards": "Guards SalesGuards",
            "model.order_records": "OrderRemark UnusableTransaction",
            "model.runs": "IssueKind RunIssue RunKind RunStatus SyncRun",
            "model.sales": "Batch BatchState OutboxError",
            "scheduling._background_runs": "Trigger",
            "service._queries": "RunHistory",
            "collectors": "InMemoryCollector LoggingCollector",
            "config": "SyncConfig",
            "engines": "EngineContext",
            "errors": (
                "DateClosedError HostError LeaseLostError RunInProgressError StoreError SyncError"
            ),
            "inventory": "InventorySync",
            "protocols": (
                "AsyncCatalogChanges AsyncCatalogStorage AsyncOrderSource AsyncStream "
                "CatalogChanges CatalogReading CatalogSource CatalogStorage CatalogStream "
                "Clock MetricsCollector OrderSource "
                "RestorableCatalogStorage Stream TransactionalCatalogStorage VoidingOrderSource"
            ),
            "sales": "Adoption ClockProblem HeldDates OutboxOperator SalesPush",
            "service": "ConexxusService",
            "stores": "LocationStore SyncStore open_store",
        },
    )

# Whether and where to log is the application's decision.
logging.getLogger(__name__).addHandler(logging.NullHandler())

_register_moved_modules()

__all__ = [
    "Adoption",
    "Alert",
    "AlertName",
    "ApiConnection",
    "AsyncCatalogChanges",
    "AsyncCatalogStorage",
    "AsyncOrderSource",
    "AsyncStream",
    "Batch",
    "BatchState",
    "CatalogChanges",
    "CatalogReading",
    "CatalogSource",
    "CatalogStorage",
    "CatalogStream",
    "Clock",
    "ClockProblem",
    "ConexxusService",
    "DateClosedError",
    "Day",
    "DayState",
    "EngineContext",
    "Guards",
    "HeldDates",
    "HostError",
    "InMemoryCollector",
    "InventorySync",
    "IssueKind",
    "LeaseLostError",
    "LocationStore",
    "LoggingCollector",
    "MetricsCollector",
    "OrderRemark",
    "OrderSource",
    "OutboxError",
    "OutboxOperator",
    "Overview",
    "Quarantine",
    "RefusedCatalogue",
    "RestorableCatalogStorage",
    "RunHistory",
    "RunInProgressError",
    "RunIssue",
    "RunKind",
    "RunStatus",
    "SalesGuards",
    "SalesHealth",
    "SalesPush",
    "ServiceHealth",
    "ServiceState",
    "Severity",
    "StoreCalendar",
    "StoreCounts",
    "StoreError",
    "Stream",
    "SyncConfig",
    "SyncError",
    "SyncRun",
    "SyncStore",
    "TransactionalCatalogStorage",
    "Trigger",
    "UnusableTransaction",
    "VoidingOrderSource",
    "open_store",
]
