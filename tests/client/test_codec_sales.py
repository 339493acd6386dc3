"""
What is written, and what is read of sales, byte for byte and word for word.
"""

import json
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from conexxus_client import (
    DecodeError,
    FrozenBatch,
    SalesBatch,
    SalesSummary,
    Transaction,
    TransactionLine,
    decode_extra,
    decode_transaction,
    encode_batch,
    encode_extra,
    encode_transaction,
)


def nested(levels):
    """
    A list in a list in a list …
    """
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "a float has already lost its digits: pass a Decimal"),
        (Decimal("NaN"), "JSON can't express NaN"),
        ({5: "x"}, "the keys of a JSON object are texts"),
        ({"x"}, "JSON can't express a set"),
        (nested(100), "nested deeper than 100 levels"),
    ],
)
def test_what_can_not_be_written(value, text):
    """
    An extra that JSON can't hold says why.
    """
    with pytest.raises(ValueError) as info:
        encode_extra({"x": value})

    assert str(info.value) == text


@pytest.mark.parametrize("receipt", [{}, {"register": "1"}], ids=["plain", "receipt"])
def test_what_is_written_can_be_read(receipt):
    """
    As deep as anything may be written, it is read again: by itself, and in
    the body of a push.
    """
    deepest, too_deep = {"x": nested(96)}, {"x": nested(97)}

    frozen = FrozenBatch.of(batch_of(sale(extra=deepest, **receipt)))

    assert frozen.transactions()[0].extra == deepest
    with pytest.raises(ValueError, match="nested deeper"):
        FrozenBatch.of(batch_of(sale(extra=too_deep, **receipt)))
    assert decode_extra(encode_extra({"x": nested(99)})) == {"x": nested(99)}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"id": 5}, "$.id must be a text"),
        ({"total": True}, "$.total must be a number"),
        ({"items": {}}, "$.items must be a list"),
        ({"extra": []}, "$.extra must be an object"),
        ({"timestamp": "noon"}, "$.timestamp must be a moment like 2026-01-02T10:00:00Z"),
        ({"businessDate": "today"}, "$.businessDate must be a date like 2026-01-02"),
        ({"items": [5]}, "$.items[0] must be an object"),
        ({"register": 5}, "$.register must be a text"),
        ({"rounding": "0"}, "$.rounding must be a number"),
        ({"tenders": {}}, "$.tenders must be a list"),
        ({"tenders": [5]}, "$.tenders[0] must be an object"),
        ({"tenders": [{"type": "cash"}]}, "$.tenders[0].amount must be a number"),
        (
            {"taxes": [{"code": "A", "amount": 1, "included": "yes"}]},
            "$.taxes[0].included must be true or false",
        ),
        (
            {"items": [{"sku": "S", "quantity": 1, "price": 1, "discounts": [{"code": "A"}]}]},
            "$.items[0].discounts[0].amount must be a number",
        ),
        ({"items": [{"quantity": 1, "price": 1}]}, "$.items[0].sku must be a text"),
        ({"id": ""}, "$: id must be a text that is not empty"),
        (
            {"items": [{"sku": "S", "quantity": 1, "price": 10**39}]},
            "$.items[0]: price: an amount is finite, with at most 38 digits and 18 decimals",
        ),
    ],
)
def test_transactions(fields, text):
    """
    What is wrong with a transaction is said with its place.
    """
    good = {"id": "t", "timestamp": "2026-01-02T10:00:00Z", "total": 1, "items": []}

    with pytest.raises(DecodeError) as info:
        decode_transaction(json.dumps(good | fields))

    assert str(info.value) == text


def sale(**fields):
    return Transaction(
        id="t",
        timestamp=datetime(2026, 1, 2, 10, tzinfo=UTC),
        total=Decimal("1.10"),
        **{"items": [TransactionLine(sku="S", quantity=1, price=Decimal("1.10"))], **fields},
    )


def batch_of(*sales, **fields):
    return SalesBatch(date=date(2026, 1, 2), location_id="l", transactions=sales, **fields)


def test_a_frozen_batch():
    """
    It is what it was made of: date, location and summary; what is empty is
    left out.
    """
    one = sale()
    raw = (
        b'{"id":"t","items":[{"price":1.10,"quantity":1,"sku":"S"}],'
        b'"timestamp":"2026-01-02T10:00:00Z","total":1.10}'
    )
    plain, summed = batch_of(one), batch_of(one, summary=SalesSummary.of([one]))
    body = b'{"date":"2026-01-02","locationId":"l","transactions":[' + raw + b"]}"

    assert FrozenBatch.of(plain) == FrozenBatch(date=date(2026, 1, 2), location_id="l", body=body)
    assert encode_batch(plain) == body
    assert encode_batch(summed).startswith(body[:-1] + b',"summary":{')


def test_line_with_an_extra():
    """
    What a line has besides is written beside its price, and read back.
    """
    line = TransactionLine(
        sku="S", quantity=2, price=Decimal("1.10"), extra={"cask": {"no": Decimal("7.0")}}
    )
    raw = encode_transaction(sale(items=[line]))

    assert b'"items":[{"extra":{"cask":{"no":7.0}},"price":1.10,"quantity":2,"sku":"S"}]' in raw
    assert decode_transaction(raw).items == (line,)


def test_line_of_a_kind():
    """
    What is sold as a tip, a fee or a deposit needs no SKU.
    """
    line = {"kind": "tip", "quantity": 1, "price": 2}
    raw = {"id": "t", "timestamp": "2026-01-02T10:00:00Z", "total": 2, "items": [line]}

    (read,) = decode_transaction(json.dumps(raw)).items

    assert (read.kind, read.sku, read.price) == ("tip", None, 2)


def test_the_machine_is_anywhere(monkeypatch):
    """
    A moment is written in UTC, whatever the machine's zone is.
    """
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()

    try:
        assert b'"2026-01-02T10:00:00Z"' in encode_transaction(sale())
    finally:
        monkeypatch.undo()
        time.tzset()


def test_bytes_of_a_batch():
    """
    The bytes of a push, all fields of it.
    """
    sale = Transaction(
        id="t",
        timestamp=datetime(2026, 1, 2, 5, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=-5))),
        total=Decimal("1.10"),
        tax=Decimal("0.10"),
        items=[],
        extra={"till": 3},
    )
    raw = (
        b'{"extra":{"till":3},"id":"t","items":[],"tax":0.10,'
        b'"timestamp":"2026-01-02T10:00:00.250000Z","total":1.10}'
    )
    head = b'{"date":"2026-01-02","locationId":"l","transactions":['
    day = {"date": date(2026, 1, 2), "location_id": "l"}

    assert encode_transaction(sale) == raw
    assert FrozenBatch.assemble(**day, transactions=[]).body == head + b"]}"
    assert FrozenBatch.assemble(**day, transactions=[raw, raw]).body == (
        head + raw + b"," + raw + b"]}"
    )
    assert FrozenBatch.assemble(
        **day, transactions=[raw], summary=SalesSummary.of([sale])
    ).body == (
        head + raw + b'],"summary":{"averageOrderValue":1.10,"itemsSold":0,"totalDiscount":0,'
        b'"totalOrders":1,"totalRevenue":1.10,"totalTax":0.10}}'
    )


@pytest.mark.parametrize("amount", [0.5, Decimal("NaN"), Decimal("Infinity")])
@pytest.mark.parametrize("name", ["total", "tax", "discount"])
def test_built_past_the_checks(name, amount):
    """
    An amount that its class never admits is not written, however it came in.
    """
    line = TransactionLine(sku="a", quantity=1, price=Decimal(1))
    sale = Transaction(id="t", timestamp=datetime(2026, 1, 2, tzinfo=UTC), total=1, items=[line])
    object.__setattr__(sale, name, amount)

    with pytest.raises(ValueError, match=r"float has already lost|JSON can't express"):
        encode_transaction(sale)

    object.__setattr__(sale, name, Decimal(1))
    object.__setattr__(line, "price", amount)
    with pytest.raises(ValueError, match=r"float has already lost|JSON can't express"):
        encode_transaction(sale)
