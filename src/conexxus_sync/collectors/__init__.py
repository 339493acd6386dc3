"""
Those who watch runs.
"""

from ._fan_out import FanOut
from ._logging import LoggingCollector
from ._memory import InMemoryCollector


__all__ = ["FanOut", "InMemoryCollector", "LoggingCollector"]
