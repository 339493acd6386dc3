"""
What collectors are tested with.
"""

from databases import database, pytest_generate_tests

from gates import gate, hasty
from services import new_service, office, service, till
from sites import clock, site


__all__ = [
    "clock",
    "database",
    "gate",
    "hasty",
    "new_service",
    "office",
    "pytest_generate_tests",
    "service",
    "site",
    "till",
]
