"""
`ConexxusService`: both engines of a location, their schedule, and their health.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Self

from conexxus_client import ApiProfile, ConexxusClient, ConnectionCheck
from conexxus_client.settings import Settings
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.health._health import ServiceHealth
from conexxus_sync.health._overview import Overview, Quarantine
from conexxus_sync.model.api_connection import ApiConnection
from conexxus_sync.model.date_reconciliation import DateReconciliation
from conexxus_sync.model.runs import RunKind, SyncRun
from conexxus_sync.model.sales import Batch
from conexxus_sync.notifications import notify_in_background
from conexxus_sync.protocols import AnyCatalogStorage, AnyOrderSource, Clock, MetricsCollector
from conexxus_sync.runtime.clock import SettableClock, SystemClock
from conexxus_sync.sales import OutboxOperator, SalesPush
from conexxus_sync.scheduling._background_runs import Trigger
from conexxus_sync.scheduling._scheduler import Scheduler, shut_down
from conexxus_sync.stores import LocationStore, SyncStore, open_store

from ._commands import ServiceCommands
from ._engines import Engines, client_from_env
from ._host_objects import catalog_storage, host_object, order_source
from ._queries import RunHistory, ServiceQueries


class ConexxusService:
    """
    Keeps one location in step with the back office.

    Without a client it is disabled: it says so, and skips every run.

    Args:
        catalog: Where the host wants the catalogue's changes.
        orders: Where sales come from; without it, none are pushed.
        collectors: Who watches the runs.
        clock: Where moments come from, if not from the system.
        missing: Why there is no client, one sentence each.
    """

    def __init__(
        self,
        client: ConexxusClient | None = None,
        *,
        store: SyncStore,
        config: SyncConfig,
        catalog: AnyCatalogStorage | None = None,
        orders: AnyOrderSource | None = None,
        collectors: Iterable[MetricsCollector] = (),
        clock: Clock | None = None,
        missing: Iterable[str] = ("the back office is not configured",),
    ) -> None:
        self._clock = SettableClock(clock or SystemClock())
        self._engines = Engines(
            client=client,
            store=store,
            config=config,
            clock=self._clock,
            catalog=catalog,
            orders=orders,
            collectors=collectors,
            is_stopping=lambda: self.is_stopping,
            on_end=self.share_last_call,
        )
        self.missing: tuple[str, ...] = () if self._engines.is_enabled else tuple(missing)
        self._commands = ServiceCommands(engines=self._engines, missing=self.missing)
        self._queries = ServiceQueries(engines=self._engines, missing=self.missing)
        reconcile = self._engines.nightly_reconciliation().run
        self._scheduler = Scheduler(self, self._clock, self._engines.background_runs, reconcile)

    @property
    def client(self) -> ConexxusClient | None:
        return self._engines.client

    @property
    def store(self) -> LocationStore:
        return self._engines.context.store

    @property
    def context(self) -> EngineContext:
        return self._engines.context

    @property
    def config(self) -> SyncConfig:
        return self._engines.config

    @property
    def sales(self) -> SalesPush | None:
        """
        The engine that pushes; None without a client or an order source.
        """
        return self._engines.sales

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        catalog: AnyCatalogStorage | None = None,
        orders: AnyOrderSource | None = None,
        collectors: Iterable[MetricsCollector] = (),
        config: SyncConfig | None = None,
        profile: ApiProfile | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """
        Make a service from the documented environment variables.

        What is given here goes before the variables, and those before the
        settings file.

        Args:
            environ: Instead of the process's own environment.
            catalog: Instead of the storage that CONEXXUS_CATALOG names.
            orders: Instead of the order source that CONEXXUS_ORDERS names.
            config: Instead of the one that the variables describe; URL, key
                and the rest of the client's settings still come from them.
            profile: Instead of the one that CONEXXUS_PROFILE names.

        Raises:
            ConfigurationError: A setting is wrong; a missing URL or key is
                not wrong, but disables the service.
        """
        settings = Settings.of(environ)
        config = SyncConfig.from_env(settings) if config is None else config
        client, missing = client_from_env(settings, profile)
        catalog = host_object(settings, config, catalog_storage) if catalog is None else catalog
        orders = host_object(settings, config, order_source) if orders is None else orders

        return cls(
            client,
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

        Triggered runs are asked to stop, and have four seconds; no other starts.
        """
        self._engines.background_runs.close()
        shut_down(self._engines.background_runs)
        self._engines.store.close()
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
        return self._commands.pull(plan=plan, force=force, reapply=reapply, accept=accept)

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
        return self._commands.trigger_pull(force=force, accept=accept)

    def trigger_push(self, business_date: date | None = None) -> Trigger:
        """
        Start a push in a thread; return at once, or raise within two seconds.

        A push that finds nothing to say is in no history, but `run` gets it.

        Args:
            business_date: Push this one, due or not; by default, all that are due.

        Raises:
            ConexxusError: As `push_sales`; there is no thread to be had, or the service stops.
        """
        return self._commands.trigger_push(business_date)

    def push_sales(self, business_date: date | None = None) -> list[SyncRun]:
        """
        Push one business date, due or not; or all that are due.

        Returns:
            One run for each date that had something to say, oldest first.

        Raises:
            ConfigurationError: The store's zone is not configured.
            RunInProgressError: A push is in progress.
            DateClosedError: The date no longer takes a push.
            StoreError: The store can't be used.
        """
        return [] if self.sales is None else self.sales.push(business_date)

    def close_day(self, business_date: date) -> list[SyncRun]:
        """
        Push *business_date*, because the till has just closed it.

        Raises:
            ConexxusError: As `push_sales`; a moment is a `ValueError`.
        """
        return [] if self.sales is None else self.sales.close_day(business_date)

    def reconcile(self, business_date: date) -> DateReconciliation:
        """
        Compare till, outbox and back office by register, tender and tax code.

        Raises:
            ConexxusError: The order source failed, or the store can't be used.
        """
        return self._engines.nightly_reconciliation().reconcile(business_date)

    def run_due(self, now: datetime) -> list[SyncRun]:
        """
        Do whatever is due at *now*, once; what runs elsewhere is left alone.

        The runs begin at *now*, whatever time it is: the same moment a
        second time finds nothing due.

        Raises:
            ConfigurationError: The store's zone is not configured.
            StoreError: The store can't be used.
            ValueError: *now* is naive.
        """
        return self._scheduler.run_due(now)

    def run_forever(self, stop: threading.Event) -> None:
        """
        Do what is due until *stop* is set; nothing that goes wrong ends it.

        Meanwhile it makes a health call now and then, and sends alerts.

        A pull in progress then breaks off and changes nothing; a push ends
        after the batch at work; so do triggered runs. The service stays usable.
        Threads of the scheduler call storage and order source: one that hangs
        does not block the other, and is abandoned when the scheduler stops.
        """
        with (
            self._commands.ending_with(stop),
            notify_in_background(self, self._clock) as look,
        ):
            self._scheduler.run_forever(stop, after_round=look)

    @property
    def is_stopping(self) -> bool:
        """
        Was the scheduler stopped, but has not ended yet?
        """
        return self._commands.is_stopping

    def replay_item(self, key: str) -> SyncRun:
        """
        Look at an item in quarantine again, and take it if it is good.

        Raises:
            ConfigurationError: There is no such item, or several.
            SyncError: It is still bad; nothing was changed.
            RunInProgressError: A pull is at work.
            StoreError: The store can't be used.
        """
        return self._engines.quarantine_replay().replay(key)

    def replay_sale(self, business_date: date, transaction_id: str) -> bool:
        """
        Let a sale out of quarantine: the next push of its date takes it.

        Returns:
            Whether it was there.

        Raises:
            RunInProgressError: A push is at work.
            StoreError: The store can't be used.
        """
        return self._engines.outbox_operator().replay(business_date, transaction_id)

    def outbox_operator(self) -> OutboxOperator:
        """
        What settles batches as an operator decides.
        """
        return self._engines.outbox_operator()

    def health(self) -> ServiceHealth:
        """
        How the service is, without asking the back office; never raises.
        Where the store can't be read, it is unhealthy, and an alert says why.
        """
        return self._queries.health()

    @property
    def last_call(self) -> ApiConnection | None:
        return self._queries.last_call

    def test_connection(self) -> ConnectionCheck:
        """
        Ask the back office how it is; never raises.
        """
        check = self._queries.test_connection()
        self.share_last_call()
        return check

    def share_last_call(self) -> None:
        """
        Show the last call's result to the processes that share the store.
        """
        self._queries.share_last_call()

    def metrics(self, limit: int = 10, *, kind: RunKind = RunKind.INVENTORY) -> RunHistory:
        """
        The last finished runs.

        Raises:
            StoreError: The store can't be used.
        """
        return self._queries.metrics(limit, kind=kind)

    def run(self, run_id: str) -> SyncRun | None:
        """
        The run with this id; at work, it has no status yet.  None if there is
        none, or if it was a scheduled push that ended with nothing to say.

        Of a run that another process is at, no more is known than its kind and
        its start.

        Raises:
            StoreError: The store can't be used.
        """
        return self._queries.run(run_id)

    def running(self) -> tuple[SyncRun, ...]:
        """
        The runs that this service is at, with what they have processed so far.
        """
        return self._queries.running()

    def quarantine(self, limit: int = 100) -> Quarantine:
        """
        What was set aside: at most *limit* items, and so many sales.

        Raises:
            StoreError: The store can't be used.
        """
        return self._queries.quarantine(limit)

    def outbox(self, limit: int = 100, *, settled: bool = False) -> tuple[Batch, ...]:
        """
        Batches of sales, latest business date first.

        Args:
            settled: Also those that were delivered, rejected or resolved.

        Raises:
            StoreError: The store can't be used.
        """
        return self._queries.outbox(limit, settled=settled)

    def overview(self) -> Overview:
        """
        Everything that a person wants to see at one glance; never raises.
        """
        return self._queries.overview(self.health(), self.running())
