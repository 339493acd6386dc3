"""
What the service is tested with.
"""

from databases import database, pytest_generate_tests

from services import new_service, office, service, till
from sites import clock, site


__all__ = [
    "clock",
    "database",
    "new_service",
    "office",
    "pytest_generate_tests",
    "service",
    "site",
    "till",
]
