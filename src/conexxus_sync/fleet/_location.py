"""
`Location`: the engines of one store of a fleet, without a thread or a timer.
"""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from conexxus_sync.model.catalogue import Plan
from conexxus_sync.model.pull_schedule import PullSchedule
from conexxus_sync.model.runs import RunKind, RunStatus, SyncRun
from conexxus_sync.protocols import Clock, MetricsCollector
from conexxus_sync.runtime.cancellation import interruptible, is_abandoned
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.service import ConexxusService
from conexxus_sync.service._engines import Engines
from conexxus_sync.stores import SyncStore

from ._back_offices import BackOffices
from ._location_breaker import LocationBreaker
from ._shared_hosts import HostObjects
from ._store_settings import StoreSettings


# After each store's own time: thousands of stores close at the same minute.
PUSH_SPREAD = timedelta(minutes=20)

_log = safe_logger(__name__)

_ONLY_PULLS = (RunKind.INVENTORY,)


class Location:
    """
    Says when the runs of one store begin, and makes them, in the caller's thread.

    Its engines are made when they are first needed.
    """

    def __init__(
        self,
        settings: StoreSettings,
        *,
        store: SyncStore,
        clock: Clock,
        collectors: Iterable[MetricsCollector],
        offices: BackOffices,
        hosts: HostObjects,
    ) -> None:
        self.settings: StoreSettings = settings
        self.breaker: LocationBreaker = LocationBreaker()
        self.problem: str | None = None
        self._clock = clock
        self._schedule = PullSchedule(settings.location_id, settings.sync.sync_every)
        self._store = store
        self._collectors = tuple(collectors)
        self._offices = offices
        self._hosts = hosts
        self._engines: Engines | None = None
        self._lock = threading.Lock()

    def note(self, problem: str) -> None:
        """
        Log what is wrong, once.
        """
        if self.problem != problem:
            _log.error("Conexxus store %s: %s", self.settings.location_id, problem)
        self.problem = problem

    @property
    def kinds(self) -> tuple[RunKind, ...]:
        """
        Without an order source, nothing is pushed.
        """
        return tuple(RunKind) if self._hosts.has_orders(self.settings.sync) else _ONLY_PULLS

    @property
    def engines(self) -> Engines:
        """
        Raises:
            ConfigurationError: The host's storage or order source can't be used.
        """
        with self._lock:
            if self._engines is None:
                self._engines = self._new_engines()

            return self._engines

    def next_start(self, kind: RunKind, now: datetime) -> datetime | None:
        """
        When the next run of this kind begins, by what the store holds; not after
        *now* if that is at once, None if never.

        Raises:
            ConexxusError: The store or the settings can't be used.
        """
        engines = self.engines

        if kind is RunKind.INVENTORY:
            with engines.context.store.read() as state:
                latest = state.runs.latest(RunKind.INVENTORY)
            return self._schedule.next_pull(latest, now)
        if engines.sales is None:
            return None

        due_at = engines.sales.next_due(now)
        # Looks during the day are spread by when each store was looked at last.
        is_spread = self.settings.sync.push_every is None
        if not is_spread:
            return due_at

        return push_start(self.settings.location_id, due_at, now, engines.sales.retry_at)

    def run(self, kind: RunKind) -> bool:
        """
        Make the run of this kind, if it is due still.

        Returns:
            Whether the back office could be spoken to, or need not.

        Raises:
            ConexxusError: The store or the settings can't be used.
        """
        client = self.engines.client

        with interruptible(client, is_abandoned):
            if kind is RunKind.INVENTORY:
                return _is_good(self._pull())

            return self._push()

    def pull_now(self, *, plan: bool, force: bool, accept: Plan | None) -> SyncRun:
        """
        Pull the catalogue, due or not; as `InventorySync.pull`.

        Raises:
            ConexxusError: Another run is at work, or the store or the settings can't be used.
        """
        engine = self.engines.inventory()
        assert engine is not None

        return engine.pull(plan=plan, force=force, accept=accept)

    def service(self) -> ConexxusService:
        """
        A service for the location's page, and for what is done there by hand.

        Raises:
            ConfigurationError: The host's storage or order source can't be used.
        """
        config = self.settings.sync

        return ConexxusService(
            self.engines.client,
            store=self._store,
            config=config,
            catalog=self._hosts.catalog(config),
            orders=self._hosts.orders(config),
            collectors=self._collectors,
            clock=self._clock,
        )

    def _new_engines(self) -> Engines:
        config = self.settings.sync

        return Engines(
            client=self._offices.client(self.settings),
            store=self._store,
            config=config,
            clock=self._clock,
            catalog=self._hosts.catalog(config),
            orders=self._hosts.orders(config),
            collectors=self._collectors,
            is_stopping=is_abandoned,
            profile_named=self.settings.names_profile,
        )

    def _pull(self) -> SyncRun | None:
        engine = self.engines.inventory(is_abandoned)
        assert engine is not None
        context = self.engines.context

        with context.store.keep_open():
            lease = engine.acquire()
            try:
                with context.store.read() as state:
                    latest = state.runs.latest(RunKind.INVENTORY)
                # Under the lease: no other process has pulled meanwhile.
                is_due = self._schedule.is_due(latest, self._clock.now())
            except BaseException:
                context.release(lease)
                raise
            if not is_due:
                context.release(lease)
                return None

            return engine.pull(lease=lease)

    def _push(self) -> bool:
        sales, now = self.engines.sales, self._clock.now()

        if sales is None or sales.next_due(now) > now:
            return True

        sales.push(automatic=True)
        self.engines.nightly_reconciliation().run(now)

        return sales.retry_at is None


def _is_good(run: SyncRun | None) -> bool:
    """
    A catalogue that a guard refuses, or a key that is wrong, costs no time.
    """
    return run is None or run.status is not RunStatus.FAILED or run.retry_at is None


def push_start(
    location_id: str, due_at: datetime, now: datetime, retry_at: datetime | None = None
) -> datetime:
    """
    When a push that is due at *due_at* begins.

    Args:
        due_at: A moment of the store's calendar; or *now*, where something
            waits already, which is not put off.
        retry_at: Likewise, when what failed is tried again.
    """
    waits = now <= due_at <= (retry_at or now)

    return due_at if waits else due_at + push_offset(location_id)


def push_offset(location_id: str) -> timedelta:
    """
    The part of `PUSH_SPREAD` that the location's name decides.

    It does not follow from the moment of its pulls: both are spread by
    themselves.
    """
    digest = blake2b(location_id.encode(), digest_size=8, person=b"push").digest()

    return PUSH_SPREAD * (int.from_bytes(digest) / 2**64)
