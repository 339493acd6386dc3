"""
Makes store, client and engines for one command.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from conexxus_client import ConexxusClient, ConfigurationError
from conexxus_sync.collectors import FanOut, LoggingCollector
from conexxus_sync.config import SyncConfig
from conexxus_sync.inventory import InventorySync
from conexxus_sync.protocols import HostStorage, MetricsCollector, OrderSource
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.sales import OutboxOperator, SalesPush
from conexxus_sync.service import ConexxusService
from conexxus_sync.service._engines import Engines
from conexxus_sync.stores import open_store

from ._import_factory import load
from ._logs import RUNS, log_attempts
from ._order_source import order_source
from ._session import Session, collected
from ._store_file import changeable, note_new_store, readable


@contextmanager
def inventory_engine(
    session: Session,
    *,
    catalog: str | None,
    progress: Callable[[int, int | None], None],
) -> Iterator[InventorySync]:
    """
    The engine that pulls, with a client of its own.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    problems: list[str] = []
    storage = collected(problems, lambda: catalog_storage(catalog))
    profile = collected(problems, session.api_profile)
    client_config, config = session.configs(problems)

    note_new_store(config)

    with ConexxusClient(client_config, profile=profile) as client:
        log_attempts(client)
        engine = engines(session, config, client=client, catalog=storage).inventory(
            progress=progress
        )
        assert engine
        yield engine


@contextmanager
def sales_engine(
    session: Session, *, orders: str | None, problems: Iterable[str] = ()
) -> Iterator[SalesPush]:
    """
    The engine that pushes, with a client of its own.

    Args:
        orders: As given on the command line.
        problems: What is wrong with the other options.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    also = list(problems)
    source = collected(also, lambda: order_source(orders, session))
    profile = collected(also, session.api_profile)
    collected(also, lambda: changeable(session))
    client_config, config = session.configs(also)
    assert source

    with ConexxusClient(client_config, profile=profile) as client:
        log_attempts(client)
        engine = engines(session, config, client=client, orders=source).sales
        assert engine
        yield engine


def engines(
    session: Session,
    config: SyncConfig,
    *,
    client: ConexxusClient | None = None,
    catalog: HostStorage | None = None,
    orders: OrderSource | None = None,
) -> Engines:
    """
    The engines of one command, on a store that it may change.
    """
    return Engines(
        client=client,
        store=open_store(config.store),
        config=config,
        clock=SystemClock(),
        catalog=catalog,
        orders=orders,
        collectors=watching().collectors,
        profile_named=session.names_profile,
    )


@contextmanager
def service_of(
    session: Session,
    *,
    catalog: str | None = None,
    orders: str | None = None,
    collectors: Iterable[MetricsCollector] = (),
    read_only: bool = False,
) -> Iterator[ConexxusService]:
    """
    All of it; without URL or key it is disabled, and says so.

    Args:
        catalog: As given on the command line; likewise `orders`.
        collectors: Who else watches the runs.
        read_only: Whether no store is created where there is none.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    settings = session.settings()
    configured = settings.get("CONEXXUS_API_URL") and settings.get("CONEXXUS_API_KEY")
    problems: list[str] = []
    storage = collected(problems, lambda: catalog_storage(catalog))
    source = collected(problems, lambda: order_source(orders, session)) if orders else None

    collected(problems, session.api_profile)

    if configured:
        session.configs(problems)
    else:
        collected(problems, session.sync_config)

    if problems:
        raise ConfigurationError(list(dict.fromkeys(problems)))

    config = readable(session) if read_only else session.sync_config()
    if not read_only:
        note_new_store(config)
    service = ConexxusService.from_env(
        settings,
        config=config,
        catalog=storage,
        orders=source,
        collectors=[*collectors, *watching().collectors],
    )

    try:
        yield service
    finally:
        service.close()


def outbox_operator(session: Session, config: SyncConfig) -> OutboxOperator:
    """
    What settles batches and lets sales out of quarantine.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    return OutboxOperator(
        context=engines(session, config).context,
        profile=session.api_profile(),
        client_config=session.client_config(),
        profile_named=session.names_profile,
    )


def catalog_storage(given: str | None) -> HostStorage | None:
    """
    The host's own storage, if there is one.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    if given is None:
        return None

    storage: HostStorage = load(given, option="--catalog", methods=("apply", "apply_in"))
    return storage


def watching() -> FanOut:
    """
    The log watches every run.
    """
    return FanOut([LoggingCollector(logging.getLogger(RUNS))])
