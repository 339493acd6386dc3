"""
`WorkItem` and `Executor`: what is to be done, and what does it.
"""

from datetime import datetime
from typing import Protocol, Self
from urllib.parse import quote, unquote

import attrs

from conexxus_sync.errors import StoreError
from conexxus_sync.model.runs import RunKind


@attrs.frozen(kw_only=True)
class WorkItem:
    """
    One run that is due.

    Attributes:
        slot: When it fell due.
        attempt: How many runs of this location and kind there were before, as
            the store counts them.
    """

    location_id: str
    kind: RunKind
    slot: datetime
    attempt: int = 0

    @property
    def key(self) -> str:
        """
        Names this run: no two attempts have the same.

        The slot is not in it: of what is due at once, two processes find another.
        """
        return f"{quote(self.location_id, safe='')}/{self.kind}/{self.attempt}"

    @classmethod
    def of_key(cls, key: str, slot: datetime) -> Self:
        """
        The run that has this key.
        """
        location_id, kind, attempt = key.rsplit("/", 2)

        return cls(
            location_id=unquote(location_id), kind=RunKind(kind), slot=slot, attempt=int(attempt)
        )


class EngineError(StoreError):
    """
    The queue of a fleet can't be used.
    """


class Executor(Protocol):
    """
    Runs work items, wherever it does.

    It decides nothing: what is due comes from the store, and a lease in the
    store keeps a second run of one location and kind out.  An executor may lose
    an item, or run it twice, and no sale is lost or doubled.
    """

    def submit(self, item: WorkItem) -> None:
        """
        Run *item* soon; one whose key is at work already is left out.
        """

    def cancel(self, key: str) -> None:
        """
        Stop the run with this key, or do not begin it; unknown keys do no harm.
        """

    def capacity(self) -> int:
        """
        How many items it takes now.
        """

    def reconcile(self) -> None:
        """
        Give up what was handed to processes that are gone; called every few seconds.
        """

    def close(self) -> None:
        """
        Stop what runs, and take nothing more.
        """
