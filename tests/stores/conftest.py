"""
What the stores are tested with.
"""

from databases import database, pytest_generate_tests

from services import new_service, office
from shops import shop
from sites import clock, new_site, site


__all__ = [
    "clock",
    "database",
    "new_service",
    "new_site",
    "office",
    "pytest_generate_tests",
    "shop",
    "site",
]
