"""
`EngineContext`: the store, clock and settings of one location, and its leases.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import attrs

from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import StoreError
from conexxus_sync.model.leases import Lease, LeaseKind
from conexxus_sync.model.runs import new_run_id
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import LocationStore


_log = safe_logger(__name__)


def ignore(*_: object) -> None:
    """
    Default callback; does nothing.
    """


@attrs.frozen(kw_only=True)
class EngineContext:
    """
    What the engines of one location work with, made once for all of them.

    Attributes:
        observer: Is notified of each run.
        is_stopping: Whether a run shall end as soon as it can; by default, none shall.
        failpoint: Called with the name of each step as it is reached, for tests.
        new_id: Makes the id of a run.
    """

    store: LocationStore
    config: SyncConfig
    clock: Clock
    observer: FanOut = attrs.field(factory=FanOut)
    is_stopping: Callable[[], bool] = bool
    failpoint: Callable[[str], None] = ignore
    new_id: Callable[[datetime], str] = new_run_id

    def is_stopping_at(self, step: str) -> bool:
        """
        Shall the run end at *step*, which is reached?
        """
        self.failpoint(step)

        return self.is_stopping()

    def acquire(self, kind: LeaseKind) -> Lease:
        """
        Take the lease for a run of this kind.

        Raises:
            RunInProgressError: Another run holds it.
            StoreError: The store can't be used.
        """
        now = self.clock.now()

        return self.store.leases.acquire(kind, self.new_id(now), now)

    def release(self, lease: Lease) -> None:
        """
        Give *lease* back.
        """
        try:
            self.store.leases.release(lease)
        except StoreError as exc:
            # It expires, or our process ends, and either frees it.
            _log.error("The lease of run %s could not be given back: %s", lease.run_id, exc)

    @contextmanager
    def leased(self, kind: LeaseKind) -> Iterator[Lease]:
        """
        The lease for a run of this kind, which is then given back.

        Raises:
            RunInProgressError: Another run holds it.
            StoreError: The store can't be used.
        """
        lease = self.acquire(kind)

        try:
            yield lease
        finally:
            self.release(lease)
