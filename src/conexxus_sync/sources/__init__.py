"""
Sales and catalogues from files: NDJSON, and room for NAXML.
"""

from .ndjson import FileOrders


__all__ = ["FileOrders"]
