"""
Many locations in one process: what is due, and what runs it.
"""

from ._catalogue_hold import CatalogueHold
from ._fleet import Fleet
from ._fleet_alerts import FleetAlert, fleet_alerts
from ._fleet_file import FleetFile, read_fleet_file
from ._fleet_options import FleetOptions
from ._fleet_status import StoreState, StoreStatus, fleet_status
from ._local_executor import LocalExecutor
from ._rollout import StorePull, catalogue_of, pull_stores
from ._store_settings import StoreSettings, WrongStore
from ._work_item import Executor, WorkItem


__all__ = [
    "CatalogueHold",
    "Executor",
    "Fleet",
    "FleetAlert",
    "FleetFile",
    "FleetOptions",
    "LocalExecutor",
    "StorePull",
    "StoreSettings",
    "StoreState",
    "StoreStatus",
    "WorkItem",
    "WrongStore",
    "catalogue_of",
    "fleet_alerts",
    "fleet_status",
    "pull_stores",
    "read_fleet_file",
]
