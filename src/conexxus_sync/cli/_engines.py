"""
The engines, put together for one command.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from conexxus_client import ConexxusClient
from conexxus_sync._clock import SystemClock
from conexxus_sync.collectors import FanOut, LoggingCollector
from conexxus_sync.inventory import InventorySync
from conexxus_sync.sales import SalesPush
from conexxus_sync.service import ConexxusService
from conexxus_sync.stores import open_store

from ._loading import load
from ._logs import RUNS
from ._orders import order_source
from ._session import Session


NO_ORDERS = "push needs --orders FILE.ndjson, or --orders package.module:factory"


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
    client_config, config = session.configs()

    with ConexxusClient(client_config) as client:
        yield InventorySync(
            client=client,
            store=open_store(config.store),
            config=config,
            clock=SystemClock(),
            storage=load(catalog, option="--catalog", method="apply") if catalog else None,
            collectors=watching(),
            progress=progress,
        )


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
    missing = () if orders else (NO_ORDERS,)
    client_config, config = session.configs([*problems, *missing])
    assert orders
    source = order_source(orders, config)

    with ConexxusClient(client_config) as client:
        yield SalesPush(
            client=client,
            store=open_store(config.store),
            orders=source,
            config=config,
            clock=SystemClock(),
            collectors=watching(),
        )


@contextmanager
def service_of(
    session: Session, *, catalog: str | None = None, orders: str | None = None
) -> Iterator[ConexxusService]:
    """
    All of it; without URL or key it is disabled, and says so.

    Args:
        catalog: As given on the command line; likewise `orders`.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    settings = session.settings()
    configured = settings.get("CONEXXUS_API_URL") and settings.get("CONEXXUS_API_KEY")
    config = session.configs()[1] if configured else session.sync_config()
    service = ConexxusService.from_env(
        settings,
        catalog=load(catalog, option="--catalog", method="apply") if catalog else None,
        orders=order_source(orders, config) if orders else None,
        collectors=watching().collectors,
    )

    try:
        yield service
    finally:
        service.close()


def watching() -> FanOut:
    """
    The log watches every run.
    """
    return FanOut([LoggingCollector(logging.getLogger(RUNS))])
