"""
Keep a catalogue and a day of sales in step with a back office.

Start with `ConexxusService`; fill in `CatalogStorage` and `OrderSource`.
"""

import logging

from conexxus_sync.health._health import SalesHealth, ServiceHealth, ServiceState
from conexxus_sync.health._overview import Day, DayState, Overview, RefusedCatalogue
from conexxus_sync.health._quarantine import Quarantine
from conexxus_sync.health._store_snapshot import StoreCounts
from conexxus_sync.model.alerts import Alert, AlertName, Severity
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.model.guards import Guards
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.scheduling._trigger import Trigger
from conexxus_sync.service._results import RunHistory
from conexxus_sync.stores._protocols import SyncStore

from .collectors import InMemoryCollector, LoggingCollector
from .config import SyncConfig
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
    CatalogChanges,
    CatalogStorage,
    Clock,
    MetricsCollector,
    OrderSource,
    RestorableCatalogStorage,
    Stream,
    TransactionalCatalogStorage,
)
from .sales import SalesPush
from .service import ConexxusService
from .stores import open_store


# Whether and where to log is the application's decision.
logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "Alert",
    "AlertName",
    "ApiConnection",
    "CatalogChanges",
    "CatalogStorage",
    "Clock",
    "ConexxusService",
    "DateClosedError",
    "Day",
    "DayState",
    "Guards",
    "HostError",
    "InMemoryCollector",
    "InventorySync",
    "LeaseLostError",
    "LoggingCollector",
    "MetricsCollector",
    "OrderSource",
    "Overview",
    "Quarantine",
    "RefusedCatalogue",
    "RestorableCatalogStorage",
    "RunHistory",
    "RunInProgressError",
    "RunIssue",
    "RunKind",
    "RunStatus",
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
    "open_store",
]
