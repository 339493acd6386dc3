"""
The client of one command, which logs the attempts that fail.
"""

import logging

from stamina.instrumentation import set_on_retry_hooks

from conexxus_client import (
    ApiProfile,
    AttemptDetails,
    CallDetails,
    ClientConfig,
    ConexxusClient,
)

from ._logs import ATTEMPTS


def logged_client(config: ClientConfig, profile: ApiProfile | None) -> ConexxusClient:
    """
    A client whose failed attempts are logged; the caller closes it.
    """
    client = ConexxusClient(config, profile=profile)
    log_attempts(client)

    return client


def log_attempts(client: ConexxusClient) -> None:
    """
    Log each attempt of *client* that fails, instead of what stamina says.
    """
    # Where structlog is installed, stamina's own would write to stdout.
    set_on_retry_hooks(())
    client.add_hook(_log_attempt)


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
