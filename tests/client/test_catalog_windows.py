"""
Windows of a catalogue: rows for a store, and what need not be read again.
"""

import json
import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conexxus_client import (
    ApiProfile,
    CatalogWindow,
    DecodeError,
    EnvelopeError,
    InvalidItem,
    Item,
    ItemRow,
    decode_item,
    encode_extra,
)
from conexxus_client._codec import CatalogReader
from conexxus_client._codec._catalog_window import WindowDecoder, decoders
from conexxus_client._codec._plain_items import PlainItems


PROFILE = ApiProfile()


def object_of(members):
    """
    A JSON object of keys and texts that are JSON.
    """
    return "{" + ", ".join(f"{json.dumps(key)} : {value}" for key, value in members) + "}"


letters = st.characters(exclude_categories=["Cs"])
texts = st.text(letters, max_size=6)
numbers = st.sampled_from(
    ["0", "-0", "1", "-7", "1.50", "0.0000001", "1e5", "1E-2", "-0.0", "9" * 19, "12.345678"]
)
scalars = numbers | st.sampled_from(["true", "false", "null"]) | texts.map(json.dumps)
escaped = st.sampled_from([r'"\u00e9\/"', '"é"', r'"\\"', '"%s"', '"a\\nb"'])
values = st.recursive(
    scalars | escaped,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda them: f"[{', '.join(them)}]")
        | st.lists(inner, max_size=2).map(
            lambda them: object_of((f"k{2 - n}", it) for n, it in enumerate(them))
        )
    ),
    max_leaves=4,
)
keys = st.sampled_from(["b", "a", "%s", "é", "z z"])
raw_items = st.fixed_dictionaries(
    {
        "sku": texts.map(json.dumps),
        "name": texts.map(json.dumps),
        "price": numbers | st.sampled_from(['"1.50"', '"x"', "null"]),
    },
    optional={
        "category": st.just("null") | texts.map(json.dumps),
        "description": texts.map(json.dumps),
    },
)
raw_elements = st.tuples(raw_items, st.dictionaries(keys, values, max_size=3)).map(
    lambda parts: object_of((parts[0] | parts[1]).items())
)


def row_of(item: Item) -> ItemRow:
    extra = encode_extra(item.extra) if item.extra else None
    return item.sku, item.name, str(item.price), item.category, item.description, extra


@example(['{"sku" : "0", "name" : "0", "price" : 0.0000001}'])
@example(['{"sku" : "0", "name" : "0", "price" : -0}'])
@example([f'{{"sku" : "{it}", "name" : "0", "price" : {it}}}' for it in ("1", "-0.0", "-2")])
@given(st.lists(raw_elements, min_size=1, max_size=5))
def test_rows_and_elements(raws):
    """
    A window says of its items what `decode_item` says of each, in every digit
    and whichever way it takes; one that is no item makes it unusual.
    """
    expected = [decode_item(raw.encode()) for raw in raws]

    decoded = WindowDecoder().decode(f"[{', '.join(raws)}]".encode())

    if isinstance(decoded, PlainItems):
        assert [(it, str(it.price)) for it in decoded.items()] == [
            (it, str(it.price)) for it in expected
        ]
        assert list(zip(*decoded.columns(), strict=True)) == list(map(row_of, expected))
    else:
        assert decoded == expected


def with_extras(*extras):
    members = {"sku": '"A"', "name": '"a"', "price": "1.50"}
    return [object_of((members | extra).items()) for extra in extras]


@pytest.mark.parametrize(
    "extras",
    [
        ({"a": "1", "%s": '"%s"'}, {"a": "null", "%s": '"x%"'}),
        ({"a": "1", "b": '"x"'}, {}, {"b": "true", "é": "1.50"}),
        ({"a": "[1, 2.50]"}, {"a": '{"z": 1, "b": []}'}, {"a": r'"\u00e9"'}),
        ({"a": "[1]", "b": "1"}, {}, {"a": '{"z": 1.0}'}, {"b": '"y"'}),
        ({"a": '"X"'}, {"a": r'"X\n"'}, {}),
    ],
    ids=["each has all", "some have some", "lists and objects", "some of both", "escaped"],
)
def test_extras(extras):
    """
    Values of other keys are those of their item, and of no other.
    """
    raws = with_extras(*extras)
    expected = [decode_item(raw.encode()) for raw in raws]

    decoded = WindowDecoder().decode(f"[{', '.join(raws)}]".encode())

    assert isinstance(decoded, PlainItems)
    assert [it.extra for it in decoded.items()] == [it.extra for it in expected]
    assert list(zip(*decoded.columns(), strict=True)) == list(map(row_of, expected))


@given(st.lists(raw_elements, min_size=1, max_size=5))
def test_plain_items_are_recognised(raws):
    """
    Only a window with something else than items, or with a NUL, is unusual.
    """
    items = [decode_item(raw.encode()) for raw in raws]
    odd = any(isinstance(it, InvalidItem) for it in items) or any("\\u0000" in it for it in raws)

    decoded = WindowDecoder().decode(f"[{','.join(raws)}]".encode())

    assert odd or isinstance(decoded, PlainItems)


def body_of(items, separator=", "):
    return ("[" + separator.join(map(json.dumps, items)) + "]").encode()


def products(count=2000, **more):
    return [{"sku": f"S{n:04}", "name": f"Product {n}", "price": n, **more} for n in range(count)]


def read(body, size=10**6, **options):
    reader = CatalogReader(PROFILE, window=6000, **{"known": {}, **options})
    found = []
    for at in range(0, len(body), size):
        found += reader.feed(body[at : at + size])
    return [*found, *reader.close()]


def digests(items, **options):
    return [window.digest for window in read(body_of(items), **options)]


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_windows_are_cut_by_content(size):
    """
    Whatever pieces the body arrives in, its windows are the same.
    """
    assert digests(products(), size=size) == digests(products())


@pytest.mark.parametrize(
    "edit",
    [
        lambda items: items.insert(0, {"sku": "A", "name": "new", "price": 1}),
        lambda items: items.insert(200, {"sku": "A", "name": "new", "price": 1}),
        lambda items: items.pop(100),
        lambda items: items[300].update(price=7_000_000),
    ],
    ids=["inserted first", "inserted", "removed", "changed"],
)
def test_a_change_is_local(edit):
    """
    One item inserted, removed or changed makes one new window, or two.
    """
    items = products()
    before = set(digests(items))
    edit(items)

    after = digests(items)

    assert len(before) > 10
    assert 1 <= len([it for it in after if it not in before]) <= 2


@pytest.mark.parametrize("separator", [",", ", ", ",\n    ", " ,\r\n\t "])
def test_blanks_between_items(separator):
    """
    Whatever stands between two items is part of no border.
    """
    windows = read(body_of(products(), separator))

    assert len(windows) > 10
    assert [it.sku for window in windows for it in window.elements] == [
        it["sku"] for it in products()
    ]


def test_known_windows():
    """
    A known window is counted and not decoded, and the digest of the items is
    the same.
    """
    items = products()
    first = read(body_of(items))
    known = {window.digest: window.count for window in first[:-1]}
    reader = CatalogReader(PROFILE, window=6000, known=known)

    windows = [*reader.feed(body_of(items)), *reader.close()]

    assert [(it.digest, it.count) for it in windows] == [(it.digest, it.count) for it in first]
    assert [it.rows for it in windows[:-1]] == [[]] * (len(first) - 1)
    assert [it.elements for it in windows[:-1]] == [[]] * (len(first) - 1)
    assert windows[-1].rows == first[-1].rows
    assert reader.count == 2000


def test_a_broken_end_after_a_known_window():
    """
    What comes after a known window is looked at: a body that breaks off
    there is incomplete.
    """
    body = body_of(products())
    known = {window.digest: window.count for window in read(body)}

    with pytest.raises(DecodeError):
        read(body[:-1], known=known)
    with pytest.raises(DecodeError):
        read(body[:-1] + b",]", known=known)


def test_one_bad_item():
    """
    One bad item makes its window unusual, with all of its elements; the
    others have rows.
    """
    items = products()
    items[200]["price"] = "free"

    windows = read(body_of(items))

    (unusual,) = [window for window in windows if window.unusual]
    assert unusual.rows == []
    assert len(unusual.elements) == unusual.count
    (bad,) = [it for it in unusual.elements if isinstance(it, InvalidItem)]
    assert bad.sku == "S0200"
    assert sum(len(window.rows) for window in windows) == 2000 - unusual.count


def test_new_keys_are_not_unusual():
    """
    Keys that come for the first time are learned with their window.
    """
    items = [*products(200), *products(200, colour="red"), *products(200, size=[1])]

    assert not any(window.unusual for window in read(body_of(items)))


def test_many_scalars():
    """
    What is no item at all is taken by the window, too.
    """
    windows = read(b"[" + b",".join(b"%d" % n for n in range(5000)) + b"]")

    assert sum(window.count for window in windows) == 5000
    assert len(windows) < 50


def test_windows_of_a_read(server, connect):
    """
    `windows` gives what `pages` gives, as rows, page by page; those that are
    known are counted.
    """
    server.office.catalog = products(300, colour="red")
    server.office.page_size = 90
    client = connect(server.url)

    windows = client.windows(known={})
    pages = client.pages()[1]
    again = client.windows(known={it.digest: it.count for it in windows if it.digest})

    assert [len(window.rows) for window in windows if window.count] == [90, 90, 90, 30]
    assert [row for window in windows for row in window.rows] == [
        row_of(item) for page in pages for item in page
    ]
    assert [(it.count, it.rows) for it in again if it.count] == [
        *((90, []), (90, []), (90, []), (30, []))
    ]


def test_a_window_shows_little():
    """
    Its representation has no items.
    """
    window = CatalogWindow(
        digest=b"d", count=2, unusual=[Item(sku="A", name="a", price=Decimal(1))]
    )

    assert repr(window) == "CatalogWindow(digest=b'd', count=2)"


@pytest.mark.parametrize("element", [b"1", b'"SKU"', b"null", b"[]", b"true"])
def test_a_list_of_something_else(element):
    """
    Ten thousand elements of which none is an object are no catalogue; where
    one is, the others are set aside.
    """
    others = [element] * 20_000

    for size in (1000, 10**6):
        body = b"[" + b",".join([*others, b"{}"]) + b"]"
        with pytest.raises(EnvelopeError) as info:
            read(body, size=size)
        assert re.search(
            r"the catalogue has no items: none of its first \d+ elements is an object",
            str(info.value),
        )

    windows = read(b"[" + b",".join([b"{}", *others]) + b"]")
    assert sum(window.count for window in windows) == 20_001


@pytest.mark.parametrize("deep", [98, 99, 100, 101])
def test_the_deepest_item(deep):
    """
    An item may be nested as deeply as it can be written again, and no deeper.
    """
    raw = b'{"sku":"A","name":"a","price":1,"deep":%b}' % (b"[" * deep + b"]" * deep)
    expected = decode_item(raw)

    (window,) = read(b"[" + raw + b"," + raw + b"]")

    assert window.elements == [expected, expected]
    assert isinstance(expected, Item) == (deep < 100)
    if isinstance(expected, Item):
        assert window.rows == [row_of(expected)] * 2
    else:
        assert (expected.reason, expected.path) == ("Item is nested too deeply", "$.deep")


def test_bad_items_are_decoded_by_the_window(monkeypatch):
    """
    Items that are bad, and those among them, are not decoded one by one; a
    window with what is no object is.
    """
    slow = []
    monkeypatch.setattr(
        "conexxus_client._codec._catalog_window.decode_item",
        lambda raw: slow.append(raw) or decode_item(raw),
    )
    items = products(900, colour="red", tags=[1])
    for n, item in enumerate(items):
        item |= [{}, {"price": "free"}, {"sku": 5}, {"category": False}, {"name": None}][n % 5]

    windows = read(body_of(items))

    assert slow == []
    assert [it for window in windows for it in window.elements] == [
        decode_item(json.dumps(item).encode()) for item in items
    ]

    WindowDecoder().decode(body_of([*products(3), None]))

    assert len(slow) == 4


def test_pages_share_their_decoders():
    """
    What is made for the keys of one page serves the next.
    """
    decoders.cache_clear()

    for _ in range(3):
        read(body_of(products(10, colour="red", size=[1])))

    assert decoders.cache_info().misses == 2
