"""
What all engines work with: `EngineContext`.
"""

from ._context import EngineContext, ignore


__all__ = ["EngineContext", "ignore"]
