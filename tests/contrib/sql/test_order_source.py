"""
Sales by queries of the host, on three databases.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from conexxus_client import ConfigurationError
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.contrib.sql import SqlOrderSource, _order_source
from conexxus_sync.errors import HostError
from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.testing import OrderSourceContract


NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2026, 1, 2)
ORDERS = """
    SELECT number AS id, closed_at AS timestamp, total
    FROM sale WHERE business_date = :business_date ORDER BY number
"""
LINES = """
    SELECT sale_number AS order_id, code AS sku, quantity, price
    FROM sale_line WHERE sale_number IN :ids ORDER BY sale_number, position
"""


def shop(engine, *, aware=True):
    """
    The tables of a host, with two sales on each of three dates.
    """
    money = sa.Text() if engine.dialect.name == "sqlite" else sa.Numeric(12, 3)
    metadata = sa.MetaData()
    sales = sa.Table(
        "sale",
        metadata,
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("business_date", sa.Date),
        sa.Column("closed_at", sa.DateTime(timezone=aware)),
        sa.Column("total", money),
        sa.Column("cashier", sa.String(50)),
    )
    lines = sa.Table(
        "sale_line",
        metadata,
        sa.Column("sale_number", sa.Integer),
        sa.Column("position", sa.Integer),
        sa.Column("code", sa.String(50)),
        sa.Column("quantity", sa.Integer),
        sa.Column("price", money),
    )
    tenders = sa.Table(
        "payment",
        metadata,
        sa.Column("sale_number", sa.Integer),
        sa.Column("kind", sa.String(20)),
        sa.Column("amount", money),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        for number in range(1, 7):
            day = DAY + timedelta(days=(number - 1) // 2 - 1)
            closed = datetime.combine(day, time(15, number), UTC)
            connection.execute(
                sa.insert(sales),
                {
                    "number": number,
                    "business_date": day,
                    "closed_at": closed if aware else closed.replace(tzinfo=None),
                    "total": "50.980",
                    "cashier": "7",
                },
            )
            connection.execute(
                sa.insert(lines),
                [
                    {
                        "sale_number": number,
                        "position": 1,
                        "code": "A",
                        "quantity": 2,
                        "price": "24.990",
                    },
                    {
                        "sale_number": number,
                        "position": 2,
                        "code": "B",
                        "quantity": 1,
                        "price": "1.000",
                    },
                ],
            )
            connection.execute(
                sa.insert(tenders),
                {"sale_number": number, "kind": "cash", "amount": "50.980"},
            )


def source_of(engine, **changed):
    return SqlOrderSource(engine, **{"orders": ORDERS, "lines": LINES, "timezone": UTC, **changed})


def read(source, day=DAY):
    return [transaction_of(record) for record in source.transactions("loc-001", day)]


class TestContract(OrderSourceContract):
    business_date = DAY
    timezone = NEW_YORK

    @pytest.fixture
    def source(self, engine):
        shop(engine)
        return source_of(engine)


def test_sales(engine):
    """
    Numbers become texts, and amounts stay exact.
    """
    shop(engine)

    first, second = read(source_of(engine))

    assert (first.id, second.id) == ("3", "4")
    assert first.timestamp == datetime(2026, 1, 2, 15, 3, tzinfo=UTC)
    assert first.total == Decimal("50.98")
    assert [(it.sku, it.quantity, it.price) for it in first.items] == [
        ("A", 2, Decimal("24.99")),
        ("B", 1, Decimal(1)),
    ]


def test_tenders_and_extra(engine):
    """
    More queries give the lists of a receipt; `extra.NAME` is sent as it is.
    """
    shop(engine)
    source = source_of(
        engine,
        orders=ORDERS.replace("total", "total, cashier AS {0}extra.cashier{0}").format(
            engine.dialect.identifier_preparer.initial_quote
        ),
        tenders=(
            "SELECT sale_number AS order_id, kind AS type, amount "
            "FROM payment WHERE sale_number IN :ids"
        ),
    )

    first, _ = read(source)

    assert first.extra == {"cashier": "7"}
    assert [(it.type, it.amount) for it in first.tenders] == [("cash", Decimal("50.98"))]


def test_columns(engine):
    """
    Queries need not use the names of the wire contract.
    """
    shop(engine)
    source = source_of(
        engine,
        orders="SELECT number, closed_at, total FROM sale WHERE business_date = :business_date",
        lines="SELECT sale_number, code, quantity, price FROM sale_line WHERE sale_number IN :ids",
        columns={
            "id": "number",
            "timestamp": "closed_at",
            "items.order_id": "sale_number",
            "items.sku": "code",
        },
    )

    assert {it.id for it in read(source)} == {"3", "4"}
    assert {line.sku for it in read(source) for line in it.items} == {"A", "B"}


def test_moments_of_a_date(engine):
    """
    `:begin` and `:end` are the store's day, as the database writes its moments.
    """
    shop(engine, aware=False)
    with engine.begin() as connection:
        for number, moment in ((3, "2026-01-02 04:59:59"), (4, "2026-01-03 04:59:59")):
            connection.execute(
                sa.text("UPDATE sale SET closed_at = :moment WHERE number = :number").bindparams(
                    sa.bindparam("moment", type_=sa.DateTime())
                ),
                {"moment": datetime.fromisoformat(moment), "number": number},
            )
    source = source_of(
        engine,
        orders=(
            "SELECT number AS id, closed_at AS timestamp, total FROM sale "
            "WHERE closed_at >= :begin AND closed_at < :end ORDER BY number"
        ),
        store_timezone=NEW_YORK,
    )

    assert [it.id for it in read(source, DAY - timedelta(1))] == ["1", "2", "3"]
    assert [it.id for it in read(source)] == ["4"]


def test_hour_that_comes_twice(engine):
    """
    Where a date ends in the hour that clocks repeat, each sale has one date.
    """
    shop(engine, aware=False)
    # In New York, 01:30 comes twice on 1 November 2026.
    moments = ["05:10:00", "05:40:00", "06:10:00", "06:40:00"]
    with engine.begin() as connection:
        for number, moment in enumerate(moments, 1):
            connection.execute(
                sa.text("UPDATE sale SET closed_at = :moment WHERE number = :number").bindparams(
                    sa.bindparam("moment", type_=sa.DateTime())
                ),
                {"moment": datetime.fromisoformat(f"2026-11-01 {moment}"), "number": number},
            )
    source = source_of(
        engine,
        orders=(
            "SELECT number AS id, closed_at AS timestamp, total FROM sale "
            "WHERE closed_at >= :begin AND closed_at < :end ORDER BY number"
        ),
        store_timezone=NEW_YORK,
        day_closes_at=time(1, 30),
    )

    # By the clock on the wall: 01:10, 01:40, 01:10, 01:40.
    assert [it.id for it in read(source, date(2026, 10, 31))] == ["1", "3"]
    assert [it.id for it in read(source, date(2026, 11, 1))] == ["2", "4"]


def test_more_orders_than_a_batch(engine):
    """
    Lines are read for 500 orders at a time.
    """
    shop(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE sale SET business_date = :day").bindparams(
                sa.bindparam("day", type_=sa.Date())
            ),
            {"day": DAY},
        )
        for number in range(7, 1_203):
            connection.exec_driver_sql(
                f"INSERT INTO sale SELECT {number}, business_date, closed_at, total, cashier "
                "FROM sale WHERE number = 1"
            )
            connection.exec_driver_sql(
                f"INSERT INTO sale_line VALUES ({number}, 1, 'S{number}', 1, '50.98')"
            )

    found = read(source_of(engine))

    assert [it.id for it in found] == [str(number) for number in range(1, 1_203)]
    assert [it.items[0].sku for it in found[6:]] == [f"S{number}" for number in range(7, 1_203)]


def test_one_state_of_the_database(engine, monkeypatch):
    """
    What is changed between two batches is not seen in half.
    """
    monkeypatch.setattr(_order_source, "_BATCH", 1)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = wal")
    shop(engine)
    source = source_of(engine, orders=ORDERS)
    records = source.transactions("loc-001", DAY)
    first = next(records)

    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sale_line SET code = 'LATER'")
        connection.exec_driver_sql("UPDATE sale SET total = 0")
    second = next(records)
    records.close()

    assert {line["sku"] for it in (first, second) for line in it["items"]} == {"A", "B"}
    assert {it.total for it in read(source)} == {0}


def test_floats(tmp_path):
    """
    SQLite gives NUMERIC as floats: they are refused, or rounded as is said.
    """
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    shop(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sale_line SET price = 1")
        connection.exec_driver_sql("CREATE TABLE r (sale_number, price REAL)")
        connection.exec_driver_sql("INSERT INTO r VALUES (3, 4.99), (4, 0.1 + 0.2)")
    lines = (
        "SELECT sale_number AS order_id, 'A' AS sku, 1 AS quantity, price "
        "FROM r WHERE sale_number IN :ids ORDER BY sale_number"
    )

    refused = read(source_of(engine, lines=lines))
    rounded = read(source_of(engine, lines=lines, decimals=4))
    engine.dispose()

    assert "items[0].price: a float has lost digits" in refused[0].reason
    assert [it.items[0].price for it in rounded] == [Decimal("4.99"), Decimal("0.3")]


def test_moment_without_zone(engine):
    """
    A moment without a zone is refused unless its zone is given.
    """
    shop(engine, aware=False)

    refused = read(source_of(engine, timezone=None))
    given = read(source_of(engine, timezone=NEW_YORK))

    assert "timestamp must be an aware datetime" in refused[0].reason
    assert given[0].timestamp == datetime(2026, 1, 2, 20, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"orders": ORDERS.replace("total", "total, cashier")},
            "the column 'cashier' is no field of a sale: name it 'extra.cashier' to send it",
        ),
        ({"lines": LINES.replace("AS sku", "AS sk")}, "of items (did you mean 'sku'?)"),
        ({"lines": LINES.replace("sale_number AS order_id, ", "")}, "has no column 'order_id'"),
        ({"orders": ORDERS.replace("number AS id, ", "")}, "orders: the query has no column 'id'"),
    ],
)
def test_columns_that_do_not_fit(engine, changed, said):
    """
    A column that is no field is not sent by accident.
    """
    shop(engine)

    with pytest.raises(HostError) as caught:
        read(source_of(engine, **changed))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"orders": ORDERS.replace(":business_date", ":busines_date")},
            "no parameter :busines_date (did you mean 'business_date'?)",
        ),
        ({"lines": LINES.replace("IN :ids", "= 1")}, "lines: the query must select by the orders"),
        (
            {"orders": ORDERS.replace(":business_date", ":begin")},
            ":begin and :end need store_timezone",
        ),
        ({"columns": {"items.skuu": "code"}}, "'items.skuu' is no field"),
    ],
)
def test_arguments(changed, said):
    """
    What needs no database is said when the source is made.
    """
    with pytest.raises(ConfigurationError) as caught:
        source_of(sa.create_engine("sqlite://"), **changed)

    assert said in str(caught.value)


def test_push(engine, tmp_path):
    """
    A push sends what the queries find, once.
    """
    shop(engine)
    source = source_of(engine)

    with SandboxServer() as back_office:
        settings = {
            **back_office.env,
            "CONEXXUS_STORE": f"sqlite:///{tmp_path / 'state.db'}",
            "CONEXXUS_TIMEZONE": "America/New_York",
        }
        with ConexxusService.from_env(settings, orders=source) as service:
            for _ in range(2):
                service.push_sales(DAY)

        assert back_office.office.effective_batches == [{"3", "4"}]
