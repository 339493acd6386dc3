"""
What the codec says, word for word: people search for it.
"""

import json

import pytest

from conexxus_client import (
    ApiProfile,
    DecodeError,
    EnvelopeError,
    InvalidItem,
    Item,
    decode_extra,
    decode_item,
)
from conexxus_client._codec import CatalogReader, Envelope, decode_json, excerpt
from conexxus_client._codec._catalog_window import WindowDecoder
from conexxus_client._codec._envelope import MAX_CURSOR, MAX_FIELD
from conexxus_client._codec._plain_items import PlainItems


def unreadable(what: str) -> str:
    return f"Item is not readable: {what}"


def read(body: bytes) -> CatalogReader:
    reader = CatalogReader(ApiProfile())
    reader.feed(body)
    reader.close()
    return reader


def pieces_of(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def elements_of(decoder: WindowDecoder, array: bytes) -> list[Item | InvalidItem]:
    decoded = decoder.decode(array)
    return decoded.items() if isinstance(decoded, PlainItems) else decoded


def read_elements(body: bytes) -> list[Item | InvalidItem]:
    reader = CatalogReader(ApiProfile())
    return [it for window in reader.feed(body) + reader.close() for it in window.elements]


@pytest.mark.parametrize(
    ("raw", "reason", "path", "sku"),
    [
        (b'{"sku":"A","name":"\xff","price":1}', unreadable("name: not UTF-8"), "$.name", "A"),
        (b'{"sku":"\xff","name":"a","price":1}', unreadable("sku: not UTF-8"), "$.sku", None),
        (
            b'{"sku":"\\ud800","name":"a","price":1}',
            unreadable("sku: half of a surrogate pair"),
            "$.sku",
            None,
        ),
        (
            b'{"sku":"\\uffff","name":"\xff","price":1}',
            unreadable("name: not UTF-8"),
            "$.name",
            "\uffff",
        ),
        (b'{"name":"\xff","price":1}', unreadable("name: not UTF-8"), "$.name", None),
        (b'{"sku":5,"name":"\xff"}', unreadable("name: not UTF-8"), "$.name", None),
        (b'"\xff"', "Item is not an object", "$", None),
        (b'{"sku":"A","name":"a","price":NaN}', "Item has invalid price", "$.price", "A"),
        (b'{"sku":"\xff","name":"a","price":NaN}', "Item has invalid price", "$.price", None),
        (
            b'{"sku":"A","x":' + b"[" * 101 + b"]" * 101 + b"}",
            "Item is nested too deeply",
            "$.x",
            "A",
        ),
        (b'{"sku":"A","x":' + b"[" * 99 + b"]" * 99 + b"}", "Item missing name", "$.name", "A"),
        (
            b'{"sku":"A","x":1e99999999999999999999}',
            unreadable("x: a number is out of range"),
            "$.x",
            "A",
        ),
        (b'{"sku":"a","name":"\xff","price":1.5}', unreadable("name: not UTF-8"), "$.name", "a"),
        (
            b'{"sku":"\\udfff","name":"\xff","price":1}',
            unreadable("sku: half of a surrogate pair"),
            "$.sku",
            None,
        ),
        (
            b'{"sku":"A","name":"a","price":1,"category":"\\u0000"}',
            "Item has invalid category",
            "$.category",
            "A",
        ),
        (
            b'{"sku":"A","name":"a","price":1,"description":"\\u0000"}',
            "Item has invalid description",
            "$.description",
            "A",
        ),
    ],
)
def test_items(raw, reason, path, sku):
    """
    An element that can't be used says why, where, and whose it is.
    """
    bad = InvalidItem(raw=raw, reason=reason, path=path, sku=sku)

    assert decode_item(raw) == bad
    assert read_elements(b"[%s]" % raw) == [bad]


@pytest.mark.parametrize("key", ["sku", "name", "category", "description"])
def test_no_text_has_a_nul(key):
    """
    A NUL costs its item, among others, too: not every store has room for it.
    """
    good = {"sku": "A", "name": "a", "price": 1, "category": "c", "description": "d"}
    good, bad = (json.dumps(fields).encode() for fields in (good, good | {key: "x\0"}))

    found = elements_of(WindowDecoder(), b"[%s,%s,%s]" % (good, bad, good))

    assert [type(it) for it in found] == [Item, InvalidItem, Item]


@pytest.fixture
def slow(monkeypatch):
    """
    The elements that take the slow way.
    """
    seen = []

    def decode_slowly(raw):
        seen.append(raw)
        return decode_item(raw)

    monkeypatch.setattr("conexxus_client._codec._catalog_window.decode_item", decode_slowly)
    return seen


def with_keys(*keys):
    return json.dumps([{"sku": "A", "name": "a", "price": 1, **dict.fromkeys(keys, 7)}]).encode()


def test_keys_are_learned(slow):
    """
    Keys that nobody knows cost time once; none is forgotten for another.
    """
    decoder = WindowDecoder()

    for keys in ((), ("b",), ("c", "d"), ("b", "c", "d"), ("d",)):
        (found,) = elements_of(decoder, with_keys(*keys))
        assert found.extra == dict.fromkeys(keys, 7)

    assert slow == []


def test_keys_are_learned_within_reason(slow, monkeypatch):
    """
    Up to a bound: more of them are data in the wrong place, and go the slow
    way, every time.
    """
    monkeypatch.setattr("conexxus_client._codec._catalog_window.MAX_LEARNED_KEYS", 3)
    decoder = WindowDecoder()

    for keys, slowly in (("ab", 0), ("cd", 1), ("c", 1), ("abc", 1), ("d", 2), ("d", 3)):
        (found,) = elements_of(decoder, with_keys(*keys))
        assert (found.extra, len(slow)) == (dict.fromkeys(keys, 7), slowly)


@pytest.mark.parametrize("key", ['a"b', "a\\b", "a\tb", "\x7f", ""])
def test_odd_keys(key):
    """
    A key of any text is kept.
    """
    (found,) = elements_of(WindowDecoder(), with_keys(key, "plain"))

    assert found.extra == {key: 7, "plain": 7}


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
            b'{"success":,"data":[]}',
            DecodeError,
            (
                "the catalogue is no valid JSON: expected a value after the colon, "
                "found ',\"data\":[]}'"
            ),
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
        (
            b"{}x",
            DecodeError,
            "the catalogue is no valid JSON: expected nothing after the catalogue, found 'x'",
        ),
        (
            b'{"a":1}x',
            DecodeError,
            "the catalogue is no valid JSON: expected nothing after the catalogue, found 'x'",
        ),
        (
            b'{"a":[1,}]}',
            DecodeError,
            "not readable as JSON: JSON is malformed: invalid character (byte 3); found '[1,}'",
        ),
        (
            b'{"a":tru',
            DecodeError,
            "not readable as JSON: Input data was truncated; found 'tru'",
        ),
        (b"{}", EnvelopeError, "the back office did not say success"),
        (
            b'{"success":false,"error":"%s"}' % (b"x" * 201),
            EnvelopeError,
            f"the back office did not say success: {'x' * 199}…",
        ),
        (
            b'{"success":false,"error":"closed"}',
            EnvelopeError,
            "the back office did not say success: closed",
        ),
        (
            b'{"success":false,"detail":"later","message":"closed"}',
            EnvelopeError,
            "the back office did not say success: closed",
        ),
        (
            b'{"success":false,"detail":"later"}',
            EnvelopeError,
            "the back office did not say success: later",
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
            (
                "the envelope's 'total' is not understood: 'many'. "
                "Set ApiProfile.total_key to the key that is meant, or to an empty one"
            ),
        ),
        (
            b'{"success":true,"data":[],"total":true}',
            EnvelopeError,
            (
                "the envelope's 'total' is not understood: 'True'. "
                "Set ApiProfile.total_key to the key that is meant, or to an empty one"
            ),
        ),
        (
            b'{"success":true,"data":[],"nextCursor":[5]}',
            EnvelopeError,
            (
                "the envelope's 'nextCursor' is not understood: '[5]'. "
                "Set ApiProfile.next_cursor_key to the key that is meant, or to an empty one"
            ),
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


@pytest.mark.case(
    "B7", "A comma after the last item, or one too many", "the error says what was expected there"
)
@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (b"[%b,]", "an item after the comma, found ']'"),
        (b"[%b, ]", "an item after the comma, found ']'"),
        (b"[%b,,%b]", "an item after the comma, found ','"),
        (b"[,%b]", "an item, found ',"),
    ],
)
def test_commas(items, expected, size):
    """
    A comma that is too many is named, in an array and in an envelope.
    """
    one = b'{"sku":"A","name":"a","price":1}'

    for body in (items, b'{"success":true,"data":' + items + b"}"):
        body = body.replace(b"%b", one)
        reader = CatalogReader(ApiProfile(), window=1)
        with pytest.raises(DecodeError) as info:
            [*map(reader.feed, pieces_of(body, size)), reader.close()]
        assert f"the catalogue is no valid JSON: expected {expected}" in str(info.value)


def test_envelopes():
    """
    Cursor and total are read; empty ones are none.
    """
    full = read(b'{"total":0,"nextCursor":"c","x":1,"data":[],"success":true}')
    empty = read(b'{"total":null,"nextCursor":"","data":[],"success":true}')

    assert full.envelope == Envelope(next_cursor="c", total=0)
    assert empty.envelope == Envelope()


@pytest.mark.parametrize(
    ("field", "cursor"),
    [
        ("2", "2"),
        ("0", "0"),
        ("2.0", "2"),
        ("2.50", "2.50"),
        ("1e17", "1" + "0" * 17),
        ('"2"', "2"),
        (f'"{"c" * MAX_CURSOR}"', "c" * MAX_CURSOR),
        ('"c"', "c"),
        ('""', None),
        ("false", None),
        ("null", None),
    ],
)
def test_cursors(field, cursor):
    """
    A cursor may be a number; false, like null and an empty text, is none.
    """
    body = f'{{"success":true,"data":[],"nextCursor":{field}}}'.encode()

    assert read(body).envelope == Envelope(next_cursor=cursor)


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("true", "is not understood: 'True'"),
        ("[2]", "is not understood: '[2]'"),
        ("1e18", "is not understood: '1E+18'"),
        ("1e-18", "is not understood: '1E-18'"),
        (f'"{"c" * (MAX_CURSOR + 1)}"', "passes 8192 bytes"),
        (f'"{"c" * MAX_FIELD}"', "passes 8192 bytes"),
    ],
)
def test_what_is_no_cursor(field, fault):
    """
    What is no text that fits into an address is refused, with its key and the
    setting that changes it.
    """
    with pytest.raises(EnvelopeError) as info:
        read(f'{{"success":true,"data":[],"nextCursor":{field}}}'.encode())

    assert f"the envelope's 'nextCursor' {fault}. Set ApiProfile.next_cursor_key" in str(info.value)


@pytest.mark.parametrize(
    ("field", "total"),
    [
        ("6", 6),
        ('"6"', 6),
        ('" 6 "', 6),
        ("6.0", 6),
        ("6e0", 6),
        ("9" * 18, 10**18 - 1),
        ('""', None),
    ],
)
def test_totals(field, total):
    """
    A total may be a number, or a text of digits.
    """
    body = f'{{"success":true,"data":[],"total":{field}}}'.encode()

    assert read(body).envelope == Envelope(total=total)


@pytest.mark.parametrize(
    "field", ["-1", "6.5", '"6.0"', '"six"', '"\\u0666"', "1e30", "9" * 19, "[6]", "{}", "true"]
)
def test_what_is_no_total(field):
    """
    Anything else is refused, with its key and the setting that changes it.
    """
    with pytest.raises(EnvelopeError, match=r"'total' is not understood: .* ApiProfile.total_key"):
        read(f'{{"success":true,"data":[],"total":{field}}}'.encode())


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
    assert excerpt(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\xff", "not readable as JSON: JSON is malformed: invalid character (byte 0)"),
        (b'"\xff"', "not readable as JSON: not UTF-8"),
        (b"1e99999999999999999999", "not readable as JSON: a number is out of range"),
        (b"[" * 101, "nested deeper than 100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested deeper than 100 levels"),
        ('"\ud800"', "not readable as JSON: not UTF-8"),
    ],
)
def test_json(raw, text):
    """
    What is no JSON says why.
    """
    with pytest.raises(DecodeError) as info:
        decode_json(raw)

    assert str(info.value) == f"{text}; found {excerpt(raw)}"


def test_deepest_json():
    """
    A hundred levels are read, however many lists there are.
    """
    below = b"[" * 99 + b"]" * 99

    assert decode_json(b"[%s,[],[]]" % below) == [json.loads(below), [], []]


def test_extras():
    """
    An extra is an object.
    """
    with pytest.raises(DecodeError) as info:
        decode_extra("[1]")

    assert str(info.value) == "expected a JSON object, found list"
