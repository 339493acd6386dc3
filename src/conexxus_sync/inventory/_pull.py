"""
One pull from the first request to the last write; decides whether a catalogue is refused.
"""

from collections.abc import Callable
from datetime import timedelta

import attrs

from conexxus_client import CatalogRead, ConexxusClient, EnvelopeError
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import SyncError, TransactionEndedError
from conexxus_sync.model.catalogue import CatalogueDiff, Checkpoint, Plan, RejectedElement
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import MAX_ERRORS, IssueKind, RunIssue, RunKind, RunStatus, SyncRun
from conexxus_sync.stores import State
from conexxus_sync.stores._catalogue_staging import CatalogueStaging
from conexxus_sync.stores.retention import is_safe_to_purge

from ._host_delivery import HostDelivery
from ._results import with_counts, with_host_error
from ._validation import Validator


RUNS_ARE_KEPT = timedelta(days=90)

# Grows with every change in what is accepted, or in what a digest covers:
# an unchanged catalogue is then read anew.  Since 2, a category or a
# description with a NUL is refused.
RULES = 2


@attrs.frozen(kw_only=True)
class PullOptions:
    """
    What is asked of one pull.

    Attributes:
        plan: Only say what would change.
        force: Pass all guards.
        reapply: Give the host the whole mirror.
        accept: Apply only if the catalogue is this one; then, pass all guards.
    """

    plan: bool = False
    force: bool = False
    reapply: bool = False
    accept: Plan | None = None


@attrs.define(kw_only=True)
class Pull:
    """
    Read, validate, stage, compare, guard, apply: in this order.

    Attributes:
        progress: Told how many items came so far, and how many will, if known.
        run: As far as it has come.
        begun: The run as it began.
        committed: The run as the mirror's transaction recorded it, once it has.
        is_learning: Whether the windows of the read are kept, though it changes nothing.
    """

    client: ConexxusClient
    context: EngineContext
    host: HostDelivery
    progress: Callable[[int, int | None], None]
    lease: Lease
    options: PullOptions
    run: SyncRun = attrs.field(init=False)
    issues: list[RunIssue] = attrs.field(init=False, factory=list)
    begun: SyncRun = attrs.field(init=False)
    committed: SyncRun | None = attrs.field(init=False, default=None)
    is_learning: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.run = self.begun = SyncRun(
            id=self.lease.run_id,
            kind=RunKind.INVENTORY,
            location_id=self.lease.location_id,
            start_time=self.lease.renewed_at,
            planned=self.options.plan,
        )

    def execute(self) -> SyncRun:
        """
        Do it all and return the run as it was recorded.
        """
        if not self.run.planned:
            self.host.prepare(reapply=self.options.reapply)
            if self.host.beyond is None:
                self.host.deliver(self.lease, self._renew)

        last, known = self._last_read()
        etag = None if last is None else last.etag
        self._reached("request")

        if self.options.force:
            # The mirror may be damaged: everything is compared.
            known = {}

        with self.client.open_catalog(etag=etag, known=known) as read:
            if read.not_modified:
                return self._not_modified(last)

            with self.context.store.read() as state:
                state.staging.open()
                self._stage(state.staging, read)

                if last is not None and read.digest == last.digest:
                    if not known:
                        self._learn_windows(state.staging)
                    return self._same_again(last, read.etag)

                return self._conclude_read(state.staging, read)

    def _last_read(self) -> tuple[Checkpoint | None, dict[bytes, int]]:
        """
        The last applied read, if it still says what the mirror holds, and
        those of its windows that need not be read again.
        """
        with self.context.store.read() as state:
            checkpoint = state.mirror.checkpoint()

            if checkpoint is None or checkpoint.scope != self._scope():
                return None, {}
            if checkpoint.run.items_succeeded and state.mirror.is_empty():
                return None, {}

            return checkpoint, state.staging.windows.known()

    def _reached(self, step: str) -> None:
        """
        A step before anything changes: from "merge" on, a pull is a matter
        of milliseconds, and is let finish.

        Raises:
            SyncError: The pull is to end here.
        """
        self.context.failpoint(step)

        if self.context.is_stopping():
            msg = "the pull was stopped; the catalogue is as it was"
            raise SyncError(msg)

    def _scope(self) -> str:
        profile = self.client.profile
        query = sorted(profile.catalog_query.items())
        where = f"{self.client.config.api_url}{profile.catalog_path}?{query}"

        return f"{where} rules={RULES} max_price={self.context.config.max_price}"

    def _stage(self, staging: CatalogueStaging, read: CatalogRead) -> None:
        validator = Validator(self.context.config.max_price)
        count = 0

        for window in read.windows():
            rejects: list[RejectedElement] = []
            columns = validator.partition(window, rejects.append)
            staging.add_window(window, columns, rejects, page=read.page, number=count)
            self._add_issues(rejects)
            count += window.count
            self.progress(count, read.total)
            self._renew()
            self._reached("page")

        self._reached("read")

    def _learn_windows(self, staging: CatalogueStaging) -> None:
        """
        Find out whether the windows of the read say what the mirror holds: no
        windows are stored after an upgrade, nor after a replay, which makes
        the mirror another.
        """
        list(staging.duplicates())
        diff = staging.compare()
        self.is_learning = not (diff.created or diff.updated or diff.gone)

    def _conclude_read(self, staging: CatalogueStaging, read: CatalogRead) -> SyncRun:
        self._add_issues(list(staging.duplicates()))
        diff = staging.compare()
        self._reached("compared")
        self.run = with_counts(self.run, diff, self.issues)

        if (refusal := self._refusal(read.digest, diff)) is not None:
            return self._refuse(refusal, read.digest, compared=True)

        self.run = attrs.evolve(
            self.run,
            created=diff.created,
            updated=diff.updated,
            unchanged=diff.unchanged,
            removed=diff.gone,
        )

        if self.run.planned:
            return self._record_plan(read.digest, compared=True)

        return self._apply(read, diff)

    def _refusal(self, digest: bytes, diff: CatalogueDiff | None = None) -> str | None:
        """
        Why this catalogue is not applied; None if it is.
        """
        plan = self.options.accept

        if plan is None:
            if diff is None or self.options.force:
                return None
            refusal = self.context.config.guards.refusal(diff)
            return refusal and (
                f"{refusal}. Check the back office; if this is right, accept exactly this: "
                f"`conexxus pull --accept {self.run.id}`."
            )
        if (plan.scope, plan.digest) == (self._scope(), digest):
            return None

        return (
            f"the catalogue is no longer the one that {plan.run_id} showed. "
            f"Look at it again with `conexxus pull --plan`, or accept what came now: "
            f"`conexxus pull --accept {self.run.id}`."
        )

    def _refuse(self, refusal: str, digest: bytes, *, compared: bool) -> SyncRun:
        self.run = attrs.evolve(
            self.run, status=RunStatus.FAILED, refused=refusal, last_error=refusal
        )
        return self._record_plan(digest, compared=compared)

    def _record_plan(self, digest: bytes, *, compared: bool) -> SyncRun:
        """
        Record the run together with what was not applied, so that it can be
        accepted as it was seen.

        Args:
            compared: Whether the catalogue was staged and compared.
        """
        plan = Plan(run_id=self.run.id, scope=self._scope(), digest=digest)

        with self.context.store.write(self.lease) as state:
            if compared:
                state.staging.save_prices(self.run.id)
            self._save(state)
            state.plans.save(plan)

        return self.run

    def _apply(self, read: CatalogRead, diff: CatalogueDiff) -> SyncRun:
        checkpoint = Checkpoint(
            scope=self._scope(), etag=read.etag, digest=read.digest, run=self.run
        )

        try:
            self._swap(checkpoint, diff)
        except TransactionEndedError as exc:
            # All of it was undone.  The host's failure does not stop the mirror.
            self.host.error = str(exc)
            self._swap(checkpoint, diff)

        return self._deliver()

    def _swap(self, checkpoint: Checkpoint, diff: CatalogueDiff) -> None:
        self._renew()

        with self.context.store.write(self.lease) as state:
            self.context.failpoint("merge")
            state.merge.apply(diff, self.run.id, self.run.start_time)
            self.context.failpoint("merged")
            self._conclude(state, checkpoint, changed=True)

    def _not_modified(self, checkpoint: Checkpoint | None) -> SyncRun:
        if checkpoint is None:
            msg = "Conexxus API answered 304 (not modified) to a request that was not conditional"
            raise EnvelopeError(msg)

        self.run = attrs.evolve(
            self.run,
            not_modified=True,
            status=checkpoint.run.status,
            last_error=checkpoint.run.last_error,
        )

        return self._unchanged(checkpoint)

    def _same_again(self, checkpoint: Checkpoint, etag: str | None) -> SyncRun:
        last = checkpoint.run
        self.run = attrs.evolve(
            self.run,
            status=last.status,
            items_processed=last.items_processed,
            items_succeeded=last.items_succeeded,
            items_failed=last.items_failed,
            unchanged=last.created + last.updated + last.unchanged,
            errors=last.errors,
            last_error=last.last_error,
        )

        return self._unchanged(attrs.evolve(checkpoint, etag=etag))

    def _unchanged(self, checkpoint: Checkpoint) -> SyncRun:
        if (refusal := self._refusal(checkpoint.digest)) is not None:
            return self._refuse(refusal, checkpoint.digest, compared=False)
        if self.run.planned:
            return self._record_plan(checkpoint.digest, compared=False)

        try:
            self._keep(checkpoint)
        except TransactionEndedError as exc:
            self.host.error = str(exc)
            self._keep(checkpoint)

        return self._deliver()

    def _keep(self, checkpoint: Checkpoint) -> None:
        with self.context.store.write(self.lease) as state:
            if self.is_learning:
                state.staging.windows.save()
            self._conclude(state, checkpoint, changed=False)

    def _conclude(self, state: State, checkpoint: Checkpoint, *, changed: bool) -> None:
        """
        Everything that becomes durable together with the mirror.
        """
        self.host.queue(state, changed=changed)
        self.host.deliver_in(state)
        state.mirror.save_checkpoint(checkpoint)
        self._save(state)
        self.context.failpoint("commit")

    def _deliver(self) -> SyncRun:
        self.committed = self.run
        self.context.failpoint("committed")
        before = self.host.delivered, self.host.error
        self.host.deliver(self.lease, self._renew)

        # Only what happened since the commit is news.
        return self.run if before == (self.host.delivered, self.host.error) else self._record()

    def _record(self) -> SyncRun:
        with self.context.store.write(self.lease) as state:
            self._save(state)

        return self.run

    def _save(self, state: State) -> None:
        now = self.context.clock.now()
        self.run = attrs.evolve(with_host_error(self.run, self.host.error), end_time=now)
        state.runs.save(self.run)
        if is_safe_to_purge(state, now):
            state.runs.purge(now - RUNS_ARE_KEPT)

    def _renew(self) -> Lease:
        self.lease = self.context.store.leases.renew(self.lease, self.context.clock.now())
        return self.lease

    def _add_issues(self, rejects: list[RejectedElement]) -> None:
        room = MAX_ERRORS - len(self.issues)
        self.issues += [
            RunIssue(item=it.sku, error=it.reason, kind=IssueKind.SET_ASIDE)
            for it in rejects[:room]
        ]
