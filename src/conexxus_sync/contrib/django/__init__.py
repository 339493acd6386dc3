"""
The SDK as an app of a Django project: its models as catalogue and sales, `manage.py conexxus`,
pages of the admin.

It needs the extra `django`.
"""

from ._model_catalog import ModelCatalogStorage
from ._model_orders import ModelOrderSource
from ._process_service import get_service


__all__ = ["ModelCatalogStorage", "ModelOrderSource", "get_service"]
