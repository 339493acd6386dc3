"""
Metrics collectors: observers of runs, and the fan-out that protects runs from them.
"""

from conexxus_sync.runtime.run_logging import RunFilter

from ._builtin import InMemoryCollector, LoggingCollector
from ._fan_out import FanOut


__all__ = ["FanOut", "InMemoryCollector", "LoggingCollector", "RunFilter"]
