"""
Takes one item out of quarantine, as it came or corrected.
"""

from datetime import datetime

import attrs

from conexxus_client import ConfigurationError, DecodeError, ItemRow, decode_item
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import SyncError, TransactionEndedError
from conexxus_sync.model.catalogue import CatalogueDiff, QuarantinedItem, RejectedElement
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.protocols import HostStorage
from conexxus_sync.runtime.run_logging import in_run
from conexxus_sync.stores import State
from conexxus_sync.stores._catalogue_staging import position_of

from ._host_delivery import HostDelivery
from ._results import with_host_error
from ._validation import Validator, columns_of


# The first of the first page.
_POSITION = position_of(1, 0)


@attrs.define(kw_only=True)
class QuarantineReplay:
    """
    Makes an item that was set aside part of the catalogue, once it is good.

    It is good by other rules than those of the read that set it aside, or
    because somebody corrected it.  The correction lasts until the back office
    has a good item under this SKU: that one counts then.

    Attributes:
        storage: Where the host wants the change; None if the mirror is all.
    """

    context: EngineContext
    storage: HostStorage | None = None

    def replay(self, key: str, corrected: bytes | None = None) -> SyncRun:
        """
        Look at the item under *key* again, and take it if it is good.

        Args:
            key: As quarantine lists it.
            corrected: The item as it should be, as JSON; by default, as it came.

        Returns:
            The run as it was recorded; `failed` if the host failed.

        Raises:
            ConfigurationError: There is no such item, or several, or the
                corrected one is another.
            SyncError: It is still bad; nothing was changed.
            RunInProgressError: A pull is in progress.
            StoreError: The store can't be used.
        """
        with (
            self.context.leased("inventory") as lease,
            in_run(lease.run_id, lease.location_id),
            self.context.store.keep_open(),
        ):
            return self._replay(lease, key, self._row(key, corrected))

    def _row(self, key: str, corrected: bytes | None) -> ItemRow:
        with self.context.store.read() as state:
            entries = list(state.mirror.quarantined(key))

        if not entries:
            raise ConfigurationError([f"no item {key[:60]} is in quarantine"])
        if corrected is None and len(entries) > 1:
            msg = f"{len(entries)} different items {key[:60]} are in quarantine: say what is right"
            raise ConfigurationError([msg])

        row = self._checked(entries[0].raw if corrected is None else corrected)

        if row[0] != key and not _is_nameless(entries[0]):
            raise ConfigurationError([f"the item given is {row[0][:60]!r}, not {key[:60]!r}"])

        return row

    def _checked(self, raw: bytes) -> ItemRow:
        try:
            result = Validator(self.context.config.max_price).check(decode_item(raw))
        except DecodeError as exc:
            raise ConfigurationError([f"the item given is not JSON: {exc}"]) from exc

        if isinstance(result, RejectedElement):
            detail = "" if result.detail is None else f": {result.detail}"
            msg = f"it stays in quarantine: {result.reason} (at {result.path}){detail}"
            raise SyncError(msg)

        return result

    def _replay(self, lease: Lease, key: str, row: ItemRow) -> SyncRun:
        host = HostDelivery(context=self.context, storage=self.storage)

        with self.context.store.read() as state:
            host.prepare(state, reapply=False)
            state.staging.open()
            state.staging.add(columns_of([row]), _POSITION)
            for _ in state.staging.duplicates():
                pass
            diff = state.staging.compare(complete=False)
            run = _run(lease, diff)

            try:
                run = self._swap(lease, host, run, key, diff)
            except TransactionEndedError as exc:
                host.error = str(exc)
                run = self._swap(lease, host, run, key, diff)

        self.context.failpoint("committed")
        before = host.error
        host.deliver(lease, lambda: self.context.store.leases.renew(lease, self._now))
        host.log_failure()

        if host.error == before:
            return run

        with self.context.store.write(lease) as state:
            return self._save(state, host, run)

    def _swap(
        self, lease: Lease, host: HostDelivery, run: SyncRun, key: str, diff: CatalogueDiff
    ) -> SyncRun:
        with self.context.store.write(lease) as state:
            state.merge.apply_replayed(diff, run.id, key)
            host.queue(state)
            host.deliver_in(state)
            run = self._save(state, host, run)
            self.context.failpoint("commit")

        return run

    def _save(self, state: State, host: HostDelivery, run: SyncRun) -> SyncRun:
        if host.error is not None:
            run = with_host_error(run, host.error)
        run = attrs.evolve(run, end_time=self._now)
        state.runs.save(run)

        return run

    @property
    def _now(self) -> datetime:
        return self.context.clock.now()


def _run(lease: Lease, diff: CatalogueDiff) -> SyncRun:
    return SyncRun(
        id=lease.run_id,
        kind=RunKind.INVENTORY,
        location_id=lease.location_id,
        status=RunStatus.SUCCESS,
        start_time=lease.renewed_at,
        items_processed=1,
        items_succeeded=1,
        created=diff.created,
        updated=diff.updated,
        unchanged=diff.unchanged,
        replayed=True,
    )


def _is_nameless(entry: QuarantinedItem) -> bool:
    """
    Is its key a fingerprint, because it has no SKU?
    """
    element = decode_item(entry.raw)

    return element.sku is None
