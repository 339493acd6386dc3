"""
`ConexxusService`: what a host holds.
"""

from conexxus_sync.health._overview import Quarantine
from conexxus_sync.scheduling._background_runs import Trigger

from ._queries import RunHistory
from ._service import ConexxusService


__all__ = ["ConexxusService", "Quarantine", "RunHistory", "Trigger"]
