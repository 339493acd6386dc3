"""
What the codec says, word for word: people search for it.
"""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from conexxus_client import (
    ApiProfile,
    DecodeError,
    EnvelopeError,
    FrozenBatch,
    InvalidItem,
    SalesSummary,
    Transaction,
    decode_extra,
    decode_item,
    encode_transaction,
)
from conexxus_client._codec import CatalogReader, Envelope, decode_json, shown


UNREADABLE = "Item is not readable: not UTF-8, or a number or text out of range"


def read(body: bytes) -> CatalogReader:
    reader = CatalogReader(ApiProfile())
    reader.feed(body)
    reader.close()
    return reader


@pytest.mark.parametrize(
    ("raw", "reason", "path", "sku"),
    [
        (b'{"sku":"A","name":"\xff","price":1}', UNREADABLE, "$", "A"),
        (b'{"sku":"\xff","name":"a","price":1}', UNREADABLE, "$", None),
        (b'{"sku":"\\ud800","name":"a","price":1}', UNREADABLE, "$", None),
        (b'{"sku":"\\uffff","name":"\xff","price":1}', UNREADABLE, "$", "\uffff"),
        (b'{"name":"\xff","price":1}', UNREADABLE, "$", None),
        (b'{"sku":5,"name":"\xff"}', UNREADABLE, "$", None),
        (b'"\xff"', UNREADABLE, "$", None),
        (b'{"sku":"A","name":"a","price":NaN}', "Item has invalid price", "$.price", "A"),
        (b'{"sku":"\xff","name":"a","price":NaN}', "Item has invalid price", "$.price", None),
        (
            b'{"sku":"A","x":' + b"[" * 101 + b"]" * 101 + b"}",
            "Item is nested too deeply",
            "$",
            None,
        ),
        (b'{"sku":"A","x":' + b"[" * 99 + b"]" * 99 + b"}", "Item missing name", "$.name", "A"),
        (b'{"sku":"A","x":1e99999999999999999999}', UNREADABLE, "$", "A"),
    ],
)
def test_items(raw, reason, path, sku):
    """
    An element that can't be used says why, where, and whose it is.
    """
    assert decode_item(raw) == InvalidItem(raw=raw, reason=reason, path=path, sku=sku)


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        (b"", EnvelopeError, "the answer is empty: that is no catalogue"),
        (b"[", DecodeError, "the catalogue is incomplete: the answer ended early"),
        (b"nope", DecodeError, "expected a JSON catalogue, found 'nope'"),
        (
            b"[1 2]",
            DecodeError,
            "the catalogue is no valid JSON: expected a comma or the end of the items, found '2]'",
        ),
        (
            b"[1]x",
            DecodeError,
            "the catalogue is no valid JSON: expected nothing after the catalogue, found 'x'",
        ),
        (
            b"{5:1}",
            DecodeError,
            "the catalogue is no valid JSON: expected a key, found '5:1}'",
        ),
        (
            b'{"a" 1}',
            DecodeError,
            "the catalogue is no valid JSON: expected a colon after a key, found '\"a\" 1}'",
        ),
        (
            b'{"a":1 2}',
            DecodeError,
            "the catalogue is no valid JSON: expected a comma or the envelope's end, found '2}'",
        ),
        (b"{}", EnvelopeError, "the back office did not say success"),
        (
            b'{"success":false,"error":"closed"}',
            EnvelopeError,
            "the back office did not say success: 'closed'",
        ),
        (
            b'{"success":false,"detail":"later","message":"closed"}',
            EnvelopeError,
            "the back office did not say success: 'closed'",
        ),
        (
            b'{"success":false,"detail":"later"}',
            EnvelopeError,
            "the back office did not say success: 'later'",
        ),
        (b'{"success":true}', EnvelopeError, "the envelope has no list 'data'"),
        (b'{"success":true,"data":1}', EnvelopeError, "the envelope has no list 'data'"),
        (
            b'{"success":true,"data":[],"data":[]}',
            EnvelopeError,
            "the envelope has 'data' twice",
        ),
        (
            b'{"success":true,"data":[],"total":"many"}',
            EnvelopeError,
            "the envelope's 'total' is not understood: 'many'",
        ),
        (
            b'{"success":true,"data":[],"total":true}',
            EnvelopeError,
            "the envelope's 'total' is not understood: 'True'",
        ),
        (
            b'{"success":true,"data":[],"nextCursor":5}',
            EnvelopeError,
            "the envelope's 'nextCursor' is not understood: '5'",
        ),
    ],
)
def test_catalogues(body, error, text):
    """
    A catalogue that is none says what was expected, and what was found.
    """
    with pytest.raises(error) as info:
        read(body)

    assert str(info.value) == text


def test_envelopes():
    """
    Cursor and total are read; empty ones are none.
    """
    full = read(b'{"total":0,"nextCursor":"c","x":1,"data":[],"success":true}')
    empty = read(b'{"total":null,"nextCursor":"","data":[],"success":true}')

    assert full.envelope == Envelope(next_cursor="c", total=0)
    assert empty.envelope == Envelope()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "nothing"),
        (b"abc", "'abc'"),
        ("abc", "'abc'"),
        (b"x" * 60, f"'{'x' * 60}'"),
        (b"x" * 61, f"'{'x' * 60}'…"),
        (b"\xff\x1b", r"'\ufffd\x1b'"),
        ("\u00e9", r"'\xe9'"),
    ],
)
def test_shown(raw, text):
    """
    What is shown of a body is short, and moves no cursor.
    """
    assert shown(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\xff", "not readable as JSON: JSON is malformed: invalid character (byte 0)"),
        (b'"\xff"', "not readable as JSON: not UTF-8"),
        (b"1e99999999999999999999", "not readable as JSON: a number is out of range"),
        (b"[" * 101, "nested deeper than 100 levels"),
    ],
)
def test_json(raw, text):
    """
    What is no JSON says why.
    """
    with pytest.raises(DecodeError) as info:
        decode_json(raw)

    assert str(info.value) == f"{text}; found {shown(raw)}"


def test_extras():
    """
    An extra is an object.
    """
    with pytest.raises(DecodeError) as info:
        decode_extra("[1]")

    assert str(info.value) == "expected a JSON object, found list"


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
