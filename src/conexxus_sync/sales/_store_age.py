"""
Detects a store that is older or newer than the sales that were pushed: restored, or fresh.

See [after restoring an old backup](../../../docs/explanation/business-days.md).
"""

from datetime import date

import attrs

from conexxus_client import ConfigurationError
from conexxus_sync.model.formatting import counted
from conexxus_sync.model.sales import FreezeNumbers
from conexxus_sync.runtime.run_logging import safe_logger
from conexxus_sync.stores import LocationStore, State


_log = safe_logger(__name__)


@attrs.frozen(kw_only=True)
class RestoredStore:
    """
    Why nothing is pushed: the store has no record of what was sent since.

    Attributes:
        numbers: What store and file say.
    """

    location_id: str
    numbers: FreezeNumbers

    def __str__(self) -> str:
        return (
            "the store was restored from a backup or lost: it has "
            f"{counted(self.numbers.stored, 'freeze')} of location {self.location_id}, and "
            f"{self.numbers.path or 'this process'} of {self.numbers.beside}. What was sent "
            "since would be sent again, so nothing is pushed. Name the last business date "
            "that the back office has: "
            "`conexxus push --orders ORDERS --adopt-through DATE`"
        )


@attrs.frozen(kw_only=True)
class StoreAge:
    """
    Compares the store with the file beside it.
    """

    store: LocationStore

    def restored(self) -> RestoredStore | None:
        """
        Why nothing may be pushed; None if the store has all that was sent.
        """
        with self.store.read() as state:
            numbers = state.freezes.numbers()

        if not numbers.is_behind:
            return None

        return RestoredStore(location_id=self.store.location, numbers=numbers)

    def refuse_restored(self, state: State) -> None:
        """
        Write the file where it is missing, though sales were frozen; say so.

        Raises:
            ConfigurationError: The store was restored from a backup.
        """
        numbers = state.freezes.numbers()

        if numbers.is_behind:
            restored = RestoredStore(location_id=self.store.location, numbers=numbers)
            raise ConfigurationError([str(restored)])
        if numbers.beside is None and numbers.stored:
            state.freezes.write()
            if numbers.path is not None:
                _log.warning(
                    "Conexxus sales: %s was missing and is written anew: whether the store "
                    "was restored from a backup before could not be seen",
                    numbers.path,
                )


def first_push_note(business_date: date) -> str:
    """
    What the first push of a fresh store says of a date.
    """
    return (
        f"nothing is known of earlier pushes of {business_date}: sales that something else "
        "delivered, or another store, are doubled by this push. Before the first push of a fresh "
        f"store, `conexxus push --orders ORDERS --adopt-through {business_date}` takes them for "
        "delivered"
    )
