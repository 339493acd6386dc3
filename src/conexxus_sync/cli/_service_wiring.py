"""
Makes the service of one command.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from conexxus_client import ConfigurationError
from conexxus_sync.protocols import MetricsCollector
from conexxus_sync.service import ConexxusService

from ._order_source import order_source
from ._session import Session, collected
from ._store_file import note_new_store, readable
from ._wiring import catalog_storage, log_watcher


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
        collectors=[*collectors, *log_watcher().collectors],
    )

    try:
        yield service
    finally:
        service.close()
