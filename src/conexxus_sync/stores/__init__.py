"""
The SDK's own state, behind protocols: what the engines ask of a database.
"""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from conexxus_client import ConfigurationError
from conexxus_sync.leases import Lease, LeaseKind
from conexxus_sync.runs import RunKind, SyncRun


class RunStore(Protocol):
    """
    The history of runs.
    """

    def save(self, connection: Any, run: SyncRun) -> None: ...

    def get(self, run_id: str) -> SyncRun | None: ...

    def latest(self, location_id: str, kind: RunKind) -> SyncRun | None: ...

    def history(
        self,
        location_id: str,
        kind: RunKind | None = None,
        limit: int = 20,
        *,
        planned: bool = False,
    ) -> list[SyncRun]: ...

    def purge(self, connection: Any, location_id: str, before: datetime) -> None: ...


class LeaseStore(Protocol):
    """
    Who may write.
    """

    def acquire(self, location_id: str, kind: LeaseKind, run_id: str, now: datetime) -> Lease: ...

    def renew(self, lease: Lease, now: datetime) -> Lease: ...

    def release(self, lease: Lease) -> None: ...

    def holder(self, location_id: str, kind: LeaseKind, now: datetime) -> str | None: ...


class OutboxStore(Protocol):
    """
    Batches of sales and what became of them.
    """


class SyncStore(Protocol):
    """
    Everything that the SDK remembers.
    """

    @property
    def runs(self) -> RunStore: ...

    @property
    def leases(self) -> LeaseStore: ...

    @property
    def outbox(self) -> OutboxStore: ...

    def reading(self) -> AbstractContextManager[Any]: ...

    def writing(
        self, lease: Lease | None = None, *, connection: Any = None
    ) -> AbstractContextManager[Any]: ...


def open_store(url: str) -> SyncStore:
    """
    The store that *url* names; its file is created when first needed.

    Args:
        url: `sqlite:///relative.db`, or `sqlite:////absolute/path.db`.

    Raises:
        ConfigurationError: No store speaks this URL.
    """
    scheme, _, path = url.partition(":///")

    if scheme == "sqlite" and path:
        from .sqlite import SqliteStore

        return SqliteStore(path)

    if url.startswith("postgresql://"):
        msg = (
            "CONEXXUS_STORE names a PostgreSQL database, and this version of conexxus-sdk "
            "keeps its state in SQLite only: use sqlite:///path"
        )
        raise ConfigurationError([msg])

    msg = "CONEXXUS_STORE must start with sqlite:/// and name a file"
    raise ConfigurationError([msg])
