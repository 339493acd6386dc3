"""
`LocalExecutor`: a bounded pool of threads.
"""

import threading
import time
from collections.abc import Callable
from contextvars import Context
from datetime import timedelta
from queue import SimpleQueue

import attrs

from conexxus_sync.model.runs import RunKind
from conexxus_sync.runtime.cancellation import scheduler_scope

from ._work_item import WorkItem


# Service managers allow five seconds between SIGTERM and SIGKILL.
CLOSED_WITHIN_S = 4.0


@attrs.define(eq=False)
class Job:
    """
    An item at work.

    Attributes:
        ends_at: Monotonic seconds at which its time is up; None before it began.
    """

    item: WorkItem
    is_cancelled: bool = False
    ends_at: float | None = None

    def is_over(self) -> bool:
        return self.is_cancelled or (self.ends_at is not None and time.monotonic() >= self.ends_at)


class LocalExecutor:
    """
    Runs items in threads of this process, and needs no server.

    A run whose time is up is stopped: its calls end within a second.  One that
    hangs in the host's own code can't be ended; it costs one thread.

    Args:
        perform: Makes one run, and never raises.
        workers: How many threads there are, from the first item on.
        budget: How long one run may take.
        on_free: Called when a thread has become free.
    """

    def __init__(
        self,
        perform: Callable[[WorkItem], None],
        *,
        workers: int = 16,
        budget: timedelta = timedelta(minutes=5),
        on_free: Callable[[], None] = lambda: None,
    ) -> None:
        self._perform = perform
        self._workers = workers
        self._budget_s = budget.total_seconds()
        self._on_free = on_free
        self._jobs = dict[tuple[str, RunKind], Job]()
        self._queue = SimpleQueue[Job | None]()
        self._threads = list[threading.Thread]()
        self._lock = threading.Lock()
        self._is_closed = False

    def submit(self, item: WorkItem) -> None:
        """
        Run *item* soon; not if its location has a run of its kind at work here.
        """
        with self._lock:
            if self._is_closed or (item.location_id, item.kind) in self._jobs:
                return
            job = self._jobs[item.location_id, item.kind] = Job(item)
            if not self._threads:
                self._start()

        self._queue.put(job)

    def cancel(self, key: str) -> None:
        """
        Stop the run with this key, or do not begin it.
        """
        with self._lock:
            for job in self._jobs.values():
                if job.item.key == key:
                    job.is_cancelled = True

    def capacity(self) -> int:
        """
        How many threads are free.
        """
        with self._lock:
            return 0 if self._is_closed else self._workers - len(self._jobs)

    def reconcile(self) -> None:
        """
        Nothing is handed to other processes.
        """

    def close(self) -> None:
        """
        Stop what runs; what hangs is left behind after four seconds.
        """
        with self._lock:
            self._is_closed = True
            for job in self._jobs.values():
                job.is_cancelled = True

        ends_at = time.monotonic() + CLOSED_WITHIN_S
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(max(ends_at - time.monotonic(), 0.0))

    def _start(self) -> None:
        for number in range(self._workers):
            # As daemons, they keep no process that wants to end.
            name = f"conexxus-fleet-{number + 1}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                if not job.is_cancelled:
                    # No run sees what the one before has set.
                    Context().run(self._run, job)
            finally:
                with self._lock:
                    del self._jobs[job.item.location_id, job.item.kind]
                self._on_free()

    def _run(self, job: Job) -> None:
        job.ends_at = time.monotonic() + self._budget_s

        with scheduler_scope(job.is_over):
            self._perform(job.item)
