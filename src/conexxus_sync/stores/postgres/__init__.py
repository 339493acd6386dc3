"""
The SDK's own state in one schema of a PostgreSQL.
"""

from conexxus_sync.runtime.processes import Processes
from conexxus_sync.stores._sync_store import SyncStore

from ._address import PostgresAddress
from ._known_freezes import KnownFreezes
from ._postgres_database import PostgresDatabase


class PostgresStore(SyncStore):
    """
    Everything that the SDK remembers, in the schema that *url* names.

    Args:
        url: `postgresql://user@host/database?schema=conexxus`.

    Raises:
        ConfigurationError: The URL can't be read.
    """

    def __init__(self, url: str, *, processes: Processes | None = None) -> None:
        self.address: PostgresAddress = PostgresAddress.parse(url)
        super().__init__(
            PostgresDatabase(self.address),
            KnownFreezes(f"{self.address.name} {self.address.schema}"),
            processes=processes,
        )

    def __str__(self) -> str:
        return f"{self.address.name} (schema {self.address.schema})"

    def __repr__(self) -> str:
        return f"PostgresStore({self.address.name!r}, schema {self.address.schema!r})"
