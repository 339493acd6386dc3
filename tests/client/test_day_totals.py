"""
The totals of a business date: as the contract shows them, and as they are added up.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from receipts import RECEIPTS, TRANSACTIONS

from conexxus_client import (
    ApiProfile,
    BookedTransaction,
    ConfigurationError,
    CountedTotal,
    DayTotals,
    DecodeError,
    Tax,
    TaxTotal,
    Tender,
)
from conexxus_client._codec import decode_day_totals, decode_json, encode_json, totals_document
from conexxus_client.testing import BackOffice
from conexxus_sync.model.order_records import transaction_of
from conexxus_sync.testing import sale


DAY = date(2026, 1, 2)

# The appendix of the contract.
SHOWN = b"""{"date":"2026-01-02","locationId":"loc-001","count":2,"total":106.78,
 "tenders":[{"type":"cash","amount":106.78}],
 "taxes":[{"code":"STATE","taxable":97.96,"amount":8.82}],
 "registers":[{"register":"2","count":2,"total":106.78}],
 "transactions":[{"id":"A-1","total":53.39},{"id":"A-2","total":53.39}]}"""


def test_contract():
    """
    The answer that the contract shows is read.
    """
    both = CountedTotal(count=2, total=Decimal("106.78"))

    assert decode_day_totals(decode_json(SHOWN)) == DayTotals(
        date=DAY,
        location_id="loc-001",
        sales=both,
        tenders={"cash": Decimal("106.78")},
        taxes={"STATE": TaxTotal(taxable=Decimal("97.96"), amount=Decimal("8.82"))},
        registers={"2": both},
        transactions=(
            BookedTransaction(id="A-1", total=Decimal("53.39")),
            BookedTransaction(id="A-2", total=Decimal("53.39")),
        ),
    )


def test_totals_alone():
    """
    All parts but count and total are optional.
    """
    bare = decode_json(b'{"date":"2026-01-02","locationId":"l","count":0,"total":0}')

    totals = decode_day_totals(bare)

    assert (totals.sales, totals.tenders, totals.taxes) == (CountedTotal(), {}, {})
    assert (totals.transactions, totals.paid_in, totals.paid_out) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"date": None}, "$.data.date must be a date like 2026-01-02"),
        ({"date": "today"}, "$.data.date must be a date like 2026-01-02"),
        ({"locationId": 5}, "$.data.locationId must be a text"),
        ({"count": True}, "$.data.count must be a count"),
        ({"count": -1}, "$.data.count must be a count"),
        ({"count": "1"}, "$.data.count must be a count"),
        ({"total": None}, "$.data.total must be a number"),
        ({"registers": [{"register": "1"}]}, "$.data.registers[0].count must be a count"),
        (
            {"tenders": [{"type": "cash", "amount": 1}] * 2},
            "$.data.tenders has the same type twice",
        ),
        ({"tenders": [{"amount": 1}]}, "$.data.tenders[0].type must be a text"),
        ({"taxes": [{"code": "A"}]}, "$.data.taxes[0].amount must be a number"),
        (
            {"taxes": [{"code": "A", "amount": 1, "taxable": "1"}]},
            "$.data.taxes[0].taxable must be a number",
        ),
        ({"paidIn": 5}, "$.data.paidIn must be an object"),
        ({"paidOut": {"count": 1}}, "$.data.paidOut.total must be a number"),
        ({"transactions": {}}, "$.data.transactions must be a list"),
        ({"transactions": [{"id": "A-1"}]}, "$.data.transactions[0].total must be a number"),
    ],
)
def test_totals_that_are_wrong(fields, text):
    """
    What is wrong with totals is said with its place.
    """
    with pytest.raises(DecodeError) as info:
        decode_day_totals(
            {"date": "2026-01-02", "locationId": "l", "count": 0, "total": 0} | fields
        )

    assert str(info.value) == text


def test_totals_that_are_no_object():
    with pytest.raises(DecodeError, match=r"^\$\.data must be an object$"):
        decode_day_totals([])


def test_totals_of_receipts():
    """
    Sales by register, tender and tax; money that only moved apart.
    """
    names = ("EU, the tax included, two rates", "lottery, paid out", "change for the drawer")
    sales = [attrs.evolve(transaction_of(RECEIPTS[name]), register="1") for name in names]

    totals = DayTotals.of(sales, date=DAY, location_id="l")

    assert totals.sales == CountedTotal(count=1, total=Decimal("18.97"))
    assert totals.registers == {"1": totals.sales}
    assert totals.tenders == {"card": Decimal("18.97")}
    assert {code: tax.amount for code, tax in totals.taxes.items()} == {
        "A": Decimal("1.90"),
        "B": Decimal("0.46"),
    }
    assert totals.paid_in == CountedTotal(count=1, total=Decimal("100.00"))
    assert totals.paid_out == CountedTotal(count=1, total=Decimal("-25.00"))
    assert [one.total for one in totals.transactions] == [sale.total for sale in sales]


def test_each_sum_goes_on():
    """
    By register, tender and tax, every sale is added; the taxable amount as far
    as it is given, and of a payment what was kept.
    """
    at = datetime(2026, 1, 2, 17, tzinfo=UTC)

    def sold(number, register, taxes, change):
        return attrs.evolve(
            sale(f"t{number}", "10.90", timestamp=at),
            register=register,
            taxes=taxes,
            tenders=[
                Tender(type="cash", amount=Decimal("20.00"), change=Decimal(change)),
                Tender(type="card", amount=Decimal(change) - Decimal("9.10")),
            ],
        )

    given = Tax(code="STATE", amount=Decimal("0.90"), taxable=Decimal("10.00"), included=False)
    bare = Tax(code="CITY", amount=Decimal("0.10"), included=False)
    sales = [
        sold(1, "1", [given, bare], "9.10"),
        sold(2, "2", [given], "9.20"),
        sold(3, "2", [attrs.evolve(given, taxable=None), bare], "9.10"),
    ]

    totals = DayTotals.of(sales, date=DAY, location_id="l")

    assert totals.sales == CountedTotal(count=3, total=Decimal("32.70"))
    assert totals.registers == {
        "1": CountedTotal(count=1, total=Decimal("10.90")),
        "2": CountedTotal(count=2, total=Decimal("21.80")),
    }
    assert totals.tenders == {"cash": Decimal("32.60"), "card": Decimal("0.10")}
    assert totals.taxes == {
        "STATE": TaxTotal(taxable=Decimal("20.00"), amount=Decimal("2.70")),
        "CITY": TaxTotal(taxable=None, amount=Decimal("0.20")),
    }


def test_document():
    """
    What is not known has no key.
    """
    one = CountedTotal(count=1, total=Decimal("1.50"))
    totals = DayTotals(
        date=DAY,
        location_id="l",
        sales=one,
        registers={"1": one},
        tenders={"cash": Decimal("1.50")},
        taxes={"A": TaxTotal(taxable=Decimal("1.00"), amount=Decimal("0.50")), "B": TaxTotal()},
        paid_in=one,
        paid_out=attrs.evolve(one, total=Decimal("-1.50")),
        transactions=(BookedTransaction(id="t1", total=Decimal("1.50")),),
    )

    assert encode_json(totals_document(totals)).decode() == (
        '{"count":1,"date":"2026-01-02","locationId":"l","paidIn":{"count":1,"total":1.50},'
        '"paidOut":{"count":1,"total":-1.50},"registers":[{"count":1,"register":"1","total":1.50}],'
        '"taxes":[{"amount":0.50,"code":"A","taxable":1.00},{"amount":0,"code":"B"}],'
        '"tenders":[{"amount":1.50,"type":"cash"}],"total":1.50,'
        '"transactions":[{"id":"t1","total":1.50}]}'
    )


@given(TRANSACTIONS)
@settings(max_examples=min(100, settings.default.max_examples), deadline=None)
def test_wire_is_exact(sold):
    """
    What is read back is what was added up.
    """
    totals = DayTotals.of([sold, sold], date=DAY, location_id="l")
    unsaid = {"paid_in": totals.paid_in or None, "paid_out": totals.paid_out or None}
    unsaid = {key: one if one.count else None for key, one in unsaid.items()}

    again = decode_day_totals(decode_json(encode_json(totals_document(totals))))

    assert again == attrs.evolve(totals, **unsaid)


def test_totals_of_a_back_office(connect, office, server):
    """
    Of the location of the settings, or of the one that is named.
    """
    client = connect(server.url, location_id="loc-7")

    assert client.day_totals(DAY).location_id == "loc-7"
    assert client.day_totals(DAY, location_id="loc-8").location_id == "loc-8"
    assert office.requests == {"summary": 2}


def test_profile_without_totals(connect, server):
    """
    Nothing is asked for where the profile has no path.
    """
    client = connect(server.url, profile=ApiProfile(summary_path=None))

    with pytest.raises(ConfigurationError, match="summary_path is None"):
        client.day_totals(DAY)

    assert BackOffice(profile=ApiProfile(summary_path=None)).endpoint("/x") is None
