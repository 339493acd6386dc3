"""
Makes what settles batches, and reports what it can't do.
"""

from collections.abc import Callable

from conexxus_client import ConfigurationError
from conexxus_sync.config import SyncConfig
from conexxus_sync.model.sales import Batch, OutboxError
from conexxus_sync.sales import OutboxOperator

from ._session import Session
from ._wiring import engine_context


def outbox_operator(session: Session, config: SyncConfig) -> OutboxOperator:
    """
    What settles batches and lets sales out of quarantine.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    return OutboxOperator(
        context=engine_context(config),
        profile=session.api_profile(),
        client_config=session.client_config(),
        profile_named=session.names_profile,
    )


def understood(work: Callable[[], Batch]) -> Batch:
    """
    What can't be done to a batch is a wrong use of the command.
    """
    try:
        return work()
    except OutboxError as exc:
        raise ConfigurationError([str(exc)]) from exc
