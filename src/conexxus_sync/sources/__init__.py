"""
Sales from files, and catalogues from files.
"""

from .ndjson import FileOrders


__all__ = ["FileOrders"]
