"""
What the scheduler is tested with.
"""

import threading

import pytest
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


@pytest.fixture(params=["sync", "push"])
def trigger(request, new_service, till):
    """
    A service, and what triggers one of its runs.
    """
    service = new_service(orders=till)

    return service, getattr(service, f"trigger_{request.param}")


@pytest.fixture
def gate():
    """
    What hangs until the end of the test, whatever happens.
    """
    gate = threading.Event()
    yield gate
    gate.set()
