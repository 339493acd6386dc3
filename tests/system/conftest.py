"""
What the whole system is tested with.
"""

from services import new_service, office, service, till
from shops import busy, shop
from sites import clock, new_site, site
from tills import new_till


__all__ = [
    "busy",
    "clock",
    "new_service",
    "new_site",
    "new_till",
    "office",
    "service",
    "shop",
    "site",
    "till",
]
