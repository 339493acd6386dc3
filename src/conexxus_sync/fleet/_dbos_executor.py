"""
`DbosExecutor`: several processes take runs from one queue of DBOS.

DBOS carries runs from the process that found them due to one that is free, and
no more: what is due, how it ended and which attempt it is are in the store, and
so is the lease that keeps a second run out.  A queue that is lost costs nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

import attrs
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID, WorkflowStatus

from conexxus_client import ConfigurationError
from conexxus_sync.errors import StoreError
from conexxus_sync.model.leases import LEASE_LENGTH
from conexxus_sync.protocols import Clock
from conexxus_sync.runtime.cancellation import scheduler_scope
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.runtime.processes import LinuxProcesses, Processes, ProcessIdentity
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import SyncStore
from conexxus_sync.stores.sqlite import SqliteStore

from ._local_executor import CLOSED_WITHIN_S, Job
from ._work_item import EngineError, WorkItem


# Of the engine's tables, whichever release of the SDK wrote them: by default it is
# made of the code, and runs of another version are never begun.
VERSION = "conexxus-fleet-1"
QUEUE = "conexxus-fleet"
WORKFLOW = "conexxus.fleet"

# How often each process asks the queue for runs.
POLLED_S = 0.5
# Runs that ended stay in the engine's tables unless they are deleted.
KEPT = timedelta(days=1)
DELETED_EVERY_S = 600.0
DELETED_AT_ONCE = 500

# Of each process to the engine's tables, besides those to the store.
CONNECTIONS = 5

_QUEUED, _BEGUN = "ENQUEUED", "PENDING"

_log = safe_logger(__name__)


@attrs.define(eq=False)
class DbosExecutor:
    """
    Runs items in whichever process of the fleet has a free thread.

    One a process, as DBOS is.

    Attributes:
        perform: Makes one run, and never raises.
        store: Counts the attempts, and has the leases.  The tables of the engine are
            beside it, in a file of SQLite or a schema of the same PostgreSQL.
        dbos: The host's own engine instead, which is launched already and stays so.
        workers: How many runs go on at a time in each process; the engine keeps
            one number for all, the last one that was given.
        budget: How long one run may take.
        on_free: Called when a run has ended in this process.
        clock: For the leases.
        processes: Which processes of this machine are gone.

    Raises:
        ConfigurationError: There is such an executor in this process already.
        StoreError: The engine does not start.
    """

    perform: Callable[[WorkItem], None]
    store: SyncStore = attrs.field(kw_only=True)
    dbos: DBOS | None = attrs.field(default=None, kw_only=True)
    workers: int = attrs.field(default=16, kw_only=True)
    budget: timedelta = attrs.field(default=timedelta(minutes=5), kw_only=True)
    on_free: Callable[[], None] = attrs.field(default=lambda: None, kw_only=True)
    clock: Clock = attrs.field(factory=SystemClock, kw_only=True)
    processes: Processes = attrs.field(factory=LinuxProcesses, kw_only=True)
    _id: str = attrs.field(init=False)
    _jobs: dict[str, Job] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _is_closed: bool = attrs.field(default=False, init=False)
    _delete_at: float = attrs.field(factory=time.monotonic, init=False)

    _current: ClassVar["DbosExecutor | None"] = None

    def __attrs_post_init__(self) -> None:
        if DbosExecutor._current is not None:
            raise ConfigurationError(["one process has one DbosExecutor: close the other first"])

        self._id = _executor_id(self.processes.current())
        DbosExecutor._current = self
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def submit(self, item: WorkItem) -> None:
        """
        Put *item* into the queue, unless this attempt is there already.

        Raises:
            StoreError: The queue can't be used.
        """
        if self._is_closed:
            return

        with (
            _engine(),
            SetWorkflowID(item.key),
            SetEnqueueOptions(queue_partition_key=item.location_id),
        ):
            handle = DBOS.enqueue_workflow(QUEUE, _run, item.key, item.slot.isoformat())
            is_known = handle.get_status().status in (_QUEUED, _BEGUN)

        if not is_known:
            # Its number was used without the store: an id that ended never runs again.
            self._count(item)

    def cancel(self, key: str) -> None:
        """
        Stop the run with this key, or do not begin it; one in another process is
        stopped when its time is up.

        Raises:
            StoreError: The queue can't be used.
        """
        with _engine():
            DBOS.cancel_workflow(key)

        with self._lock:
            if (job := self._jobs.get(key)) is not None:
                job.is_cancelled = True

    def capacity(self) -> int:
        """
        How many items more the queue takes: two for each thread of this process,
        with those that run here.

        Raises:
            StoreError: The queue can't be used.
        """
        if self._is_closed:
            return 0

        ours = [it for it in self._unfinished() if it.status == _QUEUED or self._is_here(it)]

        return 2 * self.workers - len(ours)

    def reconcile(self) -> None:
        """
        Give up the runs of processes that are gone, and delete what ended long ago.

        To the engine, a run of a process that is gone goes on for ever, and holds
        its location.  Where the engine has lost its tables, it makes them anew.
        """
        try:
            with _engine():
                for run in self._unfinished():
                    item = WorkItem.of_key(run.workflow_id, self.clock.now())
                    if self._is_lost(run, item):
                        DBOS.cancel_workflow(item.key)
                        self._count(item)
                self._delete()
        except EngineError:
            if self.dbos is None and not self._is_closed:
                DBOS.destroy()
                self._open()
            raise

    def close(self) -> None:
        """
        Stop what runs; what is in the queue stays there for the others.
        """
        with self._lock:
            self._is_closed = True
            for job in self._jobs.values():
                job.is_cancelled = True

        if DbosExecutor._current is self:
            if self.dbos is None:
                DBOS.destroy(workflow_completion_timeout_sec=int(CLOSED_WITHIN_S))
            DbosExecutor._current = None

    def run(self, key: str, slot: str) -> None:
        """
        Make the run that the queue has handed to this process.
        """
        item = WorkItem.of_key(key, datetime.fromisoformat(slot))
        job = Job(item, ends_at=time.monotonic() + self.budget.total_seconds())

        with self._lock:
            if self._is_closed:
                return
            self._jobs[key] = job

        try:
            with scheduler_scope(job.is_over):
                self.perform(item)
        finally:
            with self._lock:
                del self._jobs[key]
            self._count(item)
            self.on_free()

    def _open(self) -> None:
        with _engine():
            if self.dbos is None:
                # Without a handler, the engine writes to the console by itself.
                logging.getLogger("dbos").addHandler(logging.NullHandler())
                DBOS(config=self._config())
                DBOS.launch()
            DBOS.register_queue(
                QUEUE,
                worker_concurrency=self.workers,
                partition_concurrency=1,
                polling_interval_sec=POLLED_S,
                on_conflict="always_update",
            )

    def _config(self) -> DBOSConfig:
        url, schema = _beside(self.store)

        return {
            "name": QUEUE,
            "system_database_url": url,
            "dbos_system_schema": schema,
            "application_version": VERSION,
            "executor_id": self._id,
            # For the runs, and for the engine's own work.
            "max_executor_threads": self.workers + 2,
            "sys_db_pool_size": CONNECTIONS,
            # Nothing is sent to a run.
            "use_listen_notify": False,
            "log_level": "WARNING",
        }

    def _unfinished(self) -> list[WorkflowStatus]:
        with _engine():
            return DBOS.list_workflows(
                name=WORKFLOW, status=[_QUEUED, _BEGUN], load_input=False, load_output=False
            )

    def _is_here(self, run: WorkflowStatus) -> bool:
        return run.executor_id == self._id or run.workflow_id in self._jobs

    def _is_lost(self, run: WorkflowStatus, item: WorkItem) -> bool:
        """
        Has it begun in a process that is gone?  One on another machine is gone if
        nothing holds the lease, longer after the beginning than any lease lasts.
        """
        if run.status != _BEGUN or self._is_here(run):
            return False
        process = _identity(run.executor_id or "")
        if process is not None and self.processes.is_gone(process):
            return True

        begun_at = (run.dequeued_at or run.created_at or 0) / 1000
        if time.time() - begun_at < LEASE_LENGTH.total_seconds():
            return False
        leases = self.store.at(item.location_id).leases

        return leases.holder(item.kind.value, self.clock.now()) is None

    def _count(self, item: WorkItem) -> None:
        """
        This attempt is over: where no run has taken the lease, nothing else counts it.
        """
        leases = self.store.at(item.location_id).leases

        try:
            leases.pass_over(item.kind.value, item.attempt, self.clock.now())
        except StoreError as exc:
            # Then it is noticed once it is submitted again.
            _log.error("Conexxus can't count a run of %s: %s", item.location_id, exc)

    def _delete(self) -> None:
        if time.monotonic() < self._delete_at:
            return

        before = datetime.fromtimestamp(time.time()).astimezone() - KEPT
        ended = DBOS.list_workflows(
            name=WORKFLOW,
            completed_before=before.isoformat(),
            limit=DELETED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        DBOS.delete_workflows([it.workflow_id for it in ended])
        if len(ended) < DELETED_AT_ONCE:
            self._delete_at = time.monotonic() + DELETED_EVERY_S


@DBOS.workflow(name=WORKFLOW)
def _run(key: str, slot: str) -> None:
    """
    What the engine calls.  It never raises: how a run ended is in the store.
    """
    executor = DbosExecutor._current
    if executor is None:
        return

    try:
        executor.run(key, slot)
    except BaseException:  # noqa: BLE001  # the engine would keep it, pickled
        _log.exception("Conexxus run %s failed", key)


@contextmanager
def _engine() -> Iterator[None]:
    """
    A block in which errors of the engine are those of a store.
    """
    try:
        yield
    except StoreError:
        raise
    except Exception as exc:  # the engine and two databases have no common class
        msg = f"the queue of the fleet can't be used: {type(exc).__name__}"
        raise EngineError(msg) from exc


def _beside(store: SyncStore) -> tuple[str, str | None]:
    """
    Database and schema of the engine's tables.
    """
    if isinstance(store, SqliteStore):
        return f"sqlite:///{store.path.absolute()}.dbos", None

    from conexxus_sync.stores.postgres import PostgresStore

    assert isinstance(store, PostgresStore)

    return store.address.url(), f"{store.address.schema[:58]}_dbos"


def _executor_id(me: ProcessIdentity) -> str:
    """
    Another one for each executor: the engine begins the runs of its own id anew.
    """
    return "|".join([me.boot, me.namespace, str(me.pid), me.started, me.host, uuid4().hex[:8]])


def _identity(executor_id: str) -> ProcessIdentity | None:
    """
    The process that has this id; None if the host gave it.
    """
    match executor_id.split("|"):
        case [boot, namespace, pid, started, host, _]:
            return ProcessIdentity(
                boot=boot, namespace=namespace, pid=int(pid), started=started, host=host
            )
        case _:
            return None
