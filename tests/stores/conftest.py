"""
What the stores are tested with.
"""

from databases import database, pytest_generate_tests

from shops import shop
from sites import clock, new_site, site


__all__ = ["clock", "database", "new_site", "pytest_generate_tests", "shop", "site"]
