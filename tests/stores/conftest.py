"""
What the stores are tested with.
"""

from sites import clock, site


__all__ = ["clock", "site"]
