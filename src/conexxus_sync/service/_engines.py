"""
Makes the engines of one location from what the host gave.
"""

from collections.abc import Callable, Iterable, Mapping

import attrs

from conexxus_client import ApiProfile, ClientConfig, ConexxusClient
from conexxus_sync.collectors import FanOut
from conexxus_sync.config import SyncConfig
from conexxus_sync.inventory import InventorySync
from conexxus_sync.inventory._quarantine_replay import QuarantineReplay
from conexxus_sync.protocols import HostStorage, MetricsCollector, OrderSource
from conexxus_sync.runtime.cancellation import PullStopper, is_abandoned
from conexxus_sync.runtime.clock import SettableClock
from conexxus_sync.sales import BatchLimits, OutboxOperator, SalesPush
from conexxus_sync.scheduling._active_runs import ActiveRuns
from conexxus_sync.scheduling._background_runs import BackgroundRuns
from conexxus_sync.stores import SyncStore

from ._named_profile import load_profile


@attrs.define(kw_only=True, eq=False)
class Engines:
    """
    Makes the engines that pull, push, and take things out of quarantine.

    Attributes:
        client: None if the back office is not configured.
        catalog: Where the host wants the catalogue's changes.
        orders: Where sales come from.
        is_stopping: Whether a push shall end as soon as it can.
        on_end: Called after each run in the background.
        sales: The engine that pushes; None without a client or an order
            source.  One for all pushes: it remembers how long to wait after a
            failure.
        active_runs: The runs of these engines that are at work.
        background_runs: Those that were triggered, each in a thread.
    """

    client: ConexxusClient | None
    store: SyncStore
    config: SyncConfig
    clock: SettableClock
    catalog: HostStorage | None
    orders: OrderSource | None
    collectors: Iterable[MetricsCollector]
    is_stopping: Callable[[], bool]
    on_end: Callable[[], None]
    sales: SalesPush | None = attrs.field(init=False)
    active_runs: ActiveRuns = attrs.field(factory=ActiveRuns, init=False)
    background_runs: BackgroundRuns = attrs.field(init=False)
    _watchers: FanOut = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._watchers = FanOut([self.active_runs, *self.collectors])
        self.sales = self._sales_engine()
        self.background_runs = BackgroundRuns(
            store=self.store,
            client=self.client,
            clock=self.clock,
            is_stopping=self.is_stopping,
            on_end=self.on_end,
        )

    def inventory(self, stop: Callable[[], bool]) -> InventorySync | None:
        """
        The engine that pulls; None without a client.

        Args:
            stop: Of the scheduler at work: a pull that outlives its
                scheduler stays stopped.
        """
        if self.client is None:
            return None

        return InventorySync(
            client=self.client,
            store=self.store,
            config=self.config,
            clock=self.clock,
            storage=self.catalog,
            collectors=self._watchers,
            checkpoint=PullStopper(lambda: stop() or is_abandoned()),
            progress=self.active_runs.report_progress,
        )

    def quarantine_replay(self) -> QuarantineReplay:
        """
        What takes an item out of quarantine.
        """
        return QuarantineReplay(
            store=self.store, config=self.config, clock=self.clock, storage=self.catalog
        )

    def outbox_operator(self) -> OutboxOperator:
        """
        What settles batches, and takes sales out of quarantine.
        """
        client = self.client

        return OutboxOperator(
            store=self.store,
            location_id=self.config.location_id,
            clock=self.clock,
            profile=ApiProfile() if client is None else client.profile,
            client_config=None if client is None else client.config,
        )

    def _sales_engine(self) -> SalesPush | None:
        if self.client is None or self.orders is None:
            return None

        return SalesPush(
            client=self.client,
            store=self.store,
            config=self.config,
            clock=self.clock,
            orders=self.orders,
            collectors=self._watchers,
            on_changed=self.config.on_changed,
            compare=self.config.compare,
            guards=self.config.sales_guards,
            summary=self.config.summary,
            limits=BatchLimits.of(self.config),
            stop=self.is_stopping,
        )


def client_from_env(
    env: Mapping[str, str], config: SyncConfig, profile: ApiProfile | None
) -> tuple[ConexxusClient | None, list[str]]:
    """
    The client that the variables describe; or, without URL or key, none and
    why.

    Args:
        profile: Instead of the one that *config* names.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    required = ("CONEXXUS_API_URL", "CONEXXUS_API_KEY")
    missing = [f"{name} is not configured" for name in required if not env.get(name)]

    if missing:
        return None, missing

    profile = profile or load_profile(config.profile)

    return ConexxusClient(ClientConfig.from_env(env), profile=profile), []
