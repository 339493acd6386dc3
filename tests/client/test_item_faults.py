"""
Elements of a catalogue that are no items: one costs itself, and says what is wrong where.
"""

from decimal import Decimal

import pytest

from conexxus_client import (
    ApiProfile,
    DecodeError,
    InvalidItem,
    Item,
    decode_item,
    encode_item,
)
from conexxus_client._codec import CatalogReader


GOOD = b'{"sku":"%d","name":"good","price":1}'


def read(body, size=10**6):
    reader = CatalogReader(ApiProfile(), window=200)
    windows = []
    for at in range(0, len(body), size):
        windows += reader.feed(body[at : at + size])
    windows += reader.close()
    return [it for window in windows for it in window.elements]


def item(members):
    return b'{"sku":"A","name":"a","price":1,' + members + b"}"


@pytest.mark.case(
    "A6",
    "One element with a raw tab, a bad escape, `NaN` or half a value",
    "it is set aside with field and reason, and no other",
)
@pytest.mark.parametrize("size", [1, 50, 10**6])
@pytest.mark.parametrize(
    ("member", "path", "fault"),
    [
        (b'"x":"a\tb"', "$.x", "x: the control character U+0009 is not escaped"),
        (b'"x":"a\nb"', "$.x", "x: the control character U+000A is not escaped"),
        (b'"x":["a\x00b"]', "$.x", "x: the control character U+0000 is not escaped"),
        (b'"x":"C:\\x"', "$.x", r"x: the escape '\\x' is none of JSON"),
        (b'"x":"\\u12G4"', "$.x", r"x: the escape '\\u' is none of JSON"),
        (b'"x":"it\\\'s"', "$.x", 'x: the escape "\\\\\'" is none of JSON'),
        (b'"x":"\\X"', "$.x", r"x: the escape '\\X' is none of JSON"),
        (b'"x":"\\udc00"', "$.x", "x: half of a surrogate pair"),
        (b'"x":"\\n\\udc00"', "$.x", "x: half of a surrogate pair"),
        (b'"x":NaN', "$.x", "x: 'NaN' is no JSON value"),
        (b'"x":{"y":[-Infinity]}', "$.x", "x: '-Infinity' is no JSON value"),
        (b'"x":undefined', "$.x", "x: 'undefined' is no JSON value"),
        (b'"x":None', "$.x", "x: 'None' is no JSON value"),
        (b'"x":007', "$.x", "x: '007' is no JSON value"),
        (b'"x":.5', "$.x", "x: '.5' is no JSON value"),
        (b'"x":+5', "$.x", "x: '+5' is no JSON value"),
        (b'"x":', "$.x", "x: the value is missing"),
        (b'"x":,"y":1', "$.x", "x: the value is missing"),
        (b'"x":[1,]', "$.x", "x: JSON is malformed: trailing comma in array (byte 3)"),
        (b'"x":[";",]', "$.x", "x: JSON is malformed: trailing comma in array (byte 5)"),
        (b'"y":%b,"x":NaN' % (b"[" * 99 + b"]" * 99), "$.x", "x: 'NaN' is no JSON value"),
        (b'"x":"\xff"', "$.x", "x: not UTF-8"),
        (b'"s p":NaN', "$['s p']", "'s p': 'NaN' is no JSON value"),
        (b'"a\tb":1', "$['a\\tb']", r"'a\tb': the control character U+0009 is not escaped"),
        (b'"x":1,', "$", "JSON is malformed: trailing comma in object (byte 38)"),
    ],
)
def test_one_unreadable_field(member, path, fault, size):
    """
    An element that is no JSON is set aside with its SKU, where its borders are
    certain.
    """
    others = [GOOD % n for n in range(40)]
    raw = item(member)
    body = b"[" + b",".join([*others[:20], raw, *others[20:]]) + b"]"

    found = read(body, size)

    bad = found.pop(20)
    assert found == [*map(decode_item, others)]
    assert isinstance(bad, InvalidItem)
    assert (bad.sku, bad.path, bad.raw) == ("A", path, raw)
    assert bad.reason == f"Item is not readable: {fault}"


def test_unreadable_sku():
    """
    A SKU that no store can keep is not told with what is set aside.
    """
    raw = b'{"sku":"A\\u0000","name":"a","price":1,"x":NaN}'

    (bad,) = read(b"[" + raw + b"]")

    assert (bad.sku, bad.reason) == (None, "Item is not readable: x: 'NaN' is no JSON value")


def test_unreadable_list():
    """
    A list among items is none, whatever is in it.
    """
    first, bad, last = read(b"[%b,[NaN],%b]" % (GOOD % 1, GOOD % 2))

    assert (first.sku, last.sku) == ("1", "2")
    assert bad.reason == "Item is not an object"


@pytest.mark.parametrize(
    "member",
    [
        b'"x":"7" nail"',
        b'"x":"7"","y":1',
        b'"x":"C:\\","y":1',
        b'"x" 1',
        b'"x":1 "y":2',
        b'"x":[1}',
        b'"x":[{"y":"7" nail"}]',
        b"x:1",
        b'"x":1 2',
    ],
)
def test_no_border_is_guessed(member):
    """
    Where a quotation mark, a comma or a bracket is wrong, it is not certain
    where an element ends: the catalogue is refused, and no item skipped.
    """
    body = b"[" + b",".join([GOOD % 1, item(member), *(GOOD % n for n in range(40))]) + b"]"

    with pytest.raises(DecodeError):
        read(body)


@pytest.mark.case(
    "A6",
    "`category` or `description` of a wrong type",
    "the item is read, and the value is kept in `extra`",
)
@pytest.mark.parametrize("key", ["category", "description"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"false", False),
        (b"7", 7),
        (b"1.50", Decimal("1.50")),
        (b'{"id":1}', {"id": 1}),
        (b"[]", []),
    ],
)
def test_optional_fields_of_a_wrong_type(key, text, value):
    """
    An optional field of a wrong type costs no item, and comes back as it was.
    """
    raw = item(b'"%b":%b,"x":1' % (key.encode(), text))

    (found,) = read(b"[" + raw + b"]")

    assert isinstance(found, Item)
    assert getattr(found, key) is None
    assert found.extra == {key: value, "x": 1}
    assert decode_item(encode_item(found)) == found


@pytest.mark.case(
    "A8",
    '`29.990000`, `1e2`, `"8.00000000"`',
    "zeros at the end are no decimals",
)
@pytest.mark.parametrize(
    ("text", "price"),
    [
        (b"29.990000", "29.990000"),
        (b'"8.00000000"', "8.00000000"),
        (b"29.949999999999999", "29.949999999999999"),
        (b"1e2", "1E+2"),
        (b"1e000000002", "1E+2"),
        (b"1.50e1", "15.0"),
        (b"2999E-2", "29.99"),
        (b"0e40", "0"),
        (b"0e-40", "0"),
        (b"-0.00", "0.00"),
        (b"0.00000000", "0E-8"),
        (b"5." + b"0" * 60, "5"),
        (b"1.25" + b"0" * 60, "1.25"),
        (b"-1.25" + b"0" * 60, "-1.25"),
    ],
)
def test_prices(text, price):
    """
    A price has the digits received, but for zeros that are too many.
    """
    raw = b'{"sku":"A","name":"a","price":%b}' % text

    (found,) = read(b"[" + raw + b"]")

    assert isinstance(found, Item)
    assert str(found.price) == price
    assert found == decode_item(raw)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"", "the price is missing"),
        (b"null", "the price is null"),
        (b"true", "the price is a boolean, not a number"),
        (b"[1]", "the price is a list, not a number"),
        (b'{"a":1}', "the price is an object, not a number"),
        (b'"free"', "not a plain number: 'free'"),
        (b'"1,50"', "not a plain number: '1,50'"),
        (b'"1e2"', "not a plain number: '1e2'"),
        (b"NaN", "not a plain number: 'NaN'"),
        (b"1e999", "more than 38 digits: 1e999"),
        (b"9" * 39, "more than 38 digits: " + "9" * 39),
        (b"1e-19", "more than 18 decimals: 1e-19"),
        (b"9" * 21 + b"." + b"1" * 18, "more than 38 digits: " + "9" * 21 + "." + "1" * 18),
        (b"9" * 60, "more than 38 digits: " + "9" * 60),
        (b"0.1234567890123456789", "more than 18 decimals: 0.1234567890123456789"),
        (b"9" * 5000, "more than 38 digits: " + "9" * 60 + "…"),
        (b"1." + b"3" * 5000, "more than 18 decimals: 1." + "3" * 58 + "…"),
    ],
)
def test_the_rule_that_a_price_breaks(text, detail):
    """
    An invalid price says which rule it breaks.
    """
    price = b',"price":' + text if text else b""

    (found,) = read(b'[{"sku":"A","name":"a"' + price + b"}]")

    assert (found.sku, found.path) == ("A", "$.price")
    assert (found.reason, found.detail) == ("Item has invalid price", detail)


@pytest.mark.case(
    "E18", "An item has two `price` keys", "the last one counts, however the item is decoded"
)
@pytest.mark.parametrize("more", [b"", b',"category":5'])
def test_a_key_that_is_given_twice(more):
    """
    Of two values under one key, the last one counts; a first one that is no
    price does not matter.
    """
    raw = b'{"sku":"A","name":"a","price":"free","price":2' + more + b"}"

    (found,) = read(b"[" + raw + b"]")

    assert (found.sku, found.price) == ("A", 2)
    assert found == decode_item(raw)


@pytest.mark.case(
    "A9",
    "A SKU that is a number, or has a NUL",
    "the error says so; only without one is it missing",
)
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (b'"name":"a"', "Item missing SKU"),
        (b'"sku":null,"name":"a"', "Item missing SKU"),
        (b'"sku":" ","name":"a"', "Item missing SKU"),
        (b'"sku":4711,"name":"a"', "SKU is a number, not a text"),
        (b'"sku":true,"name":"a"', "SKU is a boolean, not a text"),
        (b'"sku":["A"],"name":"a"', "SKU is a list, not a text"),
        (b'"sku":{},"name":"a"', "SKU is an object, not a text"),
        (b'"sku":"A\\u0000","name":"a"', "SKU contains a NUL"),
        (b'"sku":"A"', "Item missing name"),
        (b'"sku":"A","name":""', "Item missing name"),
        (b'"sku":"A","name":47.11', "Name is a number, not a text"),
        (b'"sku":"A","name":"a\\u0000"', "Name contains a NUL"),
    ],
)
def test_texts_that_an_item_must_have(members, reason):
    """
    A SKU and a name that are there, and are no texts, are not called missing.
    """
    (found,) = read(b"[{" + members + b',"price":1}]')

    assert found.reason == reason
