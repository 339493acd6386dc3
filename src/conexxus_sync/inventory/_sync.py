"""
`InventorySync`: takes the lease, makes one pull, records its end, and when it is tried again.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import takewhile

import attrs

from conexxus_client import (
    AnswerError,
    ConexxusClient,
    ConexxusError,
    ConfigurationError,
    ResponseTooLargeError,
    StatusError,
    TransportError,
)
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import RunInProgressError, StoreError, SyncError
from conexxus_sync.model.catalogue import Plan
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.protocols import CatalogSource, HostStorage
from conexxus_sync.runtime.run_logging import in_run, safe_logger

from ._host_delivery import HostDelivery
from ._last_read import PullOptions
from ._pull import Pull
from ._rest_source import RestSource


_log = safe_logger(__name__)

FIRST, LONGEST = timedelta(minutes=1), timedelta(minutes=15)

# After so many in a row, the wait does not grow any more.
MANY_FAILURES = 5

# Longer than that no back office is left alone.
A_DAY_S = 86_400.0


@attrs.define(kw_only=True)
class InventorySync:
    """
    The engine that pulls.

    Attributes:
        client: Of the back office; None where the catalogue comes from elsewhere.
        source: Where the catalogue comes from; None from the back office.
        after: Called with the run once it has ended, and its lease was given back.
        storage: Where the host wants the changes; None if the mirror is all.
        progress: Told how many items came so far, and how many will, if known.
    """

    client: ConexxusClient | None
    context: EngineContext
    storage: HostStorage | None = None
    progress: Callable[[int, int | None], None] | None = None
    source: CatalogSource | None = None
    after: Callable[[SyncRun], None] | None = None

    def acquire(self) -> Lease:
        """
        Take the lease for a run that `pull` then makes.

        Raises:
            RunInProgressError: Another run holds it.
            StoreError: The store can't be used.
        """
        return self.context.acquire("inventory")

    def pull(
        self,
        *,
        plan: bool = False,
        force: bool = False,
        reapply: bool = False,
        accept: str | Plan | None = None,
        lease: Lease | None = None,
    ) -> SyncRun:
        """
        Make the mirror what the back office says, or change nothing.

        Args:
            plan: Only say what would change.
            force: Pass all guards, this once.
            reapply: Give the host the whole mirror, not just the changes.
            accept: Id of a planned or refused run: apply its catalogue if
                that is still what the back office has, whatever the guards say;
                or what another location's run showed.
            lease: From `acquire`.

        Where files are the source, each of those that wait is a run of its
        own, until one is refused or fails; the options are those of the first.

        Returns:
            The last run as it was recorded; `failed` if the read, the store or
            the host failed.

        Raises:
            ConfigurationError: There is no such plan, or the options contradict
                each other.
            RunInProgressError: Another run holds the lease.
            StoreError: The store can't be used.
        """
        if accept is not None and (plan or force):
            msg = "accept can't go together with plan or force: it applies what a plan showed"
            raise ConfigurationError([msg])

        source = self._source()

        with self.context.store.keep_open():
            accepted = self.plan(accept) if isinstance(accept, str) else accept
            lease = lease or self.acquire()
            options = PullOptions(plan=plan, force=force, reapply=reapply, accept=accepted)
            run, remaining = self._pull(source, lease, options)
            while remaining and (again := self._next_lease()) is not None:
                run, remaining = self._pull(source, again, PullOptions())
            if self.after is not None:
                self.after(run)

            return run

    def _source(self) -> CatalogSource:
        if self.source is not None:
            return self.source
        if self.client is None:
            msg = "a pull needs a client, or another source of the catalogue"
            raise ConfigurationError([msg])

        return RestSource(self.client)

    def _pull(
        self, source: CatalogSource, lease: Lease, options: PullOptions
    ) -> tuple[SyncRun, int]:
        """
        One run, and how many files are to be applied after it.
        """
        pull = Pull(
            source=source,
            context=self.context,
            host=HostDelivery(context=self.context, storage=self.storage),
            progress=self.progress,
            lease=lease,
            options=options,
        )
        with in_run(lease.run_id, lease.location_id):
            run = self._make(pull, pull.begun, lease)

        # A host that fails has its queue: the catalogue goes on.
        is_applied = pull.committed is not None and pull.file is not None
        return run, pull.file.remaining if is_applied and pull.file is not None else 0

    def _next_lease(self) -> Lease | None:
        """
        The lease for the next file; None if another run takes it.
        """
        try:
            return self.acquire()
        except RunInProgressError:
            return None

    def _make(self, pull: Pull, run: SyncRun, lease: Lease) -> SyncRun:
        try:
            self.context.observer.run_started(run)
            self.context.failpoint("leased")
            run = self._execute(pull)
            self.context.failpoint("release")
        except BaseException as exc:
            # Whatever ended it, history and the collectors see its end.
            if run.status is None:
                run = self._failed(pull, f"ended by an unexpected {type(exc).__name__}")
            raise
        finally:
            self.context.release(lease)
            pull.host.log_failure()
            self.context.observer.run_finished(run)

        return run

    def plan(self, run_id: str) -> Plan:
        """
        What the run with this id looked at and did not apply.

        Raises:
            ConfigurationError: There is no such plan.
            StoreError: The store can't be used.
        """
        with self.context.store.read() as state:
            plan = state.plans.get(run_id)

        if plan is None:
            msg = (
                f"there is no plan {run_id[:60]} for location {self.context.store.location}: "
                "only a planned or refused pull of the last 90 days can be accepted"
            )
            raise ConfigurationError([msg])

        return plan

    def _execute(self, pull: Pull) -> SyncRun:
        try:
            return pull.execute()
        except ConexxusError as exc:
            return self._failed(pull, exc.explanation, exc)

    def _failed(self, pull: Pull, error: str, exc: ConexxusError | None = None) -> SyncRun:
        """
        Record that *pull* failed, in the history, with or without the lease.

        Args:
            exc: If it is an error of the SDK: some pass.
        """
        run = self._as_failed(pull.committed or pull.begun, error)

        try:
            with self.context.store.write() as state:
                # What was committed stays counted, also where the disk failed
                # within the commit and only the file shows its result.
                recorded = state.runs.get(run.id)
                run = run if recorded is None else self._as_failed(recorded, error)
                if exc is not None and recorded is None:
                    run = with_retry(run, exc, state.runs.history(RunKind.INVENTORY, MANY_FAILURES))
                state.runs.save(run)
        except StoreError as lost:
            _log.error("Run %s could not be recorded: %s", run.id, lost)

        return run

    def _as_failed(self, run: SyncRun, error: str) -> SyncRun:
        return attrs.evolve(
            run,
            status=RunStatus.FAILED,
            end_time=self.context.clock.now(),
            errors=[RunIssue(item=None, error=error), *run.errors],
            last_error=error,
        )


def with_retry(run: SyncRun, exc: ConexxusError, before: Sequence[SyncRun]) -> SyncRun:
    """
    *run*, which *exc* ended, with the moment of the next try, if it has one.

    Kept with the run: who calls `run_due` from cron has no other memory.

    Args:
        before: The last pulls, latest first.
    """
    if run.end_time is None or not is_passing(exc):
        return run

    failures = sum(1 for _ in takewhile(lambda it: it.retry_at is not None, before))
    not_before = None

    if exc.retry_after:
        not_before = run.end_time + timedelta(seconds=min(exc.retry_after, A_DAY_S))

    return attrs.evolve(
        run,
        retry_at=run.end_time + min(FIRST * 2**failures, LONGEST),
        not_before=not_before,
    )


def is_passing(exc: ConexxusError) -> bool:
    """
    May the same pull succeed in a while: network, 429, 5xx, a broken read, or
    a process that was stopped?
    """
    if isinstance(exc, StatusError):
        return exc.retryable

    is_broken = isinstance(exc, AnswerError) and not isinstance(exc, ResponseTooLargeError)

    return is_broken or isinstance(exc, TransportError) or type(exc) is SyncError
