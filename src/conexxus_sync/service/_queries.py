"""
What can be asked of the service: it changes nothing, and calls nobody.
"""

from datetime import datetime

from conexxus_client import ConexxusClient, ConnectionCheck
from conexxus_sync.config import SyncConfig
from conexxus_sync.errors import StoreError
from conexxus_sync.health._api_monitor import Connection
from conexxus_sync.health._health import ServiceHealth, health_from
from conexxus_sync.health._overview import Overview, overview_of
from conexxus_sync.health._quarantine import Quarantine
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.runs import RunKind, SyncRun, began_at
from conexxus_sync.model.sales import OPEN_STATES, Batch, BatchState
from conexxus_sync.protocols import Clock, OrderSource
from conexxus_sync.runtime.safe_logging import safe_logger
from conexxus_sync.scheduling._active_runs import RunsInProgress
from conexxus_sync.scheduling._background_runs import TriggeredRuns
from conexxus_sync.stores._protocols import SyncStore

from ._results import RunHistory


_log = safe_logger(__name__)


class Answers:
    """
    How the service is, what it did, and what waits for somebody.
    """

    client: ConexxusClient | None
    store: SyncStore
    config: SyncConfig
    missing: tuple[str, ...]
    _clock: Clock
    _made_at: datetime
    _connection: Connection
    _shared: ApiConnection | None = None
    _in_progress: RunsInProgress
    _triggered: TriggeredRuns
    _orders: OrderSource | None

    def health(self) -> ServiceHealth:
        """
        How the service is, without asking the back office; never raises.

        Where the store can't be read, it is unhealthy, and an alert says why.
        """
        return health_from(
            self.store,
            self.config,
            missing=self.missing,
            api=self.last_call,
            orders=self._orders is not None and self.client is not None,
            watched_since=self._made_at,
            now=self._clock.now(),
        )

    @property
    def last_call(self) -> ApiConnection | None:
        """
        How the last call of this process went; None before the first.
        """
        return self._connection.last

    def test_connection(self) -> ConnectionCheck:
        """
        Ask the back office how it is; never raises.
        """
        if self.client is None:
            return ConnectionCheck(success=False, message="; ".join(self.missing))

        check = self.client.test_connection()
        self.share_last_call()

        return check

    def share_last_call(self) -> None:
        """
        Let the processes that share the store know how the last call went: who
        asks another, like `conexxus status`, is told the same.

        Not when the call ends: that may be amidst a transaction.
        """
        call = self.last_call

        if call is None or call is self._shared:
            return

        try:
            with self.store.hurrying(), self.store.writing() as connection:
                self.store.calls.tell(connection, self.config.location_id, call, self._clock.now())
        except StoreError as exc:
            _log.warning("What is known of the back office can't be kept: %s", exc)
        else:
            self._shared = call

    def metrics(self, limit: int = 10, *, kind: RunKind = RunKind.INVENTORY) -> RunHistory:
        """
        The last finished runs.

        Raises:
            StoreError: The store can't be used.
        """
        history = self.store.runs.history(self.config.location_id, kind, limit)

        return RunHistory(latest=next(iter(history), None), history=tuple(history))

    def run(self, run_id: str) -> SyncRun | None:
        """
        The run with this id; at work, it has no status yet.  None if there is
        none, or if it was a scheduled push that ended with nothing to say.

        Of a run that another process is at, no more is known than its kind and
        its start.

        Raises:
            StoreError: The store can't be used.
        """
        found = (
            self._in_progress.get(run_id) or self._known(run_id) or self._triggered.failed(run_id)
        )

        return found if found is None or found.location_id == self.config.location_id else None

    def _known(self, run_id: str) -> SyncRun | None:
        # A run is recorded before its lease is given back: whoever sees both
        # at one moment misses none.
        with self.store.glancing():
            recorded = self.store.runs.get(run_id)

            # A push holds its lease beyond its first run; a pull that is
            # recorded may still be at the host.
            if recorded is not None and recorded.kind is RunKind.SALES:
                return recorded

            return self._held(run_id) or recorded

    def _held(self, run_id: str) -> SyncRun | None:
        """
        What the holder of a lease is at, if it has this id.
        """
        location_id, now = self.config.location_id, self._clock.now()

        for kind in RunKind:
            if self.store.leases.holder(location_id, kind.value, now) == run_id:
                start = began_at(run_id) or now
                return SyncRun(id=run_id, kind=kind, location_id=location_id, start_time=start)

        return None

    def running(self) -> tuple[SyncRun, ...]:
        """
        The runs that this service is at, with what they have processed so far.
        """
        return self._in_progress.all()

    def quarantine(self, limit: int = 100) -> Quarantine:
        """
        What was set aside.

        Args:
            limit: At most so many items, and so many sales.

        Raises:
            StoreError: The store can't be used.
        """
        return Quarantine.of(self.store, self.config.location_id, limit)

    def outbox(self, limit: int = 100, *, settled: bool = False) -> tuple[Batch, ...]:
        """
        Batches of sales, latest business date first.

        Args:
            settled: Also those that were delivered, rejected or resolved.

        Raises:
            StoreError: The store can't be used.
        """
        states = tuple(BatchState) if settled else OPEN_STATES

        return tuple(self.store.outbox.batches(self.config.location_id, states, limit))

    def overview(self) -> Overview:
        """
        Everything that a person wants to see at one glance; never raises.
        """
        return overview_of(
            self.store,
            self.config,
            health=self.health(),
            running=self.running(),
            expected=self._in_progress.expected,
            calls=self._connection.recent,
            now=self._clock.now(),
        )
