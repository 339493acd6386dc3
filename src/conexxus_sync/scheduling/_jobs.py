"""
What a scheduler asks of the service that it runs.
"""

from typing import Protocol

from conexxus_sync.config import SyncConfig
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.sales import SalesPush
from conexxus_sync.stores._protocols import SyncStore


class Schedulable(Protocol):
    """
    Something that pulls and pushes for one location.
    """

    @property
    def missing(self) -> tuple[str, ...]: ...

    @property
    def config(self) -> SyncConfig: ...

    @property
    def store(self) -> SyncStore: ...

    @property
    def sales(self) -> SalesPush | None: ...

    @property
    def is_stopping(self) -> bool: ...

    def sync_inventory(self) -> SyncRun: ...
