"""
Makes the service of one command.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from conexxus_sync.protocols import MetricsCollector
from conexxus_sync.service import ConexxusService
from conexxus_sync.service._host_objects import catalog_storage, order_source

from ._session import Session, collected
from ._store_file import note_new_store
from ._wiring import log_watcher


@contextmanager
def service_of(
    session: Session,
    *,
    collectors: Iterable[MetricsCollector] = (),
) -> Iterator[ConexxusService]:
    """
    All of it; without URL or key it is disabled, and says so.

    Args:
        collectors: Who else watches the runs.

    Raises:
        ConfigurationError: Naming all problems at once.
    """
    problems: list[str] = []
    storage = collected(problems, lambda: session.host_object(catalog_storage))
    source = collected(problems, lambda: session.host_object(order_source))
    config = session.checked_config(problems)
    note_new_store(config)
    service = ConexxusService.from_env(
        session.settings(),
        config=config,
        catalog=storage,
        orders=source,
        collectors=[*collectors, *log_watcher().collectors],
    )

    try:
        yield service
    finally:
        service.close()
