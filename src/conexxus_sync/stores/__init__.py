"""
The SDK's own state: `open_store`, and what it returns.
"""

from conexxus_client import ConfigurationError

from ._sync_store import LocationStore, State, SyncStore


__all__ = ["LocationStore", "State", "SyncStore", "open_store"]


def open_store(url: str) -> SyncStore:
    """
    The store that *url* names; its file is created when first needed.

    Args:
        url: `sqlite:///relative.db`, or `sqlite:////absolute/path.db`.

    Raises:
        ConfigurationError: No store speaks this URL.
    """
    scheme, _, path = url.partition(":///")

    if scheme == "sqlite" and path:
        from .sqlite import SqliteStore

        return SqliteStore(path)

    if url.startswith("postgresql://"):
        msg = (
            "CONEXXUS_STORE names a PostgreSQL database, and this version of conexxus-sdk "
            "keeps its state in SQLite only: use sqlite:///path"
        )
        raise ConfigurationError([msg])

    msg = "CONEXXUS_STORE must start with sqlite:/// and name a file"
    raise ConfigurationError([msg])
