"""
Those who watch runs.
"""

from conexxus_sync.runtime.run_context import RunFilter

from ._fan_out import FanOut
from ._logging import LoggingCollector
from ._memory import InMemoryCollector


__all__ = ["FanOut", "InMemoryCollector", "LoggingCollector", "RunFilter"]
