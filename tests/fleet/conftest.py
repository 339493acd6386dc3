"""
What fleets are tested with.
"""

import os
from contextlib import ExitStack

import pytest
from databases import database, pytest_generate_tests, url_of

from conexxus_client.testing import BackOffice, SandboxServer
from conexxus_sync.fleet import Fleet, FleetOptions, StoreSettings
from services import till
from sites import clock


__all__ = ["clock", "database", "pytest_generate_tests", "till"]

# It measures seconds between processes, which a busy machine has not: at full scale
# alone.  That runs of a process that was killed are taken over is in
# `test_killed_processes.py`, too, at any pace.
collect_ignore = ["test_takeover.py"] if os.environ.get("CONEXXUS_PROOF_SCALE") == "small" else []

ITEMS = [{"sku": "A", "name": "a", "price": 1}, {"sku": "B", "name": "b", "price": 2}]
KEYS = {"KEY": "the-key-of-the-stores"}


@pytest.fixture
def cleanup():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def new_front(cleanup):
    """
    Makes back offices, each on a port of its own.
    """

    def make(**options):
        office = BackOffice(ITEMS, api_key=KEYS["KEY"], **options)
        return office, cleanup.enter_context(SandboxServer(office)).url

    return make


@pytest.fixture
def new_fleet(tmp_path, clock, till, cleanup):
    """
    Makes fleets in one store, of locations that are given with their settings.
    """

    def make(rows, *, options=FleetOptions(workers=3, rate=1000, burst=1000), **more):  # noqa: B008
        defaults = {
            "store": url_of(tmp_path / "conexxus.db"),
            "timezone": "UTC",
            "api.key_env": "KEY",
            "retries": 0,
        }
        stores = [StoreSettings.of(row, defaults, environ=KEYS) for row in rows]
        more = {"clock": clock, "orders": till, **more}
        return cleanup.enter_context(Fleet(stores, options=options, **more))

    return make
