"""
A catalogue storage and an order source for hosts whose tables are in an SQL database.

They need the extra `sql`: SQLAlchemy Core, with the driver of the database.
"""

from ._catalog_storage import SqlCatalogStorage
from ._order_source import SqlOrderSource


__all__ = ["SqlCatalogStorage", "SqlOrderSource"]
