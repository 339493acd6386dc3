"""
The adapter of the example on SQLAlchemy's `AsyncSession` keeps the rules of both contracts.
"""

import asyncio
import importlib
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from conexxus_sync.testing import CatalogStorageContract, OrderSourceContract


pytestmark = pytest.mark.long


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """
    The module, with a database of its own.
    """
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}")
    module = importlib.reload(importlib.import_module("examples.sqlalchemy_async.shop"))
    asyncio.run(module.create_tables())
    return module


class TestStorage(CatalogStorageContract):
    many = 1_000

    @pytest.fixture
    def storage(self, shop, tmp_path):
        self.path = tmp_path / "shop.db"
        return shop.Shop()

    def prices(self, storage):
        query = "SELECT sku, CAST(price AS TEXT) FROM product WHERE is_active"
        with closing(sqlite3.connect(self.path)) as database:
            rows = database.execute(query).fetchall()
        return {sku: Decimal(price) for sku, price in rows}


class TestOrders(OrderSourceContract):
    business_date = date(2026, 1, 2)
    timezone = ZoneInfo("America/New_York")

    @pytest.fixture
    def source(self, shop):
        for hour in (15, 16, 17):
            moment = datetime(2026, 1, 2, hour, tzinfo=UTC)
            asyncio.run(shop.sell("WINE001", Decimal("29.99"), moment))
        return shop.Shop()
