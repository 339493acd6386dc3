"""
Keep a catalogue and a day of sales in step with a back office.

Start with `ConexxusService`; fill in `CatalogStorage` and `OrderSource`.
"""

import logging

from ._answers import Quarantine
from ._connection import ApiConnection
from ._health import SalesHealth, ServiceHealth, ServiceState
from ._known import StoreCounts
from ._overview import Day, DayState, Overview, RefusedCatalogue
from .alerts import Alert, AlertName, Severity
from .calendar import StoreCalendar
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
from .guards import Guards
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
from .runs import RunIssue, RunKind, RunStatus, SyncRun
from .sales import SalesPush
from .service import ConexxusService, RunHistory, Trigger
from .stores import SyncStore, open_store


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
