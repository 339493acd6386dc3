"""
The streaming reader of catalogues.
"""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import (
    ApiProfile,
    DecodeError,
    EnvelopeError,
    InvalidItem,
    Item,
    ResponseTooLargeError,
    decode_item,
    encode_item,
)
from conexxus_client._codec import CatalogReader


PROFILE = ApiProfile()

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
words = texts.filter(str.strip)
prices = st.decimals(
    min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=4
) | st.decimals(min_value=0, max_value=10**5, allow_nan=False, allow_infinity=False, places=2)
plain = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-100, max_value=100)
    | texts
)
json_values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
extras = st.dictionaries(
    texts.filter(lambda key: key not in ("sku", "name", "price", "category", "description")),
    json_values,
    max_size=3,
)
items = st.builds(
    Item,
    sku=words,
    name=words,
    price=prices,
    category=st.none() | texts,
    description=st.none() | texts,
    extra=st.just({}) | extras,
)
# Every JSON value that is no item, as a back office might slip it in.
misfits = st.sampled_from(
    [b"null", b"5", b'"},{"', b"[]", b'[{"sku":1},{"sku":2}]', b"{}", b'{"sku":"A"}', b"true"]
)


def read(
    body: bytes, sizes: list[int] | None = None, window: int = 1
) -> tuple[list[Item | InvalidItem], CatalogReader]:
    """
    Feed *body* in pieces of *sizes*, over and over.
    """
    reader = CatalogReader(PROFILE, window=window)
    found, at, n = [], 0, 0
    sizes = sizes or [len(body) or 1]

    while at < len(body):
        size = sizes[n % len(sizes)]
        found += reader.feed(body[at : at + size])
        at, n = at + size, n + 1

    return [element for window in found + reader.close() for element in window.elements], reader


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[bytes, list[Item | bytes]]:
    """
    A body in any of the shapes that it may come in, and what is in it.
    """
    elements = draw(st.lists(items | misfits, max_size=8))
    space = draw(st.sampled_from([b"", b" ", b"\n  ", b"\r\n\t"]))
    parts = [encode_item(e) if isinstance(e, Item) else e for e in elements]
    array = b"[" + space + (space + b"," + space).join(parts) + space + b"]"

    if draw(st.booleans()):
        return array, elements

    fields = [
        b'"data"' + space + b":" + space + array,
        b'"success":true',
        b'"timestamp":"2026-01-02T10:00:00Z"',
        b'"total":%d' % len(elements),
        b'"meta":{"a":[{"sku":"x"},{"sku":"y"}],"b":"},{"}',
    ]
    order = draw(st.permutations(fields))

    return b"{" + space + (b"," + space).join(order) + space + b"}", elements


@given(catalogues(), st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 200))
def test_borders(catalogue, sizes, window):
    """
    However the body is cut up, and however large the window is, the same
    elements come out, in order, none missing.
    """
    body, elements = catalogue

    found, reader = read(body, sizes, window)

    assert reader.count == len(elements)
    assert [e.raw if isinstance(e, InvalidItem) else e for e in found] == elements


@given(catalogues())
def test_digest(catalogue):
    """
    The digest depends on the items' bytes, not on how they were cut up.
    """
    body, _ = catalogue
    whole, pieces = CatalogReader(PROFILE), CatalogReader(PROFILE, window=1)

    whole.feed(body)
    whole.close()
    for at in range(len(body)):
        pieces.feed(body[at : at + 1])
    pieces.close()

    assert whole._digest.digest() == pieces._digest.digest()


@given(catalogues(), st.data())
def test_truncation(catalogue, data):
    """
    A body that ends early is refused, wherever it ends.
    """
    body, _ = catalogue
    end = data.draw(st.integers(0, len(body.rstrip()) - 1))

    with pytest.raises((DecodeError, EnvelopeError)):
        read(body[:end], [7])


@pytest.mark.fault(
    "P15b", "A window's border, or the end, at every byte", "the same items, or a named error"
)
def test_every_truncation_and_every_border_of_one_body():
    """
    The same, for every single byte of a body with everything in it.
    """
    body = (
        b'{"success":true,"data":[{"sku":"A,\\"}{]","name":"\xc3\xa4","price":1.50,"x":[{"y":1},'
        b'{"y":2}]},\n {"sku":"B","name":"b","price":"2.00"},null],"total":3}'
    )
    whole, _ = read(body)

    for at in range(len(body)):
        assert read(body, [at + 1, 1_000])[0] == whole
        with pytest.raises((DecodeError, EnvelopeError)):
            read(body[:at])


@given(
    st.binary(max_size=60) | st.text(alphabet='[]{}",:\\ 01eE.-tfn', max_size=40).map(str.encode)
)
def test_garbage(body):
    """
    Whatever comes, the outcome is a catalogue or a named error.
    """
    try:
        read(body, [3])
    except (DecodeError, EnvelopeError):
        return

    # The standard library, laxer than the RFC, has to agree.
    json.loads(body.decode("utf-8-sig", "replace"))


@pytest.mark.parametrize("body", [b"", b"  \n ", b"\xef\xbb\xbf"])
def test_empty_answer(body):
    """
    An empty answer is an error, never an empty catalogue.
    """
    with pytest.raises((EnvelopeError, DecodeError)):
        read(body)


@pytest.mark.parametrize("body", [b"[]", b'{"data":[],"success":true}', b"\xef\xbb\xbf[]"])
def test_empty_catalogue(body):
    """
    An empty list is an empty catalogue; whether to believe it is decided
    elsewhere.
    """
    assert read(body)[0] == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"success":false,"error":"closed for inventory"}',
        b'{"success":"true","data":[]}',
        b'{"data":[]}',
        b'{"success":true}',
        b'{"success":true,"data":null}',
        b'{"success":true,"data":true}',
        b'{"success":true,"data":{}}',
        b'{"success":true,"data":[],"data":[]}',
        b'{"success":true,"data":[],"data":null}',
        b'{"data":[{"sku":"A","name":"a","price":1}],"success":false}',
        b'{"success":true,"data":[],"total":"many"}',
        b'{"success":true,"data":[],"nextCursor":[5]}',
    ],
)
def test_unsuccessful_envelope(body):
    """
    An envelope that does not say success, or has no list, is refused.
    """
    with pytest.raises(EnvelopeError):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please log in</html>",
        '[{"sku":"A"}]'.encode("utf-16"),
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1]]",
        b"[] x",
        b'{"success":true,}',
        b'{"success" true}',
        b'{success:true,"data":[]}',
        b'[{"sku":"A" "name":"a"}]',
        b"[nul]",
        b"[01]",
        b'[{"a":[}]}]',
        b'"data"',
    ],
)
def test_no_json(body):
    """
    A body that is no JSON is refused, and shown a little.
    """
    with pytest.raises(DecodeError):
        read(body)


@pytest.mark.fault(
    "N21", "A captive portal's page for a catalogue", "the error shows how it begins"
)
def test_error_shows_what_was_found():
    """
    A captive portal can be recognised by the message.
    """
    with pytest.raises(DecodeError, match="an HTML page: Please log in"):
        read(b"<html>Please log in</html>")


def test_nested_lists_of_objects_stay_fast():
    """
    Objects inside an item do not look like the next item.
    """
    one = b'{"sku":"%d","name":"n","price":1.00,"tags":[{"k":1},{"k":2}]}'
    body = b"[" + b",".join(one % n for n in range(5_000)) + b"]"
    reader = CatalogReader(PROFILE)
    scanned = []
    scan, reader._take_single = reader._take_single, lambda: scanned.append(1) or scan()

    for at in range(0, len(body), 65_536):
        reader.feed(body[at : at + 65_536])
    reader.close()

    assert reader.count == 5_000
    assert scanned == []


def test_one_huge_value():
    """
    A value that never ends is refused before it fills the memory.
    """
    reader = CatalogReader(PROFILE)
    reader.feed(b'[{"sku":"')

    with pytest.raises(ResponseTooLargeError):
        list(map(reader.feed, [b"A" * 100_000] * 200))


OBJECT, SKU, NAME, PRICE, CATEGORY = (
    "Item is not an object",
    "Item missing SKU",
    "Item missing name",
    "Item has invalid price",
    "Item has invalid category",
)


@pytest.mark.parametrize(
    ("raw", "reason", "path", "sku"),
    [
        (b"null", OBJECT, "$", None),
        (b"[]", OBJECT, "$", None),
        (b'"x"', OBJECT, "$", None),
        (b'{"name":"a","price":1}', SKU, "$.sku", None),
        (b'{"sku":"","name":"a","price":1}', SKU, "$.sku", None),
        (b'{"sku":"  ","name":"a","price":1}', SKU, "$.sku", None),
        (b'{"sku":5,"name":"a","price":1}', "SKU is a number, not a text", "$.sku", None),
        (b'{"sku":null,"name":"a","price":1}', SKU, "$.sku", None),
        (b'{"sku":"A","price":1}', NAME, "$.name", "A"),
        (b'{"sku":"A","name":null,"price":1}', NAME, "$.name", "A"),
        (b'{"sku":"A","name":"a\\u0000","price":1}', "Name contains a NUL", "$.name", "A"),
        (b'{"sku":"A","name":"a"}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":null}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":true}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":NaN}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":-Infinity}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":"NaN"}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":"Infinity"}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":" 1.5_0 "}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":"1e999999999"}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":1e999}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":1e99999999999999999999}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":"free"}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":[1]}', PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":' + b"9" * 5000 + b"}", PRICE, "$.price", "A"),
        (b'{"sku":"A","name":"a","price":1,"category":"\\u0000"}', CATEGORY, "$.category", "A"),
    ],
)
def test_reasons(raw, reason, path, sku):
    """
    What is wrong with an item is said in the documented words, with its
    path, its SKU if it can be read, and the item as it came.
    """
    found, _ = read(b'[{"sku":"G","name":"good","price":1},' + raw + b"]")

    assert found[1] == InvalidItem(raw=raw, reason=reason, path=path, sku=sku)
    assert isinstance(found[0], Item)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"sku":"A","name":"\xff","price":1}',
        b'{"sku":"A","name":"\\ud800","price":1}',
        b'{"sku":"A","name":"a","price":1,"x":' + b"9" * 5000 + b"}",
        b'{"sku":"A","name":"a","price":1,"x":1e99999999999999999999}',
        b'{"sku":"A","name":"a","price":1,"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_one_unreadable_item(raw):
    """
    Bad UTF-8, a lone surrogate, an absurd number or nesting cost one item,
    not the catalogue.
    """
    found, _ = read(b'[{"sku":"G","name":"good","price":1},' + raw + b"]")

    assert isinstance(found[0], Item)
    assert isinstance(found[1], InvalidItem)
    assert found[1].raw == raw


def test_extra_keys():
    """
    Keys that nobody knows are kept exactly, one called `extra` included.
    """
    raw = (
        b'{"sku":"A","name":"a","price":1,"extra":{"n":1.10},'
        b'"w eird":[1e2,null],"n":12345678901234567.89}'
    )

    found, _ = read(b"[" + raw + b"," + raw + b"]")

    assert found[0] == found[1] == decode_item(raw)
    assert found[0].extra == {
        "extra": {"n": Decimal("1.10")},
        "w eird": [Decimal("1e2"), None],
        "n": Decimal("12345678901234567.89"),
    }
    assert str(found[0].extra["extra"]["n"]) == "1.10"


def test_many_extra_keys():
    """
    A catalogue whose keys never end is read all the same.
    """
    raws = [b'{"sku":"%d","name":"a","price":1,"k%d":%d}' % (n, n, n) for n in range(200)]

    found, _ = read(b"[" + b",".join(raws) + b"]", [1_000])

    assert [item.extra for item in found] == [{f"k{n}": n} for n in range(200)]


@pytest.mark.fault("P13", "One bad item in 50,000", "the other 49,999")
def test_bad_item_among_many():
    """
    One bad item in 50,000 costs only itself.
    """
    good = b'{"sku":"%d","name":"n","price":1.00}'
    parts = [good % n for n in range(50_000)]
    parts[31_415] = b'{"sku":"31415","name":"n","price":"free"}'

    found, _ = read(b"[" + b",".join(parts) + b"]", [65_536], window=256 * 1024)

    bad = [element for element in found if isinstance(element, InvalidItem)]
    assert len(found) == 50_000
    assert [element.sku for element in bad] == ["31415"]
