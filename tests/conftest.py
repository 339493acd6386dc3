"""
What all tests share.
"""

import gc
import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings


settings.register_profile("short", max_examples=30, deadline=None)
settings.register_profile(
    "long", max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck)
)

SCALE = os.environ.get("CONEXXUS_PROOF_SCALE")
settings.load_profile("long" if SCALE == "full" else "short")


# Thousands of disk flushes prove nothing: the stores of tests are in memory, if
# there is room. A test that needs a disk names one, and the long proofs use it,
# unless they are at small scale.
MEMORY = "/dev/shm"
ROOM = 2 * 1024**3


@pytest.fixture(scope="session", autouse=True)
def new_stores_are_copies() -> Iterator[None]:
    """
    To migrate a new store takes longer than most tests.
    """
    from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
    from new_stores import create_as_copy, empty_store

    empty_store()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteDatabase, "_create", create_as_copy)
        yield


@pytest.fixture
def stores_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    New stores are migrated as those of a host are.
    """
    from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
    from new_stores import create_from_nothing

    monkeypatch.setattr(SqliteDatabase, "_create", create_from_nothing)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long proofs, too")


def pytest_configure(config: pytest.Config) -> None:
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    if has_room and (SCALE == "small" or not config.getoption("--long")):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """
    What is collected stays: the garbage collector need not look at it.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return

    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if not item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
