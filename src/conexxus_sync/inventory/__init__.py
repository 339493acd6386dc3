"""
The catalogue: pulled, validated, compared, guarded, applied, handed to the host.

Start with `InventorySync`.
"""

from ._sync import InventorySync


__all__ = ["InventorySync"]
