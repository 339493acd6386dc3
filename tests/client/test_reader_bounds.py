"""
What is too large in a catalogue: however its bytes arrive, the same is made of it.
"""

import hashlib

import pytest

from conexxus_client import (
    ApiProfile,
    DecodeError,
    InvalidItem,
    Item,
    ResponseTooLargeError,
    decode_item,
)
from conexxus_client._codec import CatalogReader, _catalog_reader
from conexxus_client._codec._item_faults import MAX_ELEMENT


GOOD = b'{"sku":"%d","name":"good","price":1}'
# As TCP cuts a body, as a proxy does, at once, and in odd pieces.
PIECES = [1_460, 65_536, 10**8, 333_333]


def read(body, size, **options):
    reader = CatalogReader(ApiProfile(), **options)
    windows = []
    for at in range(0, len(body), size):
        windows += reader.feed(body[at : at + size])
    windows += reader.close()
    return [it for window in windows for it in window.elements]


def picture(size, sku=b"P"):
    """
    An item of *size* bytes.
    """
    head, tail = b'{"sku":"%b","picture":"' % sku, b'","name":"p","price":2}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


def among_others(*elements):
    return b"[" + b",".join([GOOD % 1, *elements, GOOD % 2]) + b"]"


@pytest.mark.case(
    "A7", "One value of 1.5 MB, in pieces of any size", "its item is set aside, and no other"
)
@pytest.mark.parametrize("size", PIECES)
def test_a_large_item_is_set_aside(size):
    """
    An item that is too large is set aside with its SKU and its largest field;
    the others are read.
    """
    first, large, last = read(among_others(picture(1_500_000)), size)

    assert isinstance(first, Item)
    assert isinstance(last, Item)
    assert isinstance(large, InvalidItem)
    assert (large.sku, large.path) == ("P", "$.picture")
    assert large.reason == "Item is larger than 1,048,576 bytes: picture has 1,499,957"
    assert large.raw == picture(1_500_000)[: len(large.raw)]
    assert len(large.raw) == 4096
    digest = hashlib.sha256(picture(1_500_000)).hexdigest()[:32]
    assert large.detail == f"at most 1,048,576 bytes; it has 1,500,000, with the SHA-256 {digest}"
    assert large == decode_item(picture(1_500_000))


@pytest.mark.parametrize(
    ("raw", "reason", "path"),
    [
        (b'["%b"]' % (b"x" * 1_200_000), "Item is larger than 1,048,576 bytes", "$"),
        (
            b'{"a b":["%b"],"c":"x"}' % (b"x" * 1_200_000),
            "Item is larger than 1,048,576 bytes: 'a b' has 1,200,004",
            "$['a b']",
        ),
        (
            b'{"a":"%b","":"","b":"%b"}' % (b"x" * 600_000, b"y" * 600_000),
            "Item is larger than 1,048,576 bytes: a has 600,002",
            "$.a",
        ),
    ],
    ids=["no object", "a list", "two of one size"],
)
def test_what_makes_an_element_large(raw, reason, path):
    """
    Its largest field is named, the first of several; a list has none.
    """
    _, large, _ = read(among_others(raw), 65_536)

    assert (large.reason, large.path, large.sku) == (reason, path, None)
    assert large == decode_item(raw)


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        (b'"', "it has no end"),
        (b'",', "it has no end"),
        (b"", "a text without an end where a value is expected"),
        (b'","a"}', "'}' where ':' is expected"),
        (b'","a",', "',' where ':' is expected"),
        (b'" 1}', "a number or a word where ',' is expected"),
        (b'" "y"}', "a text where ',' is expected"),
        (b'"]', "']' where ',' is expected"),
        (b'",:', "':' where a key is expected"),
    ],
)
def test_a_large_element_without_borders(end, fault):
    """
    Where its very structure is broken, its end may be elsewhere: nothing is
    set aside.
    """
    with pytest.raises(DecodeError) as info:
        decode_item(b'{"x":"%b' % (b"x" * MAX_ELEMENT) + end)

    assert str(info.value) == f"not readable as JSON: {fault}"


@pytest.mark.parametrize("size", PIECES)
def test_the_bound_is_that_of_the_item(size):
    """
    An item of exactly the bound is read, and one of a byte more is not.
    """
    found = read(among_others(picture(MAX_ELEMENT), picture(MAX_ELEMENT + 1, b"Q")), size)

    assert [(it.sku, isinstance(it, Item)) for it in found] == [
        *(("1", True), ("P", True), ("Q", False), ("2", True))
    ]


@pytest.mark.parametrize("size", [7, 100, 10**8])
@pytest.mark.parametrize("value", [b'"' + b"x" * 2000, b"9" * 2000, b'{"a":"' + b"x" * 2000])
@pytest.mark.parametrize("start", [b"[", b'[{"x":', b'{"data":', b'{"x":'])
def test_a_value_without_an_end(monkeypatch, start, value, size):
    """
    A value that never ends is refused at a bound, before it fills the memory.
    """
    monkeypatch.setattr(_catalog_reader, "MAX_VALUE", 1000)

    with pytest.raises(ResponseTooLargeError, match="one value of the catalogue passes 1000 bytes"):
        read(start + value, size, window=1)


@pytest.mark.parametrize("size", [7, 10**8])
@pytest.mark.parametrize("rest", [b"x" * 2000 + b'":1}', b'":' + b" " * 2000, b'"' + b" " * 2000])
def test_a_key_without_an_end(monkeypatch, rest, size):
    """
    Neither may a key be larger than that, nor the blanks after it.
    """
    monkeypatch.setattr(_catalog_reader, "MAX_FIELD", 1000)
    monkeypatch.setattr(_catalog_reader, "MAX_SPACE", 1000)

    with pytest.raises((ResponseTooLargeError, DecodeError), match=r"1000 bytes|white space"):
        read(b'{"' + rest, size, window=1)


@pytest.mark.parametrize("size", PIECES)
def test_what_is_not_needed_may_be_large(size):
    """
    A value beside the items that nothing is asked for is passed over.
    """
    meta = b'{"facets":"' + b"x" * 1_500_000 + b'"}'
    body = b'{"meta":%b,"data":[%b],"success":true}' % (meta, GOOD % 1)

    assert [it.sku for it in read(body, size)] == ["1"]


@pytest.mark.parametrize("size", PIECES)
def test_white_space_is_counted_in_any_pieces(size):
    """
    White space of more than the bound is refused, also if items follow.
    """
    body = b"[" + GOOD % 1 + b"," + b" " * 1_500_000 + GOOD % 2 + b"]"

    with pytest.raises(DecodeError, match="bytes of white space"):
        read(body, size)


def test_bytes_without_an_item(monkeypatch):
    """
    An envelope that never comes to its items is refused at a bound.
    """
    monkeypatch.setattr(_catalog_reader, "MAX_BARREN", 1000)
    members = b",".join(b'"k%d":%d' % (n, n) for n in range(200))

    with pytest.raises(ResponseTooLargeError, match="1000 bytes of the catalogue have no item"):
        read(b"{" + members + b',"data":[]}', 50)
