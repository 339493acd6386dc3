"""
`InventorySync`: takes the lease, makes one pull, records and reports its end.
"""

from collections.abc import Callable
from datetime import datetime

import attrs

from conexxus_client import ConexxusClient, ConexxusError, ConfigurationError
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import StoreError
from conexxus_sync.model.catalogue import Plan
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import RunIssue, RunKind, RunStatus, SyncRun, new_run_id
from conexxus_sync.protocols import Clock, HostStorage
from conexxus_sync.runtime.run_logging import in_run, safe_logger
from conexxus_sync.stores._store_protocols import SyncStore

from ._host_delivery import HostDelivery
from ._pull import Pull


_log = safe_logger(__name__)


def _ignore(*_: object) -> None:
    """
    Default callback; does nothing.
    """


@attrs.define(kw_only=True)
class InventorySync:
    """
    The engine that pulls.

    Attributes:
        storage: Where the host wants the changes; None if the mirror is all.
        checkpoint: Called while nothing has changed yet; raises to end the pull.
        failpoint: Called with the name of each step as it is reached, for tests.
        progress: Told how many items came so far, and how many will, if known.
        new_id: Makes the id of a run.
    """

    client: ConexxusClient
    store: SyncStore
    config: SyncConfig
    clock: Clock
    storage: HostStorage | None = None
    collectors: FanOut = attrs.field(factory=FanOut)
    checkpoint: Callable[[], None] = _ignore
    failpoint: Callable[[str], None] = _ignore
    progress: Callable[[int, int | None], None] = _ignore
    new_id: Callable[[datetime], str] = new_run_id

    def acquire(self) -> Lease:
        """
        Take the lease for a run that `pull` then makes.

        Raises:
            RunInProgressError: Another run holds it.
            StoreError: The store can't be used.
        """
        now = self.clock.now()

        return self.store.leases.acquire(
            self.config.location_id, "inventory", self.new_id(now), now
        )

    def pull(
        self,
        *,
        plan: bool = False,
        force: bool = False,
        reapply: bool = False,
        accept: str | None = None,
        lease: Lease | None = None,
    ) -> SyncRun:
        """
        Make the mirror what the back office says, or leave it as it is.

        Args:
            plan: Only say what would change.
            force: Pass all guards, this once.
            reapply: Give the host the whole mirror, not just the changes.
            accept: Id of a planned or refused run: apply its catalogue if
                that is still what the back office has, whatever the guards say.
            lease: From `acquire`.

        Returns:
            The run as it was recorded; `failed` if the read, the store or
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

        accepted = None if accept is None else self.plan(accept)
        lease = lease or self.acquire()
        run = SyncRun(
            id=lease.run_id,
            kind=RunKind.INVENTORY,
            location_id=lease.location_id,
            start_time=lease.renewed_at,
            planned=plan,
        )
        with in_run(run.id, run.location_id):
            pull = self._pull(run, lease, force=force, accept=accepted)
            return self._make(pull, run, lease, reapply=reapply)

    def _make(self, pull: Pull, run: SyncRun, lease: Lease, *, reapply: bool) -> SyncRun:
        try:
            self.collectors.run_started(run)
            self.failpoint("leased")
            run = self._execute(pull, reapply=reapply)
            self.failpoint("release")
        except BaseException as exc:
            # Whatever ended it, history and the collectors see its end.
            if run.status is None:
                run = self._failed(pull, f"ended by an unexpected {type(exc).__name__}")
            raise
        finally:
            self._release(lease)
            self.collectors.run_finished(run)

        return run

    def plan(self, run_id: str) -> Plan:
        """
        What the run with this id looked at and did not apply.

        Raises:
            ConfigurationError: There is no such plan.
            StoreError: The store can't be used.
        """
        location_id = self.config.location_id
        plan = self.store.catalog.plans.get(location_id, run_id)

        if plan is None:
            msg = (
                f"there is no plan {run_id[:60]} for location {location_id}: "
                "only a planned or refused pull of the last 90 days can be accepted"
            )
            raise ConfigurationError([msg])

        return plan

    def _pull(self, run: SyncRun, lease: Lease, *, force: bool, accept: Plan | None) -> Pull:
        return Pull(
            client=self.client,
            store=self.store,
            config=self.config,
            clock=self.clock,
            checkpoint=self.checkpoint,
            failpoint=self.failpoint,
            progress=self.progress,
            lease=lease,
            run=run,
            force=force,
            accept=accept,
            host=HostDelivery(
                store=self.store,
                location_id=run.location_id,
                storage=self.storage,
                removals=self.config.removals == "deactivate",
                failpoint=self.failpoint,
            ),
        )

    def _execute(self, pull: Pull, *, reapply: bool) -> SyncRun:
        try:
            return pull.execute(reapply=reapply)
        except ConexxusError as exc:
            return self._failed(pull, str(exc))

    def _failed(self, pull: Pull, error: str) -> SyncRun:
        """
        Record that *pull* failed; history takes it whoever holds the lease.
        """
        run = self._as_failed(pull.committed or pull.begun, error)

        try:
            with self.store.writing() as transaction:
                # What was committed stays counted, also where the disk failed
                # in the middle of it and nobody but the file knows.
                recorded = self.store.runs.get(run.id)
                run = run if recorded is None else self._as_failed(recorded, error)
                self.store.runs.save(transaction, run)
        except StoreError:
            _log.exception("Run %s could not be recorded", run.id)

        return run

    def _as_failed(self, run: SyncRun, error: str) -> SyncRun:
        return attrs.evolve(
            run,
            status=RunStatus.FAILED,
            end_time=self.clock.now(),
            errors=[RunIssue(item=None, error=error), *run.errors],
            last_error=error,
        )

    def _release(self, lease: Lease) -> None:
        try:
            self.store.leases.release(lease)
        except StoreError:
            # It expires, or our process ends, and either frees it.
            _log.exception("The lease of run %s could not be given back", lease.run_id)
