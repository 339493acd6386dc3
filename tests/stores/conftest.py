"""
What the stores are tested with.
"""

import pytest
from databases import database, pytest_generate_tests

from conexxus_sync.stores import _lease_table
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


@pytest.fixture(autouse=True)
def no_run_lost_its_process(monkeypatch):
    """
    Runs of different tests have the same ids.
    """
    monkeypatch.setattr(_lease_table, "_ownerless", set())
