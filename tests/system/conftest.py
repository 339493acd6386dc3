"""
What the whole system is tested with.
"""

from servers import new_server, server

from gates import gate, hasty
from services import new_service, office, service, till
from shops import busy, shop
from sites import clock, new_site, site
from tills import new_till

from .hostile_shop import hostile_shops
from .store_contents import states


__all__ = [
    "busy",
    "clock",
    "gate",
    "hasty",
    "hostile_shops",
    "new_server",
    "new_service",
    "new_site",
    "new_till",
    "office",
    "server",
    "service",
    "shop",
    "site",
    "states",
    "till",
]
