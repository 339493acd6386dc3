"""
Sales that are written as a journal are read as the same sales, or refused by name.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conexxus_client import Discount, LineKind, Tax, Tender, Transaction, TransactionLine
from conexxus_sync.sources.naxml import DIALECTS, JournalFile, JournalWriter


ZONE, DAY = ZoneInfo("America/New_York"), date(2025, 12, 8)
EXAMPLES = settings(
    max_examples=settings.default.max_examples // 8,
    suppress_health_check=[HealthCheck.too_slow],
)

TEXTS = st.sampled_from(["Cola", "Crème", "日本", "a & <b>", "7"])
AMOUNTS = st.decimals(-10_000, 10_000, places=2).filter(lambda it: not it.is_signed() or it)
LINES = st.builds(
    TransactionLine,
    sku=st.sampled_from(["036000291452", "4011", "036000291452/1", "1/6-Pack"]),
    quantity=st.integers(-9, 9).filter(bool) | st.decimals("0.001", 9, places=3),
    price=st.decimals(0, 100, places=3),
    amount=st.none() | AMOUNTS,
    name=st.none() | TEXTS,
    category=st.none() | TEXTS,
    unit=st.sampled_from([None, "each", "kg"]),
    kind=st.sampled_from([None, "item", "fuel"]),
    discounts=st.builds(
        lambda promotions, others: (*promotions, *others),
        st.lists(st.builds(Discount, amount=AMOUNTS, code=TEXTS), max_size=2),
        st.lists(st.builds(Discount, amount=AMOUNTS), max_size=1),
    ),
)
SALES = st.builds(
    Transaction,
    id=st.sampled_from(["1234", "7/1/2025-12-08/99", "7/1/2025-12-08/99/5", "7/2025-12-08/3"]),
    timestamp=st.datetimes(datetime(2025, 10, 1), datetime(2025, 12, 31)).map(
        lambda it: it.replace(tzinfo=UTC)
    ),
    total=AMOUNTS,
    business_date=st.just(DAY),
    register=st.sampled_from([None, "1"]),
    kind=st.sampled_from([None, "sale", "refund"]),
    items=st.lists(LINES, max_size=3),
    taxes=st.lists(
        st.builds(Tax, code=TEXTS, amount=AMOUNTS, taxable=st.none() | AMOUNTS),
        max_size=2,
        unique_by=lambda it: it.code,
    ),
    tenders=st.lists(
        st.builds(
            Tender,
            type=st.sampled_from(["cash", "creditCards/visa"]),
            amount=AMOUNTS,
            change=st.none() | st.decimals("0.01", 99, places=2),
        ),
        max_size=2,
    ),
)
SALE = Transaction(
    id="1234",
    timestamp=datetime(2025, 12, 8, 12, tzinfo=ZONE),
    total=Decimal("3.58"),
    business_date=DAY,
    items=[TransactionLine(sku="4011", quantity=2, price=Decimal("1.79"))],
)


def written(sales, dialect=DIALECTS["generic"]):
    writer = JournalWriter(dialect=dialect, timezone=ZONE, store="7")

    return b"".join(writer.chunks(sales)), writer


def read(folder, content, dialect=DIALECTS["generic"]):
    path = folder / "PJR.xml"
    path.write_bytes(content)
    events = JournalFile(path=path, dialect=dialect, timezone=ZONE).events()
    return [attrs.evolve(it.sale, timestamp=it.sale.timestamp.astimezone(UTC)) for it in events]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("journals")


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda it: it.name)
@EXAMPLES
@given(sale=SALES)
def test_written_and_read(folder, dialect, sale):
    """
    A sale is equal afterwards but for the id that a journal gives it, and its file is the same
    when it is written again; or it is refused because its id is that of another register.
    """
    content, writer = written([sale], dialect)

    if writer.unwritable:
        assert sale.id.count("/") > (2 if sale.register is None else 4) or sale.register is None
        assert "id is " in writer.unwritable[0].reason
        return
    (found,) = read(folder, content, dialect)
    assert found.id in (sale.id, f"7/{'1/' if sale.register else ''}2025-12-08/{sale.id}")
    assert attrs.evolve(found, id=sale.id, kind=sale.kind, items=sale.items) == sale
    assert [attrs.evolve(it, kind=None, amount=None) for it in found.items] == [
        attrs.evolve(it, kind=None, amount=None) for it in sale.items
    ]
    assert written([found], dialect)[0] == content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "exchange"}, "no event is exchange"),
        ({"business_date": None}, "BusinessDate is no date: 'None'"),
        ({"tax": Decimal("0.10")}, "tax is Decimal('0.10'), and would be read as None"),
        ({"currency": "USD"}, "currency is 'USD', and would be read as None"),
        ({"extra": {"a": 1}}, "extra is {'a': 1}, and would be read as {}"),
        ({"items": [TransactionLine(kind=LineKind.TIP, quantity=1, price=Decimal(1))]},
         "no line is tip"),
        ({"tenders": [Tender(type="cash", amount=Decimal(1), tip=Decimal(1))]}, "tenders is"),
        ({"tenders": [Tender(type="4111 1111 1111 1111", amount=Decimal(1))]}, "tenders is"),
        ({"register": " 1"}, "register is ' 1', and would be read as '1'"),
        ({"id": "a\x01"}, "All strings must be XML compatible"),
    ],
)  # fmt: skip
def test_refusal(change, reason):
    """
    What no event holds is refused by name.
    """
    _, writer = written([attrs.evolve(SALE, **change)])

    assert reason in writer.unwritable[0].reason


def test_hour_that_comes_twice(folder):
    """
    Each of its times has its offset.
    """
    first = attrs.evolve(SALE, timestamp=datetime(2025, 11, 2, 1, 30, tzinfo=ZONE))
    second = attrs.evolve(first, timestamp=first.timestamp.replace(fold=1))
    content, _ = written([second, first])
    found = read(folder, content)

    assert found[0].timestamp - found[1].timestamp == timedelta(hours=1)


def test_file_appears_when_it_is_complete(tmp_path):
    """
    It is there as a whole.
    """
    path = tmp_path / "PJR.xml"
    writer = JournalWriter(dialect=DIALECTS["passport"], timezone=ZONE, store="7")
    writer.write(path, [SALE, SALE])

    assert writer.count == 2
    assert [it.name for it in tmp_path.iterdir()] == ["PJR.xml"]
    assert len(read(tmp_path, path.read_bytes(), DIALECTS["passport"])) == 2
