"""
Which models are the catalogue, and which the sales.
"""

from conexxus_sync.contrib.django import ModelCatalogStorage, ModelOrderSource

from .models import Product, Sale


def products() -> ModelCatalogStorage:
    fields = {"sku": "code", "name": "title", "price": "price"}
    return ModelCatalogStorage(Product, fields=fields, active="is_active")


def orders() -> ModelOrderSource:
    fields = {
        "id": "id",
        "timestamp": "closed_at",
        "total": "total",
        "items.sku": "product__code",
        "items.quantity": "quantity",
        "items.price": "price",
    }
    return ModelOrderSource(Sale, lines="lines", fields=fields)
