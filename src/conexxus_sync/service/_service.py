"""
What a host holds: both engines, their schedule, and how they are.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.health._api_monitor import Connection
from conexxus_sync.health._quarantine import Quarantine as Quarantine
from conexxus_sync.inventory import InventorySync
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.model.runs import SyncRun
from conexxus_sync.notifications import noticing
from conexxus_sync.protocols import Clock, HostStorage, MetricsCollector, OrderSource
from conexxus_sync.runtime.cancellation import PullStopper, interrupting, is_left_behind, under
from conexxus_sync.runtime.clock import SettableClock, SystemClock
from conexxus_sync.scheduling._active_runs import RunsInProgress
from conexxus_sync.scheduling._background_runs import TriggeredRuns
from conexxus_sync.scheduling._scheduler import Scheduler, take_leave
from conexxus_sync.scheduling._trigger import Trigger as Trigger
from conexxus_sync.stores import open_store
from conexxus_sync.stores._protocols import SyncStore

from ._queries import Answers
from ._results import RunHistory as RunHistory
from ._results import skipped_pull


if TYPE_CHECKING:
    from conexxus_sync.sales import SalesPush


class ConexxusService(Answers):
    """
    Keeps one location in step with the back office.

    Without a client it is disabled: it says so, and skips every run.

    Attributes:
        missing: Why it is disabled, one sentence each.

    Args:
        catalog: Where the host wants the catalogue's changes.
        orders: Where sales come from; without it, none are pushed.
        collectors: Who watches the runs.
        clock: Where moments come from, if not from the system.
        missing: Said of a service without a client.
    """

    def __init__(
        self,
        client: ConexxusClient | None = None,
        *,
        store: SyncStore,
        config: SyncConfig,
        catalog: HostStorage | None = None,
        orders: OrderSource | None = None,
        collectors: Iterable[MetricsCollector] = (),
        clock: Clock | None = None,
        missing: Iterable[str] = ("the back office is not configured",),
    ) -> None:
        self.client = client
        self.store = store
        self.config = config
        self.missing: tuple[str, ...] = tuple(missing) if client is None else ()
        self._catalog = catalog
        self._orders = orders
        self._clock = SettableClock(clock or SystemClock())
        self._made_at = self._clock.now()
        self._connection = Connection(self._clock)
        self._in_progress = RunsInProgress()
        self._collectors = FanOut([self._in_progress, *collectors])
        # Nobody sets this one.
        self._stop = threading.Event()
        self._triggered = TriggeredRuns(
            store=store,
            client=client,
            clock=self._clock,
            is_stopping=lambda: self.is_stopping,
            ended=self.share_last_call,
        )
        self._scheduler = Scheduler(self, self._clock, self._triggered)

        if client is not None:
            client.add_hook(self._connection)

    @cached_property
    def sales(self) -> "SalesPush | None":
        """
        The engine that pushes; None without a client or an order source.
        """
        if self.client is None or self._orders is None:
            return None

        from conexxus_sync.sales import SalesPush

        return SalesPush(
            client=self.client,
            store=self.store,
            config=self.config,
            clock=self._clock,
            orders=self._orders,
            collectors=self._collectors,
            on_changed=self.config.on_changed,
            summary=self.config.summary,
            stop=lambda: self.is_stopping,
        )

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        catalog: HostStorage | None = None,
        orders: OrderSource | None = None,
        collectors: Iterable[MetricsCollector] = (),
        config: SyncConfig | None = None,
        profile: ApiProfile | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """
        Make a service from the documented environment variables.

        What has no variable is given here. To have gone items deactivated:

        ```python
        config = attrs.evolve(SyncConfig.from_env(), removals="deactivate")
        service = ConexxusService.from_env(config=config)
        ```

        Args:
            environ: Instead of the process's own environment.
            config: Instead of the one that the variables describe; URL, key
                and the rest of the client's settings still come from them.
            profile: How this back office speaks, if not by the default.

        Raises:
            ConfigurationError: A setting is wrong; a missing URL or key is
                not wrong, but disables the service.
        """
        env = os.environ if environ is None else environ
        config = SyncConfig.from_env(env) if config is None else config
        required = ("CONEXXUS_API_URL", "CONEXXUS_API_KEY")
        missing = [f"{name} is not configured" for name in required if not env.get(name)]

        return cls(
            None if missing else ConexxusClient(ClientConfig.from_env(env), profile=profile),
            store=open_store(config.store),
            config=config,
            catalog=catalog,
            orders=orders,
            collectors=collectors,
            clock=clock,
            missing=missing,
        )

    def close(self) -> None:
        """
        Give back connections; a pull in progress breaks off and changes nothing.

        Runs that were triggered are told to stop, and have four seconds for
        it; no other is started.
        """
        self._triggered.close()
        take_leave(self._triggered)

        if self.client is not None:
            self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def sync_inventory(
        self,
        plan: bool = False,
        force: bool = False,
        *,
        reapply: bool = False,
        accept: str | None = None,
    ) -> SyncRun:
        """
        Pull the catalogue now.

        Args:
            plan: Only say what would change.
            force: Pass all guards, this once.
            reapply: Give the host the whole catalogue, not just the changes.
            accept: Id of a planned or refused run: apply only if the
                catalogue is still the one that was seen then.

        Raises:
            ConfigurationError: There is no such plan.
            RunInProgressError: A pull is in progress; it has the run's id.
            StoreError: The store can't be used.
        """
        engine = self._inventory()

        if engine is None:
            return skipped_pull(self.config.location_id, self.missing, self._clock.now())

        return engine.pull(plan=plan, force=force, reapply=reapply, accept=accept)

    def trigger_sync(self, *, force: bool = False, accept: str | None = None) -> Trigger:
        """
        Start a pull in a thread; return at once, or raise within two seconds.

        Args:
            force: Pass all guards, this once.
            accept: As for `sync_inventory`.

        Raises:
            ConfigurationError: There is no such plan.
            StoreError: The store can't be used.
            SyncError: There is no thread to be had, or the service stops.
        """
        engine = self._inventory()

        if engine is None:
            return Trigger(run_id=None, skipped="; ".join(self.missing))

        with self.store.hurrying():
            if accept is not None:
                engine.plan(accept)

            return self._triggered.begin(
                engine.acquire, lambda lease: engine.pull(lease=lease, force=force, accept=accept)
            )

    def trigger_push(self, business_date: date | None = None) -> Trigger:
        """
        Start a push in a thread; return at once, or raise within two seconds.

        A push that finds nothing to say is in no history, but `run` knows it.

        Args:
            business_date: Push this one, due or not; by default, all that are due.

        Raises:
            ConfigurationError: Nobody said in which zone the store is.
            DateClosedError: The date no longer takes a push.
            StoreError: The store can't be used.
            SyncError: There is no thread to be had, or the service stops.
        """
        sales = self.sales

        if sales is None:
            return Trigger(
                run_id=None, skipped="; ".join(self.missing) or "there is no order source"
            )

        with self.store.hurrying():
            if business_date is not None:
                sales.agenda.refuse_closed(business_date)
            elif (doubt := sales.clock_doubt(self._clock.now())) is not None:
                return Trigger(run_id=None, skipped=str(doubt))

            return self._triggered.begin(
                sales.acquire, lambda lease: sales.push(business_date, automatic=False, lease=lease)
            )

    def push_sales(self, business_date: date | None = None) -> list[SyncRun]:
        """
        Push one business date, due or not; or all that are due.

        Returns:
            One run for each date that had something to say, oldest first.

        Raises:
            ConfigurationError: Nobody said in which zone the store is.
            RunInProgressError: A push is in progress.
            DateClosedError: The date no longer takes a push.
            StoreError: The store can't be used.
        """
        return [] if self.sales is None else self.sales.push(business_date)

    def close_day(self, business_date: date) -> list[SyncRun]:
        """
        Push *business_date*, because the till has just closed it.

        Raises:
            ConexxusError: As `push_sales`.
        """
        return [] if self.sales is None else self.sales.close_day(business_date)

    def run_due(self, now: datetime) -> list[SyncRun]:
        """
        Do whatever is due at *now*, once; what runs elsewhere is left alone.

        The runs begin at *now*, whatever time it is: the same moment a
        second time finds nothing due.

        Raises:
            ConfigurationError: Nobody said in which zone the store is.
            StoreError: The store can't be used.
            ValueError: *now* is naive.
        """
        return self._scheduler.run_due(now)

    def run_forever(self, stop: threading.Event) -> None:
        """
        Do what is due until *stop* is set; nothing that goes wrong ends it.

        Meanwhile the back office is asked now and then how it is, and whoever
        is to be told of alerts is.

        A pull in progress then breaks off and changes nothing; a push ends
        after the batch at work; so do those that were triggered. The service
        can be used on.

        Storage and order source are called from threads of the scheduler:
        what hangs in one does not keep the other from its runs, and is left
        behind when all shall end.
        """
        self._stop = stop

        try:
            with (
                interrupting(self.client, stop.is_set),
                under(stop.is_set),
                noticing(self, self._clock) as look,
            ):
                self._scheduler.run_forever(stop, after_round=look)
        finally:
            self._stop = threading.Event()

    @property
    def is_stopping(self) -> bool:
        """
        Was the scheduler told to end, but did not yet?
        """
        return self._stop.is_set() or is_left_behind()

    def replay_item(self, key: str) -> SyncRun:
        """
        Look at an item in quarantine again, and take it if it is good.

        Raises:
            ConfigurationError: There is no such item, or several.
            SyncError: It is still bad; nothing was changed.
            RunInProgressError: A pull is at work.
            StoreError: The store can't be used.
        """
        replay = QuarantineReplay(
            store=self.store, config=self.config, clock=self._clock, storage=self._catalog
        )

        return replay.replay(key)

    def replay_sale(self, business_date: date, transaction_id: str) -> bool:
        """
        Let a sale out of quarantine: the next push of its date takes it.

        Returns:
            Whether it was there.

        Raises:
            RunInProgressError: A push is at work.
            StoreError: The store can't be used.
        """
        from conexxus_sync.sales import OutboxOperator

        operator = OutboxOperator(
            store=self.store, location_id=self.config.location_id, clock=self._clock
        )

        return operator.replay(business_date, transaction_id)

    def _inventory(self) -> InventorySync | None:
        if self.client is None:
            return None

        # One that outlives its scheduler stays stopped.
        stop = self._stop.is_set

        return InventorySync(
            client=self.client,
            store=self.store,
            config=self.config,
            clock=self._clock,
            storage=self._catalog,
            collectors=self._collectors,
            steps=PullStopper(lambda: stop() or is_left_behind()),
            progress=self._in_progress.came,
        )
