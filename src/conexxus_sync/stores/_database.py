"""
What the tables ask of a database: a connection to read, and one transaction to write.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from conexxus_sync.model.leases import Lease


class Database(Protocol):
    """
    One database, whichever it is.
    """

    def reading(self) -> AbstractContextManager[Any]: ...

    def writing(
        self, lease: Lease | None = None, *, connection: Any = None
    ) -> AbstractContextManager[Any]: ...
