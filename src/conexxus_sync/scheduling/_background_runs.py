"""
Triggered runs, each in a thread of its own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

import attrs

from conexxus_client import ConexxusError
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import RunInProgressError, SyncError
from conexxus_sync.model.leases import Lease, LeaseKind
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.runtime.cancellation import interruptible, scheduler_scope
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.runtime.threads import JobThread


# How many that raised are remembered.
KEPT = 20

_NAMES: dict[LeaseKind, str] = {"inventory": "pull", "sales": "push"}

_log = safe_logger(__name__)


@attrs.frozen(kw_only=True)
class Trigger:
    """
    What became of the wish to pull, or to push.

    Attributes:
        run_id: Of the run that was started, or that is in progress; None if
            it was skipped.
        already_running: Whether it had been started before.
        skipped: Why there is no run.
    """

    run_id: str | None
    already_running: bool = False
    skipped: str | None = None


@attrs.define(eq=False, kw_only=True)
class BackgroundRuns:
    """
    Those that one service began.

    Attributes:
        client: Whose calls end early when a run is to stop.
        on_end: Called after each.
    """

    context: EngineContext
    client: object
    on_end: Callable[[], None]
    _runs: list["BackgroundRun"] = attrs.field(factory=list, init=False)
    _failed: deque[SyncRun] = attrs.field(factory=lambda: deque(maxlen=KEPT), init=False)
    _closed: bool = attrs.field(default=False, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def renew(self) -> None:
        """
        In a child process: the runs are the parent's.
        """
        self._runs, self._lock = [], threading.Lock()

    def start(self, acquire: Callable[[], Lease], work: Callable[[Lease], object]) -> Trigger:
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

        run = BackgroundRun(lease)

        try:
            # A shutdown either refuses this run or waits for it.
            with self._lock:
                self._start(run, work)
        except BaseException:
            # Our process may well live on, and would hold it for ten minutes.
            if not run.is_running:
                self.context.release(lease)
            raise

        return Trigger(run_id=lease.run_id)

    def stop(self, deadline: float) -> list["BackgroundRun"]:
        """
        Ask all of them to stop.

        Args:
            deadline: How long each is waited for, by the monotonic clock, if
                it was not asked to stop before.

        Returns:
            Those to wait for.
        """
        with self._lock:
            self._runs = [run for run in self._runs if run.is_running]
            for run in self._runs:
                run.request_stop(deadline)

            return [run for run in self._runs if run.is_awaited]

    def close(self) -> None:
        """
        Begin no run any more.
        """
        with self._lock:
            self._closed = True

    def failed(self, run_id: str) -> SyncRun | None:
        """
        The run with this id, if it raised: what raises can often not be
        recorded.
        """
        return next((run for run in tuple(self._failed) if run.id == run_id), None)

    def _start(self, run: "BackgroundRun", work: Callable[[Lease], object]) -> None:
        if self._closed or self.context.is_stopping():
            msg = "the run was not started: the service is stopping"
            raise SyncError(msg)

        try:
            run.start(lambda: self._work(work, run.lease), self.client)
        except RuntimeError as exc:
            msg = f"the run was not started: {exc}"
            raise SyncError(msg) from exc

        self._runs = [*(one for one in self._runs if one.is_running), run]

    def _work(self, work: Callable[[Lease], object], lease: Lease) -> None:
        try:
            work(lease)
        except BaseException as exc:  # noqa: BLE001  # the thread has no caller
            _log.exception("Run %s failed", lease.run_id)
            self._failed.append(_failed(lease, exc, self.context.clock.now()))
        finally:
            self.on_end()


@attrs.define(eq=False)
class BackgroundRun:
    """
    One of them.
    """

    lease: Lease
    _thread: JobThread = attrs.field(init=False)
    _deadline: float | None = attrs.field(default=None, init=False)

    @_thread.default
    def _new_thread(self) -> JobThread:
        return JobThread(self.lease.run_id)

    @property
    def name(self) -> str:
        """
        What it is, for people.
        """
        return _NAMES[self.lease.kind]

    @property
    def is_running(self) -> bool:
        return self._thread.is_running

    @property
    def is_awaited(self) -> bool:
        """
        Has it time left to end in?  None has that waits for itself: a host may
        close the service from within a run.
        """
        return self._remaining_s > 0.0 and not self._thread.is_current

    def start(self, work: Callable[[], object], client: object) -> None:
        """
        Start *work*. What it did not commit when the process ends is undone,
        and its lease is known to be abandoned.

        Raises:
            RuntimeError: There is no thread to be had.
        """

        def stop() -> bool:
            return self._deadline is not None

        def job() -> None:
            with scheduler_scope(stop), interruptible(client, stop):
                work()

        self._thread.start(job, or_here=False)

    def request_stop(self, deadline: float) -> None:
        """
        Ask it to stop; the first request counts.
        """
        if self._deadline is None:
            self._deadline = deadline

    def join(self, *, within_s: float) -> bool:
        """
        Wait until it is over, so many seconds or until its time is up.

        Returns:
            Whether it is over.
        """
        return self._thread.join(within_s=min(within_s, self._remaining_s))

    @property
    def _remaining_s(self) -> float:
        return 0.0 if self._deadline is None else self._deadline - time.monotonic()


def _failed(lease: Lease, exc: BaseException, now: datetime) -> SyncRun:
    error = (
        exc.explanation
        if isinstance(exc, ConexxusError)
        else f"ended by an unexpected {type(exc).__name__}"
    )

    return SyncRun(
        id=lease.run_id,
        kind=RunKind(lease.kind),
        location_id=lease.location_id,
        status=RunStatus.FAILED,
        start_time=lease.renewed_at,
        end_time=now,
        errors=[RunIssue(item=None, error=error)],
        last_error=error,
    )
