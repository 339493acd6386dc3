"""
The SDK's own state: `open_store`, and what it returns.
"""

from conexxus_client import ConfigurationError

from ._state import State
from ._sync_store import LocationStore, SyncStore


__all__ = ["LocationStore", "State", "SyncStore", "open_store", "scheme_of"]


def open_store(url: str) -> SyncStore:
    """
    The store that *url* names; its file or tables are created when first needed.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute/path.db`, or
            `postgresql://user@host/database`.

    Raises:
        ConfigurationError: No store speaks this URL.
    """
    scheme, _, path = url.partition(":///")

    if scheme == "sqlite" and path and path != ":memory:":
        from .sqlite import SqliteStore

        return SqliteStore(path)

    if scheme_of(url) == "postgresql":
        return _postgres_store(url)

    msg = "CONEXXUS_STORE must start with sqlite:/// or postgresql:// and name a database"
    raise ConfigurationError([msg])


def scheme_of(url: str) -> str:
    """
    Which kind of database *url* names.
    """
    scheme = url.partition(":")[0].lower()
    return "postgresql" if scheme == "postgres" else scheme


def _postgres_store(url: str) -> SyncStore:
    try:
        from .postgres import PostgresStore
    except ImportError as exc:
        msg = (
            "CONEXXUS_STORE names a PostgreSQL database, which needs the extra `postgres`: "
            f"pip install 'conexxus-sdk[postgres]' ({exc})"
        )
        raise ConfigurationError([msg]) from exc

    return PostgresStore(url)
