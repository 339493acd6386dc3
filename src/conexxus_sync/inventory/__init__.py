"""
The engine that pulls the catalogue: read, validate, compare, guard, apply, deliver to the host.

Start with `InventorySync`.
"""

from typing import TYPE_CHECKING

from conexxus_client.lazy_names import lazy_names


if TYPE_CHECKING:
    from ._sync import InventorySync
else:
    # The history of an item is read without the engine.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_sync": "InventorySync",
        },
    )

__all__ = ["InventorySync"]
