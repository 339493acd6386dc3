"""
What a host holds: both engines, their schedule, and how they are.
"""

from ._service import ConexxusService


__all__ = ["ConexxusService"]
