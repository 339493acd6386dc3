"""
`ConexxusService`: what a host holds.
"""

from ._service import ConexxusService


__all__ = ["ConexxusService"]
