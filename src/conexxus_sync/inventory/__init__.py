"""
The engine that pulls the catalogue: read, validate, compare, guard, apply, deliver to the host.

Start with `InventorySync`.
"""

from ._sync import InventorySync


__all__ = ["InventorySync"]
