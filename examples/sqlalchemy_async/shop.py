"""
A shop on SQLAlchemy's `AsyncSession`, connected to a back office.

`README.md` has the commands, `conexxus.toml` the settings.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.pool import NullPool

from conexxus_sync import AsyncCatalogChanges


URL = os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///shop.db")
# Without a pool, it belongs to no event loop.
engine = create_async_engine(URL, poolclass=NullPool)
sessions = async_sessionmaker(engine)
ZONE = ZoneInfo("America/New_York")


class Base(DeclarativeBase):
    """
    The tables of the shop.
    """


class Product(Base):
    """
    An item of the catalogue.
    """

    __tablename__ = "product"

    sku: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    price: Mapped[Decimal] = mapped_column(sa.Numeric(13, 4))
    is_active: Mapped[bool]


class Sale(Base):
    """
    A finished sale.
    """

    __tablename__ = "sale"

    id: Mapped[int] = mapped_column(primary_key=True)
    business_date: Mapped[date] = mapped_column(index=True)
    closed_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    total: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))
    lines: Mapped[list["SaleLine"]] = relationship(lazy="selectin")


class SaleLine(Base):
    """
    A line of a sale.
    """

    __tablename__ = "sale_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    sale_id: Mapped[int] = mapped_column(sa.ForeignKey("sale.id"), index=True)
    sku: Mapped[str] = mapped_column(sa.String(60))
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2))


def sale_of(line: SaleLine, closed_at: datetime) -> Sale:
    """
    A sale of one line; the store's clock says of which business date.
    """
    return Sale(
        business_date=closed_at.astimezone(ZONE).date(),
        closed_at=closed_at.astimezone(UTC),
        total=line.quantity * line.price,
        lines=[line],
    )


class Applied(Base):
    """
    How far the catalogue of a location has come.
    """

    __tablename__ = "catalogue_state"

    location_id: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    sequence: Mapped[int]


async def sell(sku: str, price: Decimal, closed_at: datetime) -> None:
    """
    Store the sale of one piece.
    """
    sale = sale_of(SaleLine(sku=sku, quantity=1, price=price), closed_at)

    async with sessions.begin() as session:
        session.add(sale)


async def create_tables() -> None:
    """
    Make the tables that are not there.
    """
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


# The adapter, which conexxus.toml names.


class Shop:
    """
    Takes the catalogue, and hands out the sales.
    """

    async def apply(self, changes: AsyncCatalogChanges) -> None:
        async with sessions.begin() as session:
            for stream in (changes.created, changes.updated, changes.removed):
                async for item in stream:
                    row = Product(sku=item.sku, name=item.name, price=item.price)
                    row.is_active = stream is not changes.removed
                    await session.merge(row)
            await session.merge(Applied(location_id=changes.location_id, sequence=changes.sequence))

    async def last_applied(self, location_id: str) -> int | None:
        async with sessions() as session:
            applied = await session.get(Applied, location_id)
            return applied.sequence if applied else None

    async def transactions(self, location_id: str, business_date: date) -> AsyncIterator[Any]:
        query = sa.select(Sale).filter_by(business_date=business_date).order_by(Sale.id)
        async with sessions() as session:
            async for sale in await session.stream_scalars(query.execution_options(yield_per=500)):
                lines = [
                    {"sku": x.sku, "quantity": x.quantity, "price": x.price} for x in sale.lines
                ]
                moment = sale.closed_at.replace(tzinfo=UTC)
                yield {"id": str(sale.id), "timestamp": moment, "total": sale.total, "items": lines}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sell", sku, price, closed_at]:
            asyncio.run(sell(sku, Decimal(price), datetime.fromisoformat(closed_at)))
        case _:
            asyncio.run(create_tables())
