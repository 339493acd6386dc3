"""
Delivery of catalogue changes to the host's storage, at least once and in sequence.
"""

from collections.abc import Callable
from typing import Any

import attrs

from conexxus_sync.errors import HostError, TransactionEndedError
from conexxus_sync.model.leases import Lease
from conexxus_sync.protocols import (
    HostStorage,
    RestorableCatalogStorage,
    TransactionalCatalogStorage,
)
from conexxus_sync.runtime.host_exceptions import described, ends_process
from conexxus_sync.stores._store_protocols import SyncStore


MAX_DETAIL = 200


@attrs.define(kw_only=True)
class HostDelivery:
    """
    One run's dealings with the host's storage.

    A host that fails keeps its queue and stops nothing else; it is not asked
    again in the same run.

    Attributes:
        error: What the host raised.
        beyond: Everything must be queued anew, beyond this sequence; None if
            the changes are enough.
        delivered: How many sequences the host applied.
    """

    store: SyncStore
    location_id: str
    storage: HostStorage | None
    removals: bool
    failpoint: Callable[[str], None]
    error: str | None = None
    beyond: int | None = None
    delivered: int = 0

    def prepare(self, *, reapply: bool) -> None:
        """
        Find out how far the host has come.
        """
        if self.storage is None:
            return

        state = self.store.catalog.hosts.state(self.location_id)
        seen = self._last_applied()

        if state is None or reapply:
            self.beyond = seen or 0
        elif seen is not None and not state.applied <= seen <= state.sequence:
            # Either side was restored from a backup.
            self.beyond = seen

    def queue(self, transaction: Any, *, changed: bool = True) -> None:
        """
        Queue what the host has to learn, in the transaction that applies it.
        """
        hosts = self.store.catalog.hosts

        if self.beyond is not None:
            hosts.queue_everything(
                transaction, self.location_id, beyond=self.beyond, removals=self.removals
            )
        elif changed:
            hosts.queue_delta(transaction, self.location_id, removals=self.removals)

    def deliver_in(self, transaction: Any) -> None:
        """
        Let a storage that shares our database apply the queue right here.

        Raises:
            TransactionEndedError: Nothing of the transaction is left.
        """
        if not isinstance(self.storage, TransactionalCatalogStorage) or self.error is not None:
            return

        hosts = self.store.catalog.hosts

        for sequence in hosts.pending(self.location_id, transaction):
            changes = hosts.changes(self.location_id, sequence, transaction)

            try:
                with hosts.attempt(transaction):
                    self.storage.apply_in(transaction, changes)
                    hosts.applied(transaction, self.location_id, sequence)
            except TransactionEndedError:
                raise
            except BaseException as exc:
                if ends_process(exc):
                    raise
                self.error = describe_exception(exc)
                return

            self.delivered += 1

    def deliver(self, lease: Lease, renew: Callable[[], Lease]) -> None:
        """
        Let the host apply what is queued, each sequence by itself.
        """
        storage = self.storage

        if storage is None or self.error is not None:
            return

        if isinstance(storage, TransactionalCatalogStorage):
            if self.store.catalog.hosts.pending(self.location_id):
                self._deliver_here(lease)
            return

        for sequence in self.store.catalog.hosts.pending(self.location_id):
            self.failpoint("host")
            try:
                storage.apply(self.store.catalog.hosts.changes(self.location_id, sequence))
            except BaseException as exc:
                if ends_process(exc):
                    raise
                self.error = describe_exception(exc)
                return

            self.failpoint("host applied")
            with self.store.writing(renew()) as transaction:
                self.store.catalog.hosts.applied(transaction, self.location_id, sequence)
            self.delivered += 1

    def _deliver_here(self, lease: Lease) -> None:
        before = self.delivered

        try:
            with self.store.writing(lease) as transaction:
                self.deliver_in(transaction)
        except TransactionEndedError as exc:
            self.delivered, self.error = before, str(exc)

    def _last_applied(self) -> int | None:
        """
        What the host says; 0 for a host that has nothing, or that can't say.
        """
        storage: object = self.storage

        if not isinstance(storage, RestorableCatalogStorage):
            return None

        try:
            return _sequence(storage.last_applied(self.location_id))
        except BaseException as exc:
            if ends_process(exc):
                raise
            self.error = describe_exception(exc)
            return None


def _sequence(given: object) -> int:
    """
    Raises:
        HostError: It is no sequence.
    """
    if given is None:
        return 0
    # An int of SQLite has 64 bits, and there must be room for more.
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**62:
        return given

    msg = f"`last_applied` must return a sequence or None, got {given!r:.40}"
    raise HostError(msg)


def describe_exception(exc: BaseException) -> str:
    """
    What the host's exception says, in one line.
    """
    said = str(exc)[:MAX_DETAIL] if isinstance(exc, HostError) else described(exc, MAX_DETAIL)

    return f"the host's catalogue storage failed: {' '.join(said.split())}"
