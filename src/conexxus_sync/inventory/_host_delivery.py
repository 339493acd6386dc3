"""
Delivery of catalogue changes to the host's storage, at least once and in sequence.
"""

from collections.abc import Callable

import attrs

from conexxus_sync.engines import EngineContext, ignore
from conexxus_sync.errors import HostError, TransactionEndedError
from conexxus_sync.model.leases import Lease
from conexxus_sync.protocols import (
    HostStorage,
    RestorableCatalogStorage,
    TransactionalCatalogStorage,
)
from conexxus_sync.runtime.host_exceptions import described, ends_process
from conexxus_sync.runtime.host_methods import called
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import State
from conexxus_sync.stores._database import Session
from conexxus_sync.stores._host_queue import lent_changes


MAX_DETAIL = 200

_log = safe_logger(__name__)


@attrs.define(kw_only=True)
class HostDelivery:
    """
    One run's dealings with the host's storage.

    A host that fails keeps its queue and stops nothing else; it is not asked
    again in the same run.

    Attributes:
        error: What the host raised, in one line.
        raised: The exception itself.
        beyond: Everything must be queued anew, beyond this sequence; None if
            the changes are enough.
        delivered: How many sequences the host applied.
        pending: Sequences that it has not applied, oldest first.
        is_here: It shares our transaction.
    """

    context: EngineContext
    storage: HostStorage | None
    error: str | None = None
    raised: BaseException | None = None
    beyond: int | None = None
    delivered: int = 0
    pending: list[int] = attrs.field(factory=list)
    is_here: bool = False

    def prepare(self, state: State, *, reapply: bool) -> None:
        """
        Find out how far the host has come, and what is to be delivered before
        there is more: nothing, if everything must be queued anew.
        """
        if self.storage is None:
            return

        queue = state.host_queue.state()
        self.pending = state.host_queue.pending()
        self.is_here = self._shares(state.session)
        seen = self._last_applied()

        if queue is None or reapply:
            self.beyond = seen or 0
        elif seen is not None and not queue.applied <= seen <= queue.sequence:
            # Either side was restored from a backup.
            self.beyond = seen

        if self.beyond is not None:
            self.pending = []

    def queue(self, state: State, *, changed: bool = True) -> None:
        """
        Queue what the host has to learn, in the transaction that applies it.
        """
        removals = self._removals

        if self.beyond is not None:
            state.host_queue.queue_everything(beyond=self.beyond, removals=removals)
        elif changed:
            state.host_queue.queue_delta(removals=removals)

    def hears_of_removals(self, state: State) -> bool:
        """
        Does a host of this location get what is gone, if it has one?
        """
        return self._removals or state.host_queue.state() is None

    @property
    def _removals(self) -> bool:
        return self.context.config.removals == "deactivate"

    def deliver_in(self, state: State) -> None:
        """
        See what is pending, and let a storage that shares our database apply it right here.

        Raises:
            TransactionEndedError: Nothing of the transaction is left.
        """
        storage, queue = self.storage, state.host_queue

        if storage is None or self.error is not None:
            return

        self.pending = queue.pending()

        if not self.is_here:
            return

        while self.pending:
            sequence = self.pending[0]
            try:
                with state.session.attempt():
                    with queue.lent(sequence, "apply_in") as changes:
                        called(storage, "apply_in", state.session.raw, changes)
                    queue.applied(sequence)
            except TransactionEndedError:
                raise
            except BaseException as exc:
                if ends_process(exc):
                    raise
                self._fail(exc)
                return

            del self.pending[0]
            self.delivered += 1

    def deliver(
        self, lease: Lease, renew: Callable[[], Lease], last: Callable[[State], object] = ignore
    ) -> None:
        """
        Let the host apply what is pending, each sequence by itself.

        Args:
            last: Called in the transaction that forgets the last of them.
        """
        storage, pending = self.storage, self.pending
        self.pending = []

        if storage is None or self.error is not None:
            return

        if self.is_here:
            if pending:
                self._deliver_here(lease)
            return

        for sequence in pending:
            self.context.failpoint("host")
            try:
                self._apply(sequence)
            except BaseException as exc:
                if ends_process(exc):
                    raise
                self._fail(exc)
                return

            self.context.failpoint("host applied")
            with self.context.store.write(renew()) as state:
                state.host_queue.applied(sequence)
                if sequence == pending[-1]:
                    last(state)
            self.delivered += 1

    def _fail(self, exc: BaseException) -> None:
        self.error, self.raised = describe_exception(exc), exc

    def log_failure(self) -> None:
        """
        Log the traceback of what the host raised; in no transaction, because a
        log may be slow.
        """
        if self.raised is not None:
            _log.error("Conexxus inventory: %s", self.error, exc_info=self.raised)

    def _apply(self, sequence: int) -> None:
        """
        Whatever the host does with the store meanwhile, its stream goes on.
        """
        store = self.context.store
        database = store.database

        with (
            database.read(apart=True) as session,
            lent_changes(session, store.location, sequence, "apply", database.read) as changes,
        ):
            called(self.storage, "apply", changes)

    def _deliver_here(self, lease: Lease) -> None:
        before = self.delivered

        try:
            with self.context.store.write(lease) as state:
                self.deliver_in(state)
        except TransactionEndedError as exc:
            self.delivered, self.error = before, str(exc)

    def _shares(self, session: Session) -> bool:
        """
        Is the storage one that writes with our connection?
        """
        storage: object = self.storage

        if not isinstance(storage, TransactionalCatalogStorage):
            return False
        if not hasattr(storage, "shares"):
            return True

        try:
            return bool(called(storage, "shares", session.raw))
        except BaseException as exc:
            if ends_process(exc):
                raise
            self._fail(exc)
            return False

    def _last_applied(self) -> int | None:
        """
        What the host says; 0 for a host that has nothing, or that can't say.
        """
        storage: object = self.storage

        if not isinstance(storage, RestorableCatalogStorage):
            return None

        try:
            return _sequence(called(storage, "last_applied", self.context.store.location))
        except BaseException as exc:
            if ends_process(exc):
                raise
            self._fail(exc)
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
