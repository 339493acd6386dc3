"""
`CatalogueHold`: all stores but one group keep their catalogue for a while.
"""

from datetime import datetime, timedelta
from typing import Self

import attrs

from conexxus_sync.model.catalogue import Plan
from conexxus_sync.model.runs import RunKind
from conexxus_sync.stores import LocationStore

from ._store_settings import StoreSettings
from ._work_item import WorkItem


# One that is forgotten ends by itself.
LONGEST = timedelta(days=7)


@attrs.frozen(kw_only=True)
class CatalogueHold:
    """
    While a group has a catalogue that is not accepted for the others, their pulls wait.

    It is kept as an open plan of the fleet itself.

    Attributes:
        group: The stores that go on.
        until: When the others go on, too, if it was not accepted by then.
    """

    group: str
    until: datetime

    @classmethod
    def of(cls, store: LocationStore) -> Self | None:
        """
        The hold of the fleet that has *store*; None if there is none.

        Raises:
            StoreError: The store can't be used.
        """
        with store.read() as state:
            found = state.plans.open()

        if found is None or found.scope is None:
            return None

        return cls(group=found.run_id, until=datetime.fromisoformat(found.scope))

    def save(self, store: LocationStore) -> None:
        """
        Begin it, instead of the one before.

        Raises:
            StoreError: The store can't be used.
        """
        with store.write() as state:
            state.plans.replace(Plan(run_id=self.group, scope=self.until.isoformat(), digest=b""))

    def keeps(self, store: StoreSettings, now: datetime) -> bool:
        """
        Does the pull of *store* wait?  A clock that was set back ends the wait.
        """
        return store.group != self.group and now < self.until <= now + LONGEST


def is_held(
    item: WorkItem, store: StoreSettings, hold: CatalogueHold | None, now: datetime
) -> bool:
    """
    Is *item* a pull that waits?
    """
    return item.kind is RunKind.INVENTORY and hold is not None and hold.keeps(store, now)


def end_hold(store: LocationStore) -> None:
    """
    All stores go on.

    Raises:
        StoreError: The store can't be used.
    """
    with store.write() as state:
        state.plans.replace(None)
