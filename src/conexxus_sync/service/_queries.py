"""
What a service answers from the store: health, runs, quarantine, outbox, overview.
"""

from contextlib import suppress
from datetime import datetime

import attrs

from conexxus_client import ConexxusError, ConnectionCheck
from conexxus_sync.health._api_monitor import ApiMonitor
from conexxus_sync.health._health import ServiceHealth, assess_health
from conexxus_sync.health._overview import Overview, Quarantine, read_overview
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.runs import RunKind, SyncRun, began_at
from conexxus_sync.model.sales import OPEN_STATES, Batch, BatchState
from conexxus_sync.stores import LocationStore

from ._engines import Engines


@attrs.frozen(kw_only=True)
class RunHistory:
    """
    The last runs of one kind, latest first; plans are none.
    """

    latest: SyncRun | None
    history: tuple[SyncRun, ...]


@attrs.define(kw_only=True, eq=False)
class ServiceQueries:
    """
    Reads how a service is, what it did, and what waits for an operator.

    `ConexxusService` documents what each method returns and raises.

    Attributes:
        missing: Why the service is disabled, one sentence each.
        made_at: When the service was made: from when on it could have pulled.
    """

    engines: Engines
    missing: tuple[str, ...]
    made_at: datetime = attrs.field(init=False)
    api_monitor: ApiMonitor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.made_at = self.engines.clock.now()
        self.api_monitor = ApiMonitor(self.engines.clock)

        if self.engines.client is not None:
            self.engines.client.add_hook(self.api_monitor)

    @property
    def store(self) -> LocationStore:
        return self.engines.context.store

    def health(self) -> ServiceHealth:
        """
        Assess the health from the store, without a call.
        """
        sales = self.engines.sales

        return assess_health(
            self.store,
            self.engines.config,
            missing=self.missing,
            api=self.last_call,
            orders=sales is not None,
            hanging=None if sales is None else sales.hanging_source,
            profile_check=None if sales is None else sales.profile_check,
            watched_since=self.made_at,
            now=self.engines.clock.now(),
        )

    @property
    def last_call(self) -> ApiConnection | None:
        """
        How the last call of this process went; None before the first.
        """
        return self.api_monitor.last

    def test_connection(self) -> ConnectionCheck:
        """
        Make a health call.
        """
        client = self.engines.client

        if client is None:
            message = "; ".join(self.missing) or "there is no back office: files are read"
            return ConnectionCheck(success=False, message=message)

        return client.test_connection()

    def share_last_call(self) -> None:
        """
        Record the result of the last call in the store, unless it is there.
        """
        self.api_monitor.share(self.store)

    def metrics(self, limit: int = 10, *, kind: RunKind = RunKind.INVENTORY) -> RunHistory:
        """
        The last finished runs of one kind.
        """
        with self.store.read() as state:
            history = state.runs.history(kind, limit)

        return RunHistory(latest=next(iter(history), None), history=tuple(history))

    def run(self, run_id: str) -> SyncRun | None:
        """
        Look for the run at work, in history, behind a lease, among those that raised.
        """
        return (
            self.engines.active_runs.get(run_id)
            or self._recorded(run_id)
            or self.engines.background_runs.failed(run_id)
        )

    def _recorded(self, run_id: str) -> SyncRun | None:
        # A run is recorded before its lease is released: one snapshot of
        # both misses none.
        with self.store.snapshot() as state:
            recorded = state.runs.get(run_id)

            # A push holds its lease beyond its first run; a pull that is
            # recorded may still be at the host.
            if recorded is not None and recorded.kind is RunKind.SALES:
                return recorded

            return self._held_by_lease(run_id) or recorded

    def _held_by_lease(self, run_id: str) -> SyncRun | None:
        """
        What the holder of a lease is at, if it has this id.
        """
        now = self.engines.clock.now()

        for kind in RunKind:
            if self.store.leases.holder(kind.value, now) == run_id:
                return SyncRun(
                    id=run_id,
                    kind=kind,
                    location_id=self.store.location,
                    start_time=began_at(run_id) or now,
                )

        return None

    def running(self) -> tuple[SyncRun, ...]:
        """
        The runs at work.
        """
        return self.engines.active_runs.all()

    def quarantine(self, limit: int = 100) -> Quarantine:
        """
        What is in quarantine.
        """
        with self.store.read() as state:
            return Quarantine.of(state, limit)

    def outbox(self, limit: int = 100, *, settled: bool = False) -> tuple[Batch, ...]:
        """
        Batches of sales, latest business date first.
        """
        states = tuple(BatchState) if settled else OPEN_STATES

        with self.store.read() as state:
            return tuple(state.outbox.batches(states, limit))

    def overview(self, health: ServiceHealth, running: tuple[SyncRun, ...]) -> Overview:
        """
        All of it, for page and terminal.

        Args:
            health: As the service answers it.
            running: Likewise.
        """
        now, next_push = self.engines.clock.now(), None
        found = read_overview(
            self.store,
            self.engines.config,
            health=health,
            running=running,
            expected=self.engines.active_runs.expected,
            calls=self.api_monitor.recent,
            now=now,
        )

        # Where it can't be answered, an alert says why.
        with suppress(ConexxusError):
            if self.engines.sales is not None and found.problem is None:
                next_push = self.engines.sales.next_due(now)

        return attrs.evolve(found, next_push=next_push)
