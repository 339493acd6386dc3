"""
Makes what the engines of one command work with: client, store, clock and logs.
"""

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conexxus_client import (
    ApiProfile,
    AttemptDetails,
    CallDetails,
    ClientConfig,
    ConexxusError,
)
from conexxus_client.instrumentation import Hook
from conexxus_sync.collectors import FanOut, LoggingCollector
from conexxus_sync.config import SyncConfig
from conexxus_sync.engines import EngineContext
from conexxus_sync.model.delivery_profile import DeliveryProfile
from conexxus_sync.runtime.clock import SystemClock
from conexxus_sync.stores import open_store

from ._logs import ATTEMPTS, RUNS
from ._session import Session


if TYPE_CHECKING:
    from collections.abc import Iterator

    from conexxus_client import ConexxusClient
    from conexxus_sync.health._api_monitor import ApiMonitor
    from conexxus_sync.sales import ProfileCheck


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


def profile_check(session: Session, config: SyncConfig) -> "ProfileCheck | None":
    """
    Compares the profile of this command with that of the pushes so far; None
    where there is none, or what makes it is wrong.
    """
    from conexxus_sync.sales import ProfileCheck  # a pull loads nothing of the sales

    try:
        client = session.client_config()
        profile = session.api_profile()
    except ConexxusError:
        return None
    if client is None:
        return None

    return ProfileCheck(
        store=open_store(config.store).at(config.location_id),
        given=DeliveryProfile.of(profile, client),
        named=session.names_profile,
    )


def log_watcher() -> FanOut:
    """
    The log watches every run.
    """
    return FanOut([LoggingCollector(logging.getLogger(RUNS))])


def logged_client(config: ClientConfig, profile: ApiProfile | None) -> "ConexxusClient":
    """
    A client whose failed attempts are logged; the caller closes it.
    """
    from conexxus_client import ConexxusClient  # a look at the store needs none

    client = ConexxusClient(config, profile=profile)
    log_attempts(client)

    return client


@contextmanager
def shared_client(
    config: ClientConfig, profile: ApiProfile | None, context: EngineContext
) -> "Iterator[ConexxusClient]":
    """
    A client whose attempts are logged, and whose last call is recorded in the
    store if any attempt failed: health and alerts come from there once the
    command is over.  Where all went well, its run says so.
    """
    monitor: ApiMonitor | None = None

    def observe(details: AttemptDetails | CallDetails) -> None:
        nonlocal monitor
        if monitor is None and details.error is not None:
            # A command without a failure does not need it.
            from conexxus_sync.health._api_monitor import ApiMonitor

            monitor = ApiMonitor(context.clock)
        if monitor is not None:
            monitor(details)

    with logged_client(config, profile) as client:
        client.add_hook(observe)
        try:
            yield client
        finally:
            if monitor is not None:
                monitor.share(context.store)


def log_attempts(client: "ConexxusClient") -> None:
    """
    Log each attempt of *client* that fails, instead of what stamina says.
    """
    client.add_hook(attempt_logger())


def attempt_logger() -> Hook:
    """
    A hook that logs each attempt that fails, instead of what stamina says.
    """
    # A command that calls nothing does not need it.
    from stamina.instrumentation import set_on_retry_hooks

    # Where structlog is installed, stamina's own would write to stdout.
    set_on_retry_hooks(())

    return _log_attempt


def _log_attempt(details: AttemptDetails | CallDetails) -> None:
    if isinstance(details, AttemptDetails) and details.error is not None:
        logging.getLogger(ATTEMPTS).warning(
            "Conexxus attempt failed",
            extra={
                "call": details.call,
                "attempt": details.number,
                "status": details.status,
                "error": details.error.explanation,
            },
        )
