"""
The order source and the storage that the settings name.
"""

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from conexxus_client import ConfigurationError
from conexxus_client.settings import Settings
from conexxus_sync.config import NO_TIMEZONE, SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.protocols import CatalogSource, HostStorage, OrderSource
from conexxus_sync.sources.ndjson import FileOrders

from ._import_factory import load


if TYPE_CHECKING:
    # With an extra of its own.
    from conexxus_sync.sources.naxml import FolderSource

T = TypeVar("T")

_ORDERS, _CATALOG = "CONEXXUS_ORDERS", "CONEXXUS_CATALOG"
_SOURCE = "CONEXXUS_CATALOG_SOURCE"


def host_object(settings: Settings, config: SyncConfig, make: Callable[[SyncConfig], T]) -> T:
    """
    What *make* makes of *config*, which was read from *settings*.

    Raises:
        ConfigurationError: It can't be made; options are named as they were given.
    """
    try:
        return make(config)
    except ConfigurationError as exc:
        raise settings.named(exc.problems) from exc


def order_source(config: SyncConfig) -> OrderSource | None:
    """
    A file of transactions, journals, or the host's own source; None if none is named.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    given = config.orders

    if given is None:
        return None
    if config.timezone is None:
        raise ConfigurationError([NO_TIMEZONE])

    if given.startswith("naxml:"):
        return _journals(given, config.timezone)

    path = Path(given)

    if ":" in given and path.suffix not in (".ndjson", ".jsonl") and not path.exists():
        source: OrderSource = load(given, option=_ORDERS, methods=("transactions",))
        return source

    calendar = StoreCalendar(
        timezone=config.timezone, push_at=config.push_at, day_closes_at=config.day_closes_at
    )

    try:
        return FileOrders(path, calendar, temporary_folder=_folder_of_store(config))
    except HostError as exc:
        raise ConfigurationError([f"{_ORDERS}: {exc}"]) from exc


def _journals(given: str, timezone: tzinfo) -> OrderSource:
    try:
        from conexxus_sync.sources.naxml import JournalOrders
    except ModuleNotFoundError as exc:
        problem = f"{_ORDERS}: naxml needs the extra `naxml`: pip install 'conexxus-sdk[naxml]'"
        raise ConfigurationError([problem]) from exc

    try:
        return JournalOrders.of(given, timezone)
    except ConfigurationError as exc:
        raise ConfigurationError([f"{_ORDERS}: {it}" for it in exc.problems]) from exc


def _folder_of_store(config: SyncConfig) -> str | None:
    """
    Where temporary files of the store lie; None where that is on another machine.
    """
    scheme, _, path = config.store.partition(":///")

    return str(Path(path).absolute().parent) if scheme == "sqlite" else None


def folder_source(address: str, context: EngineContext, variable: str = _SOURCE) -> "FolderSource":
    """
    The folder of files that *variable* names.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    try:
        from conexxus_sync.sources.naxml import FolderAddress, FolderSource
    except ImportError as exc:
        msg = f"{variable} needs the extra naxml: pip install 'conexxus-sdk[naxml]'"
        raise ConfigurationError([msg]) from exc

    return FolderSource(
        address=FolderAddress.of(address, variable),
        store=context.store,
        clock=context.clock,
        timezone=context.config.timezone,
    )


def catalog_source(context: EngineContext) -> CatalogSource | None:
    """
    What the catalogue comes from instead of the back office; None if that.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    given = context.config.catalog_source

    return None if given is None else folder_source(given, context)


def catalog_storage(config: SyncConfig) -> HostStorage | None:
    """
    The host's own storage; None if none is named.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    if config.catalog is None:
        return None

    storage: HostStorage = load(config.catalog, option=_CATALOG, methods=("apply", "apply_in"))
    return storage
