"""
`ConexxusService`: what a host holds.
"""

from typing import TYPE_CHECKING

from conexxus_client.lazy_names import lazy_names


if TYPE_CHECKING:
    from conexxus_sync.health._overview import Quarantine
    from conexxus_sync.scheduling._background_runs import Trigger

    from ._queries import RunHistory
    from ._service import ConexxusService
else:
    # A command needs the profile's name, and not all engines.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".health._overview": "Quarantine",
            ".scheduling._background_runs": "Trigger",
            "_queries": "RunHistory",
            "_service": "ConexxusService",
        },
    )

__all__ = ["ConexxusService", "Quarantine", "RunHistory", "Trigger"]
