"""
One pull from the first request to the last write; decides whether a catalogue is refused.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs

from conexxus_client import CatalogRead, ConexxusClient, EnvelopeError
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import TransactionEndedError
from conexxus_sync.model.catalogue import CatalogueDiff, Checkpoint, Plan, RejectedElement
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import MAX_ERRORS, RunIssue, RunStatus, SyncRun
from conexxus_sync.protocols import Clock
from conexxus_sync.stores._store_protocols import Staging, SyncStore
from conexxus_sync.stores.retention import is_safe_to_purge

from ._host_delivery import HostDelivery
from ._results import with_counts, with_host_error
from ._validation import Validator


RUNS_ARE_KEPT = timedelta(days=90)

# Grows with every change in what is accepted, or in what a digest covers:
# an unchanged catalogue is then read anew.  Since 2, a category or a
# description with a NUL is refused.
RULES = 2


@attrs.define(kw_only=True)
class Pull:
    """
    Read, validate, stage, compare, guard, apply: in this order.

    Attributes:
        checkpoint: Called where the pull may still end without a change; it
            raises to end it.
        failpoint: Called with the name of each step as it is reached, for tests.
        progress: Told how many items came so far, and how many will, if known.
        force: Pass all guards.
        accept: Apply only if the catalogue is this one; then, pass all guards.
        begun: The run as it was given.
        committed: The run as the mirror's transaction recorded it, once it has.
    """

    client: ConexxusClient
    store: SyncStore
    config: SyncConfig
    clock: Clock
    host: HostDelivery
    checkpoint: Callable[[], None]
    failpoint: Callable[[str], None]
    progress: Callable[[int, int | None], None]
    lease: Lease
    run: SyncRun
    force: bool = False
    accept: Plan | None = None
    issues: list[RunIssue] = attrs.field(factory=list)
    begun: SyncRun = attrs.field(init=False)
    committed: SyncRun | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.begun = self.run

    def execute(self, *, reapply: bool = False) -> SyncRun:
        """
        Do it all and return the run as it was recorded.
        """
        if not self.run.planned:
            self.host.prepare(reapply=reapply)
            if self.host.beyond is None:
                self.host.deliver(self.lease, self._renew)

        last = self._last_read()
        etag = None if last is None else last.etag
        self._reached("request")

        with self.client.open_catalog(etag=etag) as read:
            if read.not_modified:
                return self._not_modified(last)

            with self.store.catalog.staging(self.run.location_id) as staging:
                self._stage(staging, read)

                if last is not None and read.digest == last.digest:
                    return self._same_again(last, read.etag)

                return self._conclude_read(staging, read)

    def _last_read(self) -> Checkpoint | None:
        """
        The last applied read, if it still says what the mirror holds.
        """
        catalog, location_id = self.store.catalog, self.run.location_id
        checkpoint = catalog.checkpoint(location_id)

        if checkpoint is None or checkpoint.scope != self._scope():
            return None
        if checkpoint.run.items_succeeded and catalog.is_empty(location_id):
            return None

        return checkpoint

    def _reached(self, step: str) -> None:
        """
        A step before anything changes: from "merge" on, a pull is a matter
        of milliseconds, and is let finish.
        """
        self.failpoint(step)
        self.checkpoint()

    def _scope(self) -> str:
        profile = self.client.profile
        query = sorted(profile.catalog_query.items())
        where = f"{self.client.config.api_url}{profile.catalog_path}?{query}"

        return f"{where} rules={RULES} max_price={self.config.max_price}"

    def _stage(self, staging: Staging, read: CatalogRead) -> None:
        validator = Validator(self.config.max_price)
        count = 0

        for page in read.pages:
            rejects: list[RejectedElement] = []
            staging.add(validator.partition(page, rejects.append), read.page)
            staging.quarantine(rejects, read.page)
            self._add_issues(rejects)
            count += len(page)
            self.progress(count, read.total)
            self._renew()
            self._reached("page")

        self._reached("read")

    def _conclude_read(self, staging: Staging, read: CatalogRead) -> SyncRun:
        self._add_issues(list(staging.duplicates()))
        diff = staging.compare()
        self._reached("compared")
        self.run = with_counts(self.run, diff, self.issues)

        if (refusal := self._refusal(read.digest, diff)) is not None:
            return self._refuse(refusal, read.digest, staging)

        self.run = attrs.evolve(
            self.run,
            created=diff.created,
            updated=diff.updated,
            unchanged=diff.unchanged,
            removed=diff.gone,
        )

        if self.run.planned:
            return self._record_plan(read.digest, staging)

        return self._apply(staging, read)

    def _refusal(self, digest: bytes, diff: CatalogueDiff | None = None) -> str | None:
        """
        Why this catalogue is not applied; None if it is.
        """
        plan = self.accept

        if plan is None:
            if diff is None or self.force:
                return None
            refusal = self.config.guards.refusal(diff)
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

    def _refuse(self, refusal: str, digest: bytes, staging: Staging | None = None) -> SyncRun:
        self.run = attrs.evolve(
            self.run, status=RunStatus.FAILED, refused=refusal, last_error=refusal
        )
        return self._record_plan(digest, staging)

    def _record_plan(self, digest: bytes, staging: Staging | None) -> SyncRun:
        """
        Record the run together with what was not applied, so that it can be
        accepted as it was seen.
        """
        connection = None if staging is None else staging.connection
        plan = Plan(run_id=self.run.id, scope=self._scope(), digest=digest)

        with self.store.writing(self.lease, connection=connection) as transaction:
            if staging is not None:
                staging.save_prices(transaction, self.run.id)
            self._save(transaction)
            self.store.catalog.plans.save(transaction, self.run.location_id, plan)

        return self.run

    def _apply(self, staging: Staging, read: CatalogRead) -> SyncRun:
        checkpoint = Checkpoint(
            scope=self._scope(), etag=read.etag, digest=read.digest, run=self.run
        )

        try:
            self._swap(staging, checkpoint)
        except TransactionEndedError as exc:
            # All of it was undone.  The host's failure does not stop the mirror.
            self.host.error = str(exc)
            self._swap(staging, checkpoint)

        return self._deliver()

    def _swap(self, staging: Staging, checkpoint: Checkpoint) -> None:
        self._renew()

        with self.store.writing(self.lease, connection=staging.connection) as transaction:
            self.failpoint("merge")
            staging.merge(transaction, self.run.id, self.run.start_time)
            self.failpoint("merged")
            self._conclude(transaction, checkpoint, changed=True)

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
            return self._refuse(refusal, checkpoint.digest)
        if self.run.planned:
            return self._record_plan(checkpoint.digest, None)

        try:
            self._keep(checkpoint)
        except TransactionEndedError as exc:
            self.host.error = str(exc)
            self._keep(checkpoint)

        return self._deliver()

    def _keep(self, checkpoint: Checkpoint) -> None:
        with self.store.writing(self.lease) as transaction:
            self._conclude(transaction, checkpoint, changed=False)

    def _conclude(self, transaction: Any, checkpoint: Checkpoint, *, changed: bool) -> None:
        """
        Everything that becomes durable together with the mirror.
        """
        self.host.queue(transaction, changed=changed)
        self.host.deliver_in(transaction)
        self.store.catalog.save_checkpoint(transaction, self.run.location_id, checkpoint)
        self._save(transaction)
        self.failpoint("commit")

    def _deliver(self) -> SyncRun:
        self.committed = self.run
        self.failpoint("committed")
        before = self.host.delivered, self.host.error
        self.host.deliver(self.lease, self._renew)

        # Only what happened since the commit is news.
        return self.run if before == (self.host.delivered, self.host.error) else self._record()

    def _record(self) -> SyncRun:
        with self.store.writing(self.lease) as transaction:
            self._save(transaction)

        return self.run

    def _save(self, transaction: Any) -> None:
        now = self.clock.now()
        self.run = attrs.evolve(with_host_error(self.run, self.host.error), end_time=now)
        self.store.runs.save(transaction, self.run)
        if is_safe_to_purge(self.store, transaction, self.run.location_id, now):
            self.store.runs.purge(transaction, self.run.location_id, now - RUNS_ARE_KEPT)

    def _renew(self) -> Lease:
        self.lease = self.store.leases.renew(self.lease, self.clock.now())
        return self.lease

    def _add_issues(self, rejects: list[RejectedElement]) -> None:
        room = MAX_ERRORS - len(self.issues)
        self.issues += [RunIssue(item=it.sku, error=it.reason) for it in rejects[:room]]
