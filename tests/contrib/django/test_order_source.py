"""
Sales in models of the host, on two databases.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.db.models import Sum
from django.test import override_settings

from conexxus_client import ConfigurationError
from conexxus_client.testing import SandboxServer
from conexxus_sync import ConexxusService
from conexxus_sync.contrib.django import ModelOrderSource
from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.testing import OrderSourceContract
from django_till.models import Article, Deposit, Payment, Sale, SaleLine


NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2026, 1, 2)
FIELDS = {
    "id": "number",
    "timestamp": "closed_at",
    "businessDate": "business_date",
    "total": "total",
    "items.sku": "article__sku",
    "items.quantity": "quantity",
    "items.price": "price",
}
BY_MOMENT = {name: field for name, field in FIELDS.items() if name != "businessDate"}


def shop(alias):
    """
    Two sales on each of three dates.
    """
    for sku in "AB":
        Article.objects.using(alias).create(sku=sku, price="1.00")
    for number in range(1, 7):
        day = DAY + timedelta(days=(number - 1) // 2 - 1)
        made = Sale.objects.using(alias).create(
            number=number,
            business_date=day,
            closed_at=datetime.combine(day, time(15, number), UTC),
            total="50.980",
        )
        made.lines.create(article_id="A", quantity=2, price="24.990")
        made.lines.create(article_id="B", quantity=1, price="1.000")
        made.payment_set.create(kind="cash", amount="50.980")


def source_of(alias="default", **changed):
    return ModelOrderSource(
        **{"orders": Sale, "lines": "lines", "fields": FIELDS, "using": alias, **changed}
    )


def read(source, day=DAY):
    return [transaction_of(record) for record in source.transactions("loc-001", day)]


class TestContract(OrderSourceContract):
    business_date = DAY
    timezone = NEW_YORK

    @pytest.fixture
    def source(self, alias):
        shop(alias)
        return source_of(alias)


class TestContractByMoment(OrderSourceContract):
    business_date = DAY
    timezone = NEW_YORK

    @pytest.fixture
    def source(self, alias):
        shop(alias)
        return source_of(alias, fields=BY_MOMENT, store_timezone=NEW_YORK)


def test_sales(alias):
    """
    Numbers become texts, and amounts stay exact.
    """
    shop(alias)

    first, second = read(source_of(alias))

    assert (first.id, second.id) == ("3", "4")
    assert first.timestamp == datetime(2026, 1, 2, 15, 3, tzinfo=UTC)
    assert first.total == Decimal("50.98")
    assert [(it.sku, it.quantity, it.price) for it in first.items] == [
        ("A", 2, Decimal("24.99")),
        ("B", 1, Decimal(1)),
    ]


def test_tenders_and_extra(alias):
    """
    More relations give the lists of a receipt; `extra.NAME` is sent as it is.
    """
    shop(alias)
    fields = {**FIELDS, "tenders.type": "kind", "tenders.amount": "amount", "extra.by": "cashier"}

    first, _ = read(source_of(alias, tenders="payment_set", fields=fields))

    assert first.extra == {"by": "7"}
    assert [(it.type, it.amount) for it in first.tenders] == [("cash", Decimal("50.98"))]


def test_query_sets(alias):
    """
    Query sets say which sales and lines are finished, and annotations are fields.
    """
    shop(alias)
    SaleLine.objects.using(alias).filter(article_id="B").update(is_void=True)
    source = source_of(
        alias,
        orders=Sale.objects.exclude(number=4).annotate(paid=Sum("payment__amount")),
        lines=SaleLine.objects.filter(is_void=False),
        fields={**FIELDS, "total": "paid"},
    )

    (found,) = read(source)

    assert (found.id, found.total) == ("3", Decimal("50.98"))
    assert [line.sku for line in found.items] == ["A"]


def test_location(alias):
    """
    `location` names the field that says whose sale it is.
    """
    shop(alias)
    Sale.objects.using(alias).filter(number=4).update(branch="loc-002")

    assert [it.id for it in read(source_of(alias, location="branch"))] == ["3"]


def test_zone_of_the_settings(alias):
    """
    Without a business date, the moment counts, by zone and end of day of the settings.
    """
    shop(alias)
    for number, moment in ((3, "2026-01-02 06:59:59"), (4, "2026-01-03 06:59:59")):
        at = datetime.fromisoformat(f"{moment}+00:00")
        Sale.objects.using(alias).filter(number=number).update(closed_at=at)
    source = source_of(alias, fields=BY_MOMENT)
    zone = {"store": "sqlite:///x.db", "timezone": "America/New_York", "day_closes_at": "02:00"}

    with override_settings(CONEXXUS=zone):
        assert [it.id for it in read(source, DAY - timedelta(1))] == ["1", "2", "3"]
        assert [it.id for it in read(source)] == ["4"]


def test_hour_that_comes_twice(alias):
    """
    Where a date ends in the hour that clocks repeat, each sale has one date.
    """
    shop(alias)
    # In New York, 01:30 comes twice on 1 November 2026.
    for number, moment in enumerate(["05:10", "05:40", "06:10", "06:40"], 1):
        at = datetime.fromisoformat(f"2026-11-01 {moment}:00+00:00")
        Sale.objects.using(alias).filter(number=number).update(closed_at=at)
    source = source_of(alias, fields=BY_MOMENT, store_timezone=NEW_YORK, day_closes_at=time(1, 30))

    # By the clock on the wall: 01:10, 01:40, 01:10, 01:40.
    assert [it.id for it in read(source, date(2026, 10, 31))] == ["1", "3"]
    assert [it.id for it in read(source, date(2026, 11, 1))] == ["2", "4"]


def test_more_orders_than_a_batch(alias):
    """
    Lines are read for 500 orders at a time.
    """
    shop(alias)
    Sale.objects.using(alias).update(business_date=DAY)
    first = Sale.objects.using(alias).get(number=1)
    numbers = range(7, 1_203)
    Sale.objects.using(alias).bulk_create(
        Sale(number=it, business_date=DAY, closed_at=first.closed_at, total=1) for it in numbers
    )
    Article.objects.using(alias).bulk_create(Article(sku=f"S{it}", price="1") for it in numbers)
    SaleLine.objects.using(alias).bulk_create(
        SaleLine(sale_id=it, article_id=f"S{it}", quantity=1, price=1) for it in numbers
    )

    found = read(source_of(alias))

    assert [it.id for it in found] == [str(number) for number in range(1, 1_203)]
    assert [it.items[0].sku for it in found[6:]] == [f"S{number}" for number in numbers]


def test_one_state_of_the_database(alias, monkeypatch):
    """
    What is changed while the sales are read is not seen in half.
    """
    monkeypatch.setattr("conexxus_sync.contrib.django._model_orders._BATCH", 1)
    if alias == "default":
        with connections[alias].cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = wal")
    shop(alias)
    source = source_of(alias)
    records = source.transactions("loc-001", DAY)
    first = next(records)

    other = connections.create_connection(alias)
    with other.cursor() as cursor:
        cursor.execute("UPDATE django_till_saleline SET quantity = 9")
        cursor.execute("UPDATE django_till_sale SET total = 0")
    other.close()
    second = next(records)
    records.close()

    assert {line["quantity"] for it in (first, second) for line in it["items"]} == {1, 2}
    assert {it.total for it in read(source)} == {0}


def test_floats(alias):
    """
    Floats are refused, or rounded as is said.
    """
    shop(alias)
    fields = {**FIELDS, "tenders.type": "kind", "tenders.amount": "rough"}
    arguments = {"tenders": Payment.objects.all(), "fields": fields}

    refused = read(source_of(alias, **arguments))
    rounded = read(source_of(alias, **arguments, decimals=2))

    assert "a float has lost digits" in refused[0].reason
    assert rounded[0].tenders[0].amount == Decimal("0.1")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fields": {**FIELDS, "totl": "total"}}, "'totl' is no field of a sale"),
        ({"fields": {**FIELDS, "total": "totl"}}, "Sale has no 'totl' (did you mean 'total'?)"),
        ({"fields": {**FIELDS, "items.sku": "article__sk"}}, "SaleLine has no 'article__sk'"),
        ({"fields": {"id": "number"}}, "fields: which field is 'items.sku' of a sale?"),
        ({"location": "brnch"}, "Sale has no 'brnch' (did you mean 'branch'?)"),
        (
            {"lines": "line"},
            "lines: django_till.Sale has no relation 'line' (did you mean 'lines'?)",
        ),
        ({"tenders": Deposit.objects.all()}, "django_till.Deposit has 0 foreign keys to"),
    ],
)
def test_arguments(changed, said):
    """
    What the models do not have is said when the source is made, without a look
    at the database.
    """
    with pytest.raises(ConfigurationError) as caught:
        source_of(**changed)

    assert said in str(caught.value)


def test_no_zone(alias, monkeypatch):
    """
    Without a business date and a zone, no date can be read.
    """
    monkeypatch.setenv("TZ", "UTC")
    source = source_of(alias, fields=BY_MOMENT)

    with (
        override_settings(CONEXXUS={"store": "sqlite:///x.db"}),
        pytest.raises(ConfigurationError, match="CONEXXUS_TIMEZONE is not configured"),
    ):
        read(source)


def test_push(alias, tmp_path):
    """
    A push sends what the models have, once.
    """
    shop(alias)
    source = source_of(alias)

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
