"""
Makes the engines of one location from what the host gave.
"""

import os
from collections.abc import Callable, Iterable
from datetime import date
from weakref import WeakSet

import attrs

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient, ConfigurationError
from conexxus_client.settings import Settings
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig, missing_settings
from conexxus_sync.engines import EngineContext, ignore
from conexxus_sync.inventory import InventorySync
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.protocols import (
    CatalogSource,
    Clock,
    HostStorage,
    MetricsCollector,
    OrderSource,
)
from conexxus_sync.runtime.cancellation import is_abandoned
from conexxus_sync.runtime.host_methods import (
    method_problems,
    synchronous_orders,
    synchronous_storage,
)
from conexxus_sync.sales import DateReconciler, OutboxOperator, SalesPush
from conexxus_sync.sales._nightly_reconciliation import NightlyReconciliation
from conexxus_sync.sales._source_watch import SourceWatch
from conexxus_sync.scheduling._active_runs import ActiveRuns
from conexxus_sync.scheduling._background_runs import BackgroundRuns
from conexxus_sync.stores import SyncStore

from ._host_objects import catalog_source
from ._named_profile import named_profile
from ._shadow_catalogue import ShadowCatalogue


@attrs.define(kw_only=True, eq=False)
class Engines:
    """
    Makes the engines that pull, push, and take things out of quarantine.

    Service and commands have theirs from here.

    Attributes:
        client: None if the back office is not configured.
        source: Where the catalogue comes from; None from the back office.
        shadow: The files that are compared with the back office, if there are any.
        catalog: Where the host wants the catalogue's changes.
        orders: Where sales come from.
        is_stopping: Whether a run shall end as soon as it can; by default, none shall.
        on_end: Called after each run in the background.
        profile_named: Whether somebody chose the client's profile.
        context: What the engines work with.
        sales: The engine that pushes; None without a client or an order
            source.  One for all pushes: it remembers how long to wait after a
            failure.
        active_runs: The runs of these engines that are at work.
        background_runs: Those that were triggered, each in a thread.
    """

    client: ConexxusClient | None
    store: SyncStore
    config: SyncConfig
    clock: Clock
    catalog: HostStorage | None = attrs.field(default=None, converter=synchronous_storage)
    orders: OrderSource | None = attrs.field(default=None, converter=synchronous_orders)
    collectors: Iterable[MetricsCollector] = ()
    is_stopping: Callable[[], bool] = bool
    on_end: Callable[[], None] = lambda: None
    profile_named: bool = True
    context: EngineContext = attrs.field(init=False)
    source: CatalogSource | None = attrs.field(init=False)
    shadow: ShadowCatalogue | None = attrs.field(init=False)
    sales: SalesPush | None = attrs.field(init=False)
    active_runs: ActiveRuns = attrs.field(factory=ActiveRuns, init=False)
    background_runs: BackgroundRuns = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.collectors = tuple(self.collectors)
        problems = method_problems(
            catalog=self.catalog, orders=self.orders, collectors=self.collectors
        )
        if found := list(problems):
            raise ConfigurationError(found)

        self.context = EngineContext(
            store=self.store.at(self.config.location_id),
            config=self.config,
            clock=self.clock,
            observer=FanOut([self.active_runs, *self.collectors]),
            is_stopping=self.is_stopping,
        )
        self.source = catalog_source(self.context)
        self.shadow = ShadowCatalogue.of(self.context, self.store)
        self.sales = self._sales_engine()
        self.background_runs = BackgroundRuns(
            context=self.context,
            client=self.client,
            on_end=self.on_end,
        )
        _engines.add(self)

    @property
    def is_enabled(self) -> bool:
        """
        Is there something to do?  A catalogue from files needs no back office,
        where no sales are pushed.
        """
        return self.client is not None or (self.source is not None and self.orders is None)

    def renew_locks(self) -> None:
        """
        In a child process: threads that are not there may have held them, and
        their runs go on in the parent alone.
        """
        self.active_runs.renew()
        self.background_runs.renew()

    def inventory(
        self,
        stop: Callable[[], bool] = lambda: False,
        *,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> InventorySync | None:
        """
        The engine that pulls; None where the catalogue comes from nowhere.

        Args:
            stop: Of the scheduler at work: a pull that outlives its
                scheduler stays stopped.
            progress: Told how many items came so far, and how many will, if
                known.
        """
        if self.client is None and self.source is None:
            return None

        return InventorySync(
            client=self.client,
            context=attrs.evolve(self.context, is_stopping=lambda: stop() or is_abandoned()),
            storage=self.catalog,
            progress=progress or self.active_runs.report_progress,
            source=self.source,
            after=ignore if self.shadow is None else self.shadow.look,
        )

    def quarantine_replay(self) -> QuarantineReplay:
        """
        What takes an item out of quarantine.
        """
        return QuarantineReplay(context=self.context, storage=self.catalog)

    def outbox_operator(self) -> OutboxOperator:
        """
        What settles batches, and takes sales out of quarantine.
        """
        client = self.client

        return OutboxOperator(
            context=self.context,
            profile=ApiProfile() if client is None else client.profile,
            client_config=None if client is None else client.config,
        )

    def nightly_reconciliation(self) -> NightlyReconciliation:
        """
        What compares till, outbox and back office, and keeps what came of it.
        """
        return NightlyReconciliation(context=self.context, reconciler=self._reconciler)

    def _reconciler(self, business_date: date) -> DateReconciler:
        return DateReconciler(
            store=self.context.store,
            business_date=business_date,
            orders=self.orders,
            client=self.client,
            watch=SourceWatch(self.clock) if self.sales is None else self.sales.watch,
        )

    def _sales_engine(self) -> SalesPush | None:
        if self.client is None or self.orders is None:
            return None

        return SalesPush(
            client=self.client,
            context=self.context,
            orders=self.orders,
            profile_named=self.profile_named,
        )


def client_from_env(
    env: Settings, profile: ApiProfile | None
) -> tuple[ConexxusClient | None, list[str]]:
    """
    The client that the variables describe; or, without URL or key, none and
    why.

    Args:
        profile: Instead of the one that they name.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    missing = missing_settings(env)

    if missing:
        return None, missing

    config = ClientConfig.from_env(env)

    return ConexxusClient(config, profile=profile or named_profile(env)), []


_engines = WeakSet[Engines]()


def _renew_all() -> None:
    for engines in _engines:
        engines.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
