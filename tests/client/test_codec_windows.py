"""
How the reader cuts a catalogue up, and what it gives out when.
"""

import hashlib
import json

import pytest

from conexxus_client import ApiProfile, DecodeError, InvalidItem, Item, ResponseTooLargeError
from conexxus_client._codec import CatalogReader, Envelope, _catalog_reader
from conexxus_client._codec._catalog_window import WindowDecoder
from conexxus_client._codec._json_scanner import value_end
from conexxus_client._codec._plain_items import PlainItems


PROFILE = ApiProfile()


@pytest.fixture
def decoded(monkeypatch):
    """
    What was taken for a window, and decoded.
    """
    arrays, decode = [], WindowDecoder.decode

    def counting(decoder, array):
        arrays.append(array)
        return decode(decoder, array)

    monkeypatch.setattr(WindowDecoder, "decode", counting)
    return arrays


def read(reader, body, size=1024):
    found = []
    for at in range(0, len(body), size):
        found += reader.feed(body[at : at + size])
    return [element for window in found + reader.close() for element in window.elements]


def catalogue(**more):
    rows = [{"sku": f"S{n:03}", "name": "x" * 20, "price": 1, **more} for n in range(1000)]
    return [row["sku"] for row in rows], rows


@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "indented"])
def test_windows_are_decoded_at_once(decoded, indent):
    """
    Items are decoded by the window.
    """
    skus, rows = catalogue()
    body = json.dumps(rows, indent=indent).encode()

    found = read(CatalogReader(PROFILE, window=4096), body)

    assert [element.sku for element in found] == skus
    assert len(decoded) <= len(body) / 4096 + 2


def test_wrong_guesses_are_few(decoded):
    """
    Where items contain what looks like items, every second guess is wrong.
    """
    skus, rows = catalogue(parts=[{"sku": 1}, {"sku": 2}])
    body = json.dumps(rows, separators=(",", ":")).encode()

    found = read(CatalogReader(PROFILE, window=4096), body)

    assert [element.sku for element in found] == skus
    assert len(decoded) <= 3 * (len(body) / 4096 + 2)


@pytest.mark.parametrize(("field", "missing"), [("sku", "SKU"), ("name", "name")])
@pytest.mark.parametrize("text", ["", " ", "\u2003"])
def test_a_blank_among_plain_items(field, missing, text):
    """
    Plain items are kept by the column; where one has no SKU or no name, it alone
    is set aside.
    """
    _, rows = catalogue()
    plain, unusual = (
        WindowDecoder().decode(json.dumps([rows[0], {**rows[1], **change}, rows[2]]).encode())
        for change in ({}, {field: text})
    )

    assert isinstance(plain, PlainItems)
    assert [type(element) for element in unusual] == [Item, InvalidItem, Item]
    assert unusual[1].reason == f"Item missing {missing}"


def test_nothing_before_the_window_is_full():
    """
    What is smaller than a window can be asked for again; what fills one is
    given out.
    """
    body = b'[{"sku":"A","name":"a","price":1}]'
    waiting, full = (CatalogReader(PROFILE, window=size) for size in (len(body) // 2 + 1, 5))

    assert waiting.feed(body) == []
    (window,) = full.feed(body)
    assert [type(element) for element in window.elements] == [Item]
    assert len(CatalogReader(PROFILE, window=1).feed(b"[5]    ")) == 1


def test_the_digest_is_about_the_items():
    """
    Their bytes, as they came; what the envelope says around them is not part
    of it.
    """
    items = b'{"sku":"A","name":"a","price":1}, {"sku":"B","name":"b","price":2}'
    bodies = [
        b"[" + items + b"]",
        b'{"success":true,"timestamp":"now","data":[' + items + b"]}",
        b'{"data":[' + items + b'],"success":true,"total":2}',
    ]

    for body in bodies:
        digest = hashlib.sha256()
        read(CatalogReader(PROFILE, digest), body)
        assert digest.digest() == hashlib.sha256(items).digest()


def test_a_reader_at_its_beginning():
    """
    Nothing is known before anything came.
    """
    reader = CatalogReader(PROFILE)

    assert (reader.envelope, reader.count) == (Envelope(), 0)


def test_largest_value(monkeypatch):
    """
    A value may be as large as the bound, and no larger.
    """
    monkeypatch.setattr(_catalog_reader, "MAX_VALUE", 100)
    reader = CatalogReader(PROFILE, window=1)

    reader.feed(b"[" + b'"' + b"x" * 99)
    with pytest.raises(ResponseTooLargeError) as info:
        reader.feed(b"x" * 101)

    assert str(info.value) == "one value of the catalogue passes 100 bytes"


def test_most_space(monkeypatch):
    """
    White space may go on up to a bound, in one piece or in many.
    """
    monkeypatch.setattr(_catalog_reader, "MAX_SPACE", 10)
    reader = CatalogReader(PROFILE, window=1)

    for piece in (b" " * 4, b" " * 6, b"[", b" " * 10):
        assert reader.feed(piece) == []
    with pytest.raises(DecodeError) as info:
        reader.feed(b" ")

    assert str(info.value) == "the catalogue is no JSON: 11 bytes of white space"


@pytest.mark.parametrize(
    ("buffer", "final", "end"),
    [
        (b"5,", False, 1),
        (b"5", False, None),
        (b"5", True, 1),
        (b"", True, None),
        (b",x", False, 0),
        (b'"a\\"]",', False, 6),
        (b'"a\\"', True, None),
        (b'[{"]":[]}]x', False, 10),
        (b"[[]", True, None),
    ],
)
def test_borders(buffer, final, end):
    """
    A value ends where it ends, whatever it says, or is not all there.
    """
    assert value_end(bytearray(buffer), final=final) == end
