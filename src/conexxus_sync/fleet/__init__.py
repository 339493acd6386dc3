"""
Many locations in one process: what is due, and what runs it.
"""

from ._fleet import Fleet
from ._fleet_options import FleetOptions
from ._local_executor import LocalExecutor
from ._store_settings import StoreSettings, WrongStore
from ._work_item import Executor, WorkItem


__all__ = [
    "Executor",
    "Fleet",
    "FleetOptions",
    "LocalExecutor",
    "StoreSettings",
    "WorkItem",
    "WrongStore",
]
