"""
What metrics are tested with.
"""

from shops import busy, new_shop, promtool, shop


__all__ = ["busy", "new_shop", "promtool", "shop"]
