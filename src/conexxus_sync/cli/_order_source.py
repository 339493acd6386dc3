"""
The order source that `--orders` names.
"""

from pathlib import Path

from conexxus_client import ConfigurationError
from conexxus_sync.config import NO_TIMEZONE
from conexxus_sync.errors import HostError
from conexxus_sync.model.calendar import StoreCalendar
from conexxus_sync.protocols import OrderSource
from conexxus_sync.sources.ndjson import FileOrders

from ._import_factory import load
from ._session import Session


NO_ORDERS = "sales need --orders FILE.ndjson, or --orders package.module:factory"


def order_source(given: str | None, session: Session) -> OrderSource:
    """
    A file of transactions, or the host's own source.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    if not given:
        raise ConfigurationError([NO_ORDERS])

    path, config = Path(given), session.sync_config()

    if config.timezone is None:
        raise ConfigurationError([NO_TIMEZONE])

    if ":" in given and path.suffix not in (".ndjson", ".jsonl") and not path.exists():
        source: OrderSource = load(given, option="--orders", methods=("transactions",))
        return source

    calendar = StoreCalendar(
        timezone=config.timezone, push_at=config.push_at, day_closes_at=config.day_closes_at
    )

    try:
        return FileOrders(path, calendar)
    except HostError as exc:
        raise ConfigurationError([f"--orders: {exc}"]) from exc
