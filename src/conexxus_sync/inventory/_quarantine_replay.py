"""
Takes one item out of quarantine, as it came or corrected.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from conexxus_client import ConfigurationError, DecodeError, decode_item
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import SyncError, TransactionEndedError
from conexxus_sync.model.catalogue import CatalogueDiff, ItemRow, QuarantinedItem, RejectedElement
from conexxus_sync.model.leases import Lease
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun, new_run_id
from conexxus_sync.protocols import Clock, HostStorage
from conexxus_sync.runtime.run_logging import in_run
from conexxus_sync.stores._store_protocols import Staging, SyncStore

from ._host_delivery import HostDelivery
from ._results import with_host_error
from ._validation import Validator


# Of a read that has only one.
_PAGE = 1


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

    store: SyncStore
    config: SyncConfig
    clock: Clock
    storage: HostStorage | None = None
    failpoint: Callable[[str], None] = lambda step: None
    new_id: Callable[[datetime], str] = new_run_id

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
        now = self.clock.now()
        location_id = self.config.location_id
        lease = self.store.leases.acquire(location_id, "inventory", self.new_id(now), now)

        try:
            with in_run(lease.run_id, location_id):
                return self._replay(lease, key, self._row(key, corrected))
        finally:
            self.store.leases.release(lease)

    def _row(self, key: str, corrected: bytes | None) -> ItemRow:
        entries = list(self.store.catalog.quarantined(self.config.location_id, key))

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
            result = Validator(self.config.max_price).check(decode_item(raw))
        except DecodeError as exc:
            raise ConfigurationError([f"the item given is not JSON: {exc}"]) from exc

        if isinstance(result, RejectedElement):
            msg = f"it stays in quarantine: {result.reason} (at {result.path})"
            raise SyncError(msg)

        return result

    def _replay(self, lease: Lease, key: str, row: ItemRow) -> SyncRun:
        host = HostDelivery(
            store=self.store,
            location_id=lease.location_id,
            storage=self.storage,
            removals=self.config.removals == "deactivate",
            failpoint=self.failpoint,
        )
        host.prepare(reapply=False)

        with self.store.catalog.staging(lease.location_id) as staging:
            staging.add([row], _PAGE)
            list(staging.duplicates())
            run = _run(lease, staging.compare(complete=False))

            try:
                run = self._swap(lease, staging, host, run, key)
            except TransactionEndedError as exc:
                host.error = str(exc)
                run = self._swap(lease, staging, host, run, key)

        self.failpoint("committed")
        before = host.error
        host.deliver(lease, lambda: self.store.leases.renew(lease, self.clock.now()))

        if host.error == before:
            return run

        with self.store.writing(lease) as transaction:
            return self._save(transaction, host, run)

    def _swap(
        self, lease: Lease, staging: Staging, host: HostDelivery, run: SyncRun, key: str
    ) -> SyncRun:
        with self.store.writing(lease, connection=staging.connection) as transaction:
            staging.merge_replayed(transaction, run.id, key)
            host.queue(transaction)
            host.deliver_in(transaction)
            run = self._save(transaction, host, run)
            self.failpoint("commit")

        return run

    def _save(self, transaction: Any, host: HostDelivery, run: SyncRun) -> SyncRun:
        run = attrs.evolve(with_host_error(run, host.error), end_time=self.clock.now())
        self.store.runs.save(transaction, run)

        return run


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
