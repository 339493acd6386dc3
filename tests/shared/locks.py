"""
Another process that has a store to itself.
"""

from contextlib import contextmanager

from conexxus_sync.stores.sqlite import SqliteStore


@contextmanager
def locked(store):
    """
    Writes to *store*, by a connection that no unit of work of this thread shares.
    """
    other = SqliteStore(store.database.path).at(store.location)

    with other.write():
        yield
