"""
The server of a till in Flask, connected to a back office.

`README.md` has the commands, `conexxus.toml` the settings.
"""

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Flask, request
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from conexxus_sync.contrib.flask import Conexxus
from conexxus_sync.contrib.sql import SqlCatalogStorage, SqlOrderSource


engine = sa.create_engine(os.environ.get("DATABASE_URL", "sqlite:///till.db"))
ZONE = ZoneInfo("America/New_York")


class Base(DeclarativeBase):
    """
    The tables of the till.
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
    lines: Mapped[list["SaleLine"]] = relationship()


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


Base.metadata.create_all(engine)


def create_app() -> Flask:
    """
    Make the application; `flask --app till` finds it.
    """
    app = Flask("till")
    app.add_url_rule("/sales", view_func=sell, methods=["POST"])
    Conexxus().init_app(app)

    return app


def sell() -> dict[str, int]:
    """
    Store the sale of one piece.
    """
    price = Decimal(request.form["price"])
    line = SaleLine(sku=request.form["sku"], quantity=1, price=price)
    sale = sale_of(line, datetime.fromisoformat(request.form["closed_at"]))

    with Session(engine) as session, session.begin():
        session.add(sale)
        session.flush()

        return {"sale": sale.id}


# The adapters, which conexxus.toml names.

products = SqlCatalogStorage(
    engine,
    table="product",
    columns={"sku": "sku", "name": "name", "price": "price"},
    active="is_active",
)
orders = SqlOrderSource(
    engine,
    orders="""SELECT id, closed_at AS timestamp, total
        FROM sale WHERE business_date = :business_date ORDER BY id""",
    lines="""SELECT sale_id AS order_id, sku, quantity, price
        FROM sale_line WHERE sale_id IN :ids ORDER BY id""",
    timezone=UTC,  # of moments without a zone in the database
    decimals=2,  # for amounts that SQLite gives as floats
)
