"""
Transactions from mappings, as database rows and APIs give them.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from receipts import RECEIPTS, TRANSACTIONS

from conexxus_client import Transaction, TransactionKind, local_time, utc_time


def record(**fields):
    line = {"sku": "a", "quantity": 2, "price": Decimal("24.99")}
    return {
        "id": "t1",
        "timestamp": "2026-01-02T10:00:00Z",
        "total": Decimal("49.98"),
        "items": [line],
        **fields,
    }


def test_row_of_a_database():
    """
    Each field is taken as it is; None is absent.
    """
    sold = Transaction.from_mapping(
        record(
            register="2",
            kind="sale",
            tax=None,
            businessDate="2026-01-02",
            tenders=[{"type": "cash", "amount": Decimal("60.00"), "change": Decimal("10.02")}],
        )
    )

    assert (sold.register, sold.kind, sold.tax) == ("2", TransactionKind.SALE, None)
    assert sold.timestamp == datetime(2026, 1, 2, 10, tzinfo=UTC)
    assert sold.business_date == date(2026, 1, 2)
    assert sold.tenders[0].change == Decimal("10.02")
    assert sold.items[0].price == Decimal("24.99")


@pytest.mark.parametrize("name", RECEIPTS)
def test_receipt_of_a_trade(name):
    """
    Each can be built from a mapping, with the amounts of the mapping.
    """
    assert Transaction.from_mapping(RECEIPTS[name]).total == RECEIPTS[name]["total"]


@given(TRANSACTIONS)
@settings(max_examples=min(100, settings.default.max_examples), deadline=None)
def test_any_transaction(sold):
    """
    What `attrs.asdict` gives is read back.
    """
    assert Transaction.from_mapping(attrs.asdict(sold)) == sold


def test_minor_units():
    """
    An int is in the smallest unit; a Decimal that was paid is rounded to it,
    half up; a unit price keeps its digits, quantity and rate are no money.
    """
    line = {"sku": "a", "quantity": 3, "price": Decimal("3.459"), "amount": 1038}
    given_ = record(
        items=[line],
        total=1038,
        tax=Decimal("0.855"),
        discount=Decimal("-0.855"),
        taxes=[{"code": "A", "rate": 9, "amount": Decimal("0.8549999"), "taxable": "9.50"}],
    )

    sold = Transaction.from_mapping(given_, minor_units=2)

    assert (sold.total, sold.tax, sold.discount) == (
        Decimal("10.38"),
        Decimal("0.86"),
        Decimal("-0.86"),
    )
    (line,) = sold.items
    assert (line.quantity, line.price, line.amount) == (3, Decimal("3.459"), Decimal("10.38"))
    assert (sold.taxes[0].rate, sold.taxes[0].amount) == (9, Decimal("0.85"))


@pytest.mark.parametrize(("units", "total"), [(0, "1080"), (3, "1.080"), (None, "1080")])
def test_minor_units_of_a_currency(units, total):
    """
    Yen have none, dinars three; without a number, an int is in whole units.
    """
    sold = Transaction.from_mapping(record(total=1080), minor_units=units)

    assert str(sold.total) == total


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"total": 49.98}, "total: a float has lost digits"),
        ({"items": [{"sku": "a", "quantity": 1, "price": 1.5}]}, "items[0].price: a float"),
        ({"items": [{"sku": "a", "quantity": 0.5, "price": 1}]}, "items[0].quantity: a float"),
        ({"tenders": [{"type": "cash", "amount": 1.5}]}, "tenders[0].amount: a float"),
        ({"taxes": [{"code": "A", "amount": 1, "rate": 9.0}]}, "taxes[0].rate: a float"),
        ({"total": "1e3"}, "total must be a Decimal, an int or a plain decimal text, not str"),
        ({"total": True}, "total must be a Decimal, an int or a plain decimal text, not bool"),
        ({"total": Decimal("NaN")}, "total: an amount is finite"),
        ({"total": None}, "total: missing"),
        ({"items": [{"sku": "a"}]}, "items[0].quantity, items[0].price: missing"),
        ({"items": "a"}, "items must be a list, not str"),
        ({"items": ["a"]}, "items[0] must be a mapping, not str"),
        ({"cashier": "Ann"}, "cashier: no such field; say unknown='extra'"),
        ({"tenders": [{"type": "cash", "amount": 1, "iban": "x"}]}, "tenders[0].iban: no such"),
        ({"id": 7}, "id must be a text"),
        ({"timestamp": "2026-01-02T10:00:00"}, "timestamp must be an aware datetime"),
        ({"timestamp": "today"}, "timestamp must be a text like"),
        ({"business_date": "today"}, "business_date must be a text like"),
        ({"kind": "gift"}, "'gift' is not a valid TransactionKind"),
        ({"currency": "usd"}, "currency must be a code of ISO 4217"),
    ],
)
@pytest.mark.parametrize("units", [None, 2])
def test_wrong_value(fields, reason, units):
    """
    The reason names the field.
    """
    with pytest.raises(ValueError) as refused:  # the text is looked at below
        Transaction.from_mapping(record(**fields), units)

    assert reason in str(refused.value)


def test_unknown_key():
    """
    Where it is asked for, it is kept in the extra of its transaction or line;
    a tender has none.
    """
    line = {"sku": "a", "quantity": 1, "price": 1, "shelf": 7}
    sold = Transaction.from_mapping(
        record(cashier="Ann", extra={"note": "x"}, items=[line]), unknown="extra"
    )

    assert sold.extra == {"cashier": "Ann", "note": "x"}
    assert sold.items[0].extra == {"shelf": 7}
    with pytest.raises(ValueError, match=r"tenders\[0\]\.iban"):
        Transaction.from_mapping(
            record(tenders=[{"type": "cash", "amount": 1, "iban": "x"}]), unknown="extra"
        )


@pytest.mark.parametrize("units", [-1, 19])
def test_minor_units_that_no_currency_has(units):
    """
    They are refused.
    """
    with pytest.raises(ValueError, match="minor_units must be from 0 to 18"):
        Transaction.from_mapping(record(), units)


def test_no_mapping():
    """
    It is refused.
    """
    with pytest.raises(ValueError, match="Transaction must be a mapping, not list"):
        Transaction.from_mapping([])


def test_utc_time():
    """
    What says no zone is in UTC; what says one is converted.
    """
    ten = datetime(2026, 1, 2, 10, tzinfo=UTC)

    assert utc_time("2026-01-02 10:00:00") == ten
    assert utc_time(datetime(2026, 1, 2, 10)) == ten  # naive is the point
    east = utc_time(datetime(2026, 1, 2, 12, tzinfo=timezone(timedelta(hours=2))))
    assert (east, east.tzinfo) == (ten, UTC)


@pytest.mark.parametrize("zone", ["America/New_York", ZoneInfo("America/New_York")])
def test_local_time(zone):
    """
    What clocks in the zone showed, also in the hour that they show twice; an
    hour that they never showed is refused.
    """
    assert local_time("2026-01-02 05:00:00", zone) == datetime(2026, 1, 2, 10, tzinfo=UTC)
    first, second = (
        local_time(datetime(2026, 11, 1, 1, 30, fold=fold), zone)  # likewise
        for fold in (0, 1)
    )
    assert second - first == timedelta(hours=1)
    assert local_time("2026-01-02T10:00:00Z", zone) == datetime(2026, 1, 2, 10, tzinfo=UTC)
    with pytest.raises(ValueError, match="clocks in America/New_York never showed"):
        local_time("2026-03-08 02:30:00", zone)
