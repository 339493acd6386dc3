"""
One pull from the first request to the last write; decides whether a catalogue is refused.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import attrs

from conexxus_client import EnvelopeError
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import SyncError, TransactionEndedError
from conexxus_sync.model.catalogue import (
    CatalogueDiff,
    Checkpoint,
    Plan,
    RejectedElement,
    SourceFile,
    UnnamedElements,
)
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.protocols import CatalogReading, CatalogSource, CatalogStream
from conexxus_sync.stores import State
from conexxus_sync.stores._catalogue_staging import CatalogueStaging

from ._host_delivery import HostDelivery
from ._last_read import LastRead, PullOptions
from ._results import (
    Findings,
    with_counts,
    with_host_error,
    with_results_again,
    with_unheard_removals,
    with_waiting,
    with_whole_catalogue,
)
from ._validation import Validator


RUNS_ARE_KEPT = timedelta(days=90)

# Grows with every change in what is accepted, or in what a digest covers:
# an unchanged catalogue is then read anew.  Since 2, a category or a
# description with a NUL is refused; since 3, what is absent is found while
# elements have no readable SKU, zeros at the end of a price are no decimals, and
# a category or a description that is no text costs no item.
RULES = 3


@attrs.define(kw_only=True)
class Pull:
    """
    Read, validate, stage, compare, guard, apply: in this order.

    Attributes:
        progress: Told how many items came so far, and how many will, if known.
        run: As far as it has come.
        begun: The run as it began.
        scope: Of which catalogue, and by which rules, what is read says something.
        committed: The run as the mirror's transaction recorded it, once it has.
        is_learning: Whether the windows of the read are kept, though it changes nothing.
        last: What earlier reads left behind.
        unnamed: Elements of the read without a readable SKU; before it, of the last one.
        file: The file that is read, if it is one.
        gone: How many known items are absent, beside those that are deleted by name.
    """

    source: CatalogSource
    context: EngineContext
    host: HostDelivery
    progress: Callable[[int, int | None], None] | None
    lease: Lease
    options: PullOptions
    run: SyncRun = attrs.field(init=False)
    findings: Findings = attrs.field(init=False, factory=Findings)
    begun: SyncRun = attrs.field(init=False)
    scope: str = attrs.field(init=False)
    committed: SyncRun | None = attrs.field(init=False, default=None)
    is_learning: bool = attrs.field(init=False, default=False)
    last: LastRead = attrs.field(init=False, factory=LastRead)
    unnamed: UnnamedElements | None = attrs.field(init=False, default=None)
    file: SourceFile | None = attrs.field(init=False, default=None)
    gone: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.scope = f"{self.source.scope} rules={RULES} max_price={self.context.config.max_price}"
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
        with self.context.store.read() as state:
            if not self.run.planned:
                self.host.prepare(state, reapply=self.options.reapply)
                self.host.deliver(self.lease, self._renew)

            self.last = LastRead.of(state, self.scope)
            self.unnamed = self.last.unnamed
            etag = None if self.options.reads_anew else self.last.etag(self.run.start_time)
            # Where the mirror may be damaged, everything is compared.
            known = {} if self.options.force else self.last.windows
            self._reached("request")

            with self.source.open(etag=etag, known=known) as reading:
                if reading.stream.not_modified:
                    return self._not_modified()

                state.staging.open()
                self._stage(state.staging, reading.stream)
                if reading.is_complete:
                    now, is_clean = self.run.start_time, not self.findings.issues
                    self.unnamed = None if is_clean else self.last.unnamed_in(state, now)

                digest = reading.stream.digest
                # Each file is applied, also one that has what the last one had.
                last = None if reading.file is not None else self._same_checkpoint(digest)
                if last is None:
                    return self._conclude_read(state.staging, reading, digest)
                if not known:
                    self._learn_windows(state.staging)
                return self._same_again(last, reading.stream.etag)

    def _same_checkpoint(self, digest: bytes) -> Checkpoint | None:
        """
        The last applied read, if this one is the same, and removals that wait
        for it do so still.
        """
        last = self.last.checkpoint

        if last is None or digest != last.digest:
            return None

        return None if self.last.waiting and not self._blocking else last

    @property
    def _blocking(self) -> int:
        """
        How many elements may be any of the absent items.
        """
        now = self.run.start_time

        return 0 if self.unnamed is None or self.unnamed.are_settled(now) else self.unnamed.count

    def _reached(self, step: str) -> None:
        """
        A step before anything changes: from "merge" on, a pull is a matter
        of milliseconds, and is let finish.

        Raises:
            SyncError: The pull is to end here.
        """
        if self.context.is_stopping_at(step):
            msg = "the pull was stopped; the catalogue is as it was"
            raise SyncError(msg)

    def _stage(self, staging: CatalogueStaging, read: CatalogStream) -> None:
        validator, count = Validator(self.context.config.max_price), 0

        for window in read.windows():
            rejects: list[RejectedElement] = []
            columns = validator.partition(window, rejects.append)
            staging.add_window(window, columns, rejects, page=read.page, number=count)
            if rejects:
                self.findings.add(rejects)
            if window.unusual:
                self.findings.remark(window)
            count += window.count
            if self.progress is not None:
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
        for _ in staging.duplicates():
            pass
        diff = staging.compare()
        self.is_learning = not (diff.created or diff.updated or diff.gone)

    def _conclude_read(
        self, staging: CatalogueStaging, reading: CatalogReading, digest: bytes
    ) -> SyncRun:
        self.findings.add(staging.duplicates())
        diff = staging.compare(
            complete=reading.is_complete, deleted=reading.deleted, unnamed=self._blocking
        )
        if (file := reading.file) is not None:
            self.file, self.run = file, attrs.evolve(self.run, file=file.summary)

        self._reached("compared")
        self.gone = diff.gone - diff.deleted
        refusal = self._refusal(digest, diff)
        self.run = with_counts(self.run, diff, self.findings, is_refused=refusal is not None)
        if diff.is_complete:
            self._note_waiting(diff.waiting)
        if refusal is not None:
            return self._refuse(refusal, digest, compared=True)

        if self.run.planned:
            return self._record_plan(digest, compared=True)

        return self._apply(reading.stream.etag, digest, diff)

    def _note_waiting(self, waiting: int) -> None:
        if self.unnamed is not None:
            self.unnamed = attrs.evolve(self.unnamed, waiting=waiting)
            self.run = with_waiting(self.run, self.unnamed)

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
        if plan.scope in (None, self.scope) and plan.digest == digest:
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
        plan = Plan(
            run_id=self.run.id, scope=self.scope, digest=digest, anew=self.options.reads_anew
        )

        with self.context.store.write(self.lease) as state:
            if compared:
                state.plans.save_changes(self.run.id)
            self._save(state)
            state.plans.save(plan)
            if not self.run.planned and compared:
                state.mirror.save_unnamed(
                    self.last.unnamed_after_refusal(self.unnamed, self.run.start_time)
                )

        return self.run

    def _apply(self, etag: str | None, digest: bytes, diff: CatalogueDiff) -> SyncRun:
        checkpoint = Checkpoint(
            scope=self.scope,
            etag=etag,
            digest=digest,
            run=self.run,
            read_at=self.run.start_time,
        )

        return self._commit(partial(self._swap, checkpoint, diff))

    def _swap(self, checkpoint: Checkpoint, diff: CatalogueDiff) -> None:
        self._renew()

        with self.context.store.write(self.lease) as state:
            self.context.failpoint("merge")
            state.merge.apply(diff, self.run.id, self.run.start_time, windows=self.file is None)
            if self.file is not None:
                state.source_files.remember(self.file, self.run.id, self.run.start_time)
            self.context.failpoint("merged")
            self._conclude(state, checkpoint, changed=True)

    def _not_modified(self) -> SyncRun:
        checkpoint = self.last.checkpoint

        if checkpoint is None and self.source.remembers:
            # Of the files that were applied, none was read by these rules.
            run = attrs.evolve(self.run, status=RunStatus.SUCCESS)
            checkpoint = Checkpoint(scope=self.scope, etag=None, digest=b"", run=run)
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
        self.run = with_results_again(self.run, checkpoint.run)

        return self._unchanged(attrs.evolve(checkpoint, etag=etag, read_at=self.run.start_time))

    def _unchanged(self, checkpoint: Checkpoint) -> SyncRun:
        self._note_waiting(0 if self.last.unnamed is None else self.last.unnamed.waiting)

        if (refusal := self._refusal(checkpoint.digest)) is not None:
            return self._refuse(refusal, checkpoint.digest, compared=False)
        if self.run.planned:
            return self._record_plan(checkpoint.digest, compared=False)

        return self._commit(partial(self._keep, checkpoint))

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
        if self.gone and not self.host.hears_of_removals(state):
            self.run = with_unheard_removals(self.run, self.gone)
        if self.host.beyond is not None:
            self.run = with_whole_catalogue(self.run)
        self.host.deliver_in(state)
        state.mirror.save_checkpoint(checkpoint)
        if self.unnamed != self.last.unnamed:
            state.mirror.save_unnamed(self.unnamed)
        self._save(state)
        self.context.failpoint("commit")

    def _commit(self, transaction: Callable[[], None]) -> SyncRun:
        try:
            transaction()
        except TransactionEndedError as exc:
            # All of it was undone.  The host's failure does not stop the mirror.
            self.host.error = str(exc)
            transaction()

        self.committed = self.run
        self.context.failpoint("committed")
        before = self.host.error
        self.host.deliver(self.lease, self._renew, self._record_run)

        # Only what happened since the commit is news.
        if self.host.error != before:
            with self.context.store.write(self.lease) as state:
                self._record_run(state)

        return self.run

    def _save(self, state: State) -> None:
        now = self._record_run(state)
        if state.runs.is_safe_to_purge(now):
            state.runs.purge(now - RUNS_ARE_KEPT)

    def _record_run(self, state: State) -> datetime:
        now, error = self.context.clock.now(), self.host.error
        run = self.run if error is None else with_host_error(self.run, error)
        self.run = attrs.evolve(run, end_time=now)
        state.runs.save(self.run)

        return now

    def _renew(self) -> Lease:
        now = self.context.clock.now()
        if self.lease.is_due(now):
            self.lease = self.context.store.leases.renew(self.lease, now)

        return self.lease
