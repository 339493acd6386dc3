"""
Sales from files.
"""

from .ndjson import FileOrders


__all__ = ["FileOrders"]
