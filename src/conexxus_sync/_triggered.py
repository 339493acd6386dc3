"""
Runs that somebody asked for and nobody waits for: each in a thread of its own.
"""

import threading
from collections.abc import Callable

import attrs

from ._answers import Trigger
from ._logs import safe_logger
from .errors import RunInProgressError, StoreError, SyncError
from .leases import Lease
from .stores import SyncStore


_log = safe_logger(__name__)


@attrs.define(eq=False)
class TriggeredRuns:
    """
    Those that one service began.

    Attributes:
        is_stopping: Whether no run is to be begun any more.
    """

    store: SyncStore
    is_stopping: Callable[[], bool]

    def begin(self, acquire: Callable[[], Lease], work: Callable[[Lease], object]) -> Trigger:
        """
        Begin *work* in a thread, unless a run of its kind is in progress.

        Raises:
            SyncError: There is no thread to be had, or the service stops; the
                lease is given back.
            StoreError: The store can't be used.
        """
        try:
            lease = acquire()
        except RunInProgressError as exc:
            return Trigger(run_id=exc.run_id, already_running=True)

        try:
            self._start(TriggeredRun(lease), work)
        except SyncError:
            # Our process may well live on, and would hold it for ten minutes.
            self._release(lease)
            raise

        return Trigger(run_id=lease.run_id)

    def _start(self, run: "TriggeredRun", work: Callable[[Lease], object]) -> None:
        if self.is_stopping():
            msg = "the run was not started: the service is stopping"
            raise SyncError(msg)

        try:
            run.start(work)
        except RuntimeError as exc:
            msg = f"the run was not started: {exc}"
            raise SyncError(msg) from exc

    def _release(self, lease: Lease) -> None:
        try:
            self.store.leases.release(lease)
        except StoreError:
            # It expires, or our process ends, and either frees it.
            _log.exception("The lease of run %s could not be given back", lease.run_id)


@attrs.define(eq=False)
class TriggeredRun:
    """
    One of them.
    """

    lease: Lease

    def start(self, work: Callable[[Lease], object]) -> None:
        """
        Start *work*.

        As a daemon, its thread does not keep a process that wants to end: what
        it did not commit is undone, and its lease is known to be abandoned.

        Raises:
            RuntimeError: There is no thread to be had.
        """
        threading.Thread(
            target=self._work, args=(work,), name=f"conexxus-{self.lease.run_id}", daemon=True
        ).start()

    def _work(self, work: Callable[[Lease], object]) -> None:
        try:
            work(self.lease)
        except Exception:  # noqa: BLE001  # nobody waits for this thread
            _log.exception("Run %s failed", self.lease.run_id)
