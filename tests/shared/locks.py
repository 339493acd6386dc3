"""
Another process that has a store to itself.
"""

from contextlib import contextmanager

from databases import other_of


@contextmanager
def locked(store):
    """
    Writes to *store*, by a connection that no unit of work of this thread shares.
    """
    with other_of(store).write():
        yield
