"""
What the stores are tested with.
"""

from shops import shop
from sites import clock, new_site, site


__all__ = ["clock", "new_site", "shop", "site"]
