"""
Makes what the engines of one command work with.
"""

import logging

from conexxus_sync.collectors import FanOut, LoggingCollector
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.protocols import HostStorage
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store

from ._import_factory import load
from ._logs import RUNS


def engine_context(config: SyncConfig) -> EngineContext:
    """
    What the engines of one command work with, on a store that they may change.
    """
    return EngineContext(
        store=open_store(config.store).at(config.location_id),
        config=config,
        clock=SystemClock(),
        observer=log_watcher(),
    )


def catalog_storage(given: str | None) -> HostStorage | None:
    """
    The host's own storage, if there is one.

    Raises:
        ConfigurationError: It can't be used, and why.
    """
    if given is None:
        return None

    storage: HostStorage = load(given, option="--catalog", methods=("apply", "apply_in"))
    return storage


def log_watcher() -> FanOut:
    """
    The log watches every run.
    """
    return FanOut([LoggingCollector(logging.getLogger(RUNS))])
