"""
Single looks into a store: each question is a unit of work of its own.
"""

from collections.abc import Iterator

import attrs


@attrs.frozen
class Peek:
    """
    Reads a store of one location, and nothing twice from one state.
    """

    store: object

    def __getattr__(self, repository):
        return _Repository(self.store, repository)


@attrs.frozen
class _Repository:
    store: object
    name: str

    def __getattr__(self, method):
        def ask(*arguments, **options):
            with self.store.read() as state:
                found = getattr(getattr(state, self.name), method)(*arguments, **options)
                return list(found) if isinstance(found, Iterator) else found

        return ask


def peek(store):
    """
    Looks into *store*.
    """
    return Peek(store)
