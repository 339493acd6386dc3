"""
Pages of a catalogue as back offices make them: where they end, and what their totals mean.
"""

import itertools
import json

import pytest

from conexxus_client import ApiProfile, CatalogChangedError, ConexxusError, EnvelopeError

from .matrix.row import answer


def page(skus, **fields):
    items = [{"sku": sku, "name": "a", "price": 1} for sku in skus]
    return json.dumps({"success": True, "data": items, **fields}).encode()


@pytest.fixture
def pages(raw_server):
    """
    A server that answers with these bodies in turn, and goes on with the last.
    """

    def serve(*bodies):
        turn = itertools.chain(bodies, itertools.repeat(bodies[-1]))
        return raw_server(lambda send: send(answer(next(turn))))

    return serve


def skus_of(client):
    return [item.sku for item in client.fetch_items()]


@pytest.mark.case("A4", "`nextCursor` and `total` are a number and a text", "both are read")
def test_numbers_and_texts(connect, pages):
    """
    A cursor may be a number, and a total a text of digits.
    """
    server = pages(page("AB", nextCursor=2, total="3"), page("C", nextCursor=None, total="3"))

    assert skus_of(connect(server.url)) == ["A", "B", "C"]
    assert b"cursor=2 " in server.requests[1]


@pytest.mark.case("A4", "`nextCursor` is a number with decimals", "it is sent back as it came")
@pytest.mark.parametrize(
    ("number", "sent"),
    [("2.0", "2"), ("2.50", "2.50"), ("1732000000.123", "1732000000.123"), ("1e3", "1000")],
)
def test_cursors_with_decimals(connect, pages, number, sent):
    """
    A moment in seconds, for example.
    """
    first = page("A", nextCursor=0).replace(
        b'"nextCursor": 0', b'"nextCursor": %b' % number.encode()
    )
    server = pages(first, page("B"))

    assert skus_of(connect(server.url)) == ["A", "B"]
    assert f"cursor={sent} ".encode() in server.requests[1]


@pytest.mark.parametrize("number", ["1e99", "1e-99", "1e999999999999"])
def test_cursors_out_of_range(connect, pages, number):
    """
    A number that no address holds names no page.
    """
    first = page("A", nextCursor=0).replace(
        b'"nextCursor": 0', b'"nextCursor": %b' % number.encode()
    )

    with pytest.raises(ConexxusError, match=r"nextCursor|out of range"):
        skus_of(connect(pages(first).url))


@pytest.mark.case(
    "A4", "The last page is empty and repeats its own cursor", "it is the end, if the total agrees"
)
@pytest.mark.parametrize("total", [{}, {"total": 2}])
def test_empty_page_that_repeats_its_cursor(connect, pages, total):
    """
    An empty page that leads to itself is the last one.
    """
    server = pages(page("AB", nextCursor="c", **total), page("", nextCursor="c", **total))

    assert skus_of(connect(server.url)) == ["A", "B"]
    assert len(server.requests) == 2


def test_empty_page_that_repeats_its_link(connect, raw_server):
    """
    So is one whose `Link` leads to itself.
    """
    bodies = iter([b'[{"sku":"A","name":"a","price":1}]', b"[]"])
    server = raw_server(
        lambda send: send(answer(next(bodies), 'Link: </api/v1/inventory/items?p=2>; rel="next"'))
    )

    assert skus_of(connect(server.url)) == ["A"]


def test_empty_page_that_comes_too_early(connect, pages):
    """
    It is none where the total says that items are missing.
    """
    server = pages(page("AB", nextCursor="c", total=3), page("", nextCursor="c", total=3))

    with pytest.raises(EnvelopeError, match=r"says it has 3 items, but 2 came.*total_key"):
        skus_of(connect(server.url))


@pytest.mark.parametrize("last", ["C", ""])
def test_pages_that_go_in_a_circle(connect, pages, last):
    """
    Otherwise, a page that leads to one that was read is refused, with the key
    and the settings of the profile.
    """
    server = pages(page("A", next="c"), page("B", next="d"), page(last, next="c"))

    with pytest.raises(EnvelopeError, match=r"'next' leads .*next_cursor_key.*cursor_parameter"):
        skus_of(connect(server.url, profile=ApiProfile(next_cursor_key="next")))


@pytest.mark.case(
    "A4", "Each page has a `total` of its own items", "that is no total of the catalogue"
)
@pytest.mark.parametrize("sizes", [(2, 2, 1), (2, 2, 2), (2, 1, 0)])
def test_totals_of_pages(connect, pages, sizes):
    """
    Totals that are the length of each page are those of the pages.
    """
    bodies = [
        page(
            [f"{n}{k}" for k in range(size)], total=size, **({"nextCursor": n + 1} if n < 2 else {})
        )
        for n, size in enumerate(sizes)
    ]

    read, found = connect(pages(*bodies).url).pages()

    assert sum(map(len, found)) == sum(sizes)
    assert read.total is None


@pytest.mark.parametrize(
    ("totals", "error"),
    [((2, 2), EnvelopeError), ((2, 3), CatalogChangedError), ((2, None), EnvelopeError)],
)
@pytest.mark.case(
    "A4",
    "A `total` counts something else: of each page, what is left, or its limit",
    "the error names the key and `ApiProfile.total_key`",
)
def test_totals_that_are_of_no_page(connect, pages, totals, error):
    """
    One page whose total is not its length makes all of them totals of the whole.
    """
    server = pages(page("AB", nextCursor="c", total=totals[0]), page("C", total=totals[1]))

    with pytest.raises(error, match=r"If 'total' counts something else, set ApiProfile\.total_key"):
        skus_of(connect(server.url))


def test_a_total_of_the_whole(connect, pages):
    """
    A total beyond a page's length is that of the catalogue.
    """
    server = pages(page("AB", nextCursor="c", total=3), page("C", total=3))

    read, _ = connect(server.url).pages()

    assert read.total == 3


@pytest.mark.case(
    "A5",
    "Each page has a new cursor, and the same items or none",
    "3 equal pages in a row, or 100 without new items, end it with an error that says so",
)
@pytest.mark.parametrize(
    ("skus", "requests", "fault"),
    [
        (["AB"], 3, "3 pages in a row have the same items"),
        ([""], 100, "100 pages in a row have no new items"),
        (["AB", "", "AB", ""], 5, "3 pages in a row have the same items"),
        (["AB", "CD"], 102, "100 pages in a row have no new items"),
    ],
    ids=["the same", "empty", "the same between empty ones", "two in turn"],
)
def test_pages_without_end(connect, raw_server, skus, requests, fault):
    """
    Pages that bring nothing new are not read for ever.
    """
    numbers = itertools.count()

    def send_page(send):
        number = next(numbers)
        send(answer(page(skus[number % len(skus)], nextCursor=f"c{number}")))

    server = raw_server(send_page)

    with pytest.raises(EnvelopeError, match=f"{fault}.*ApiProfile.cursor_parameter"):
        skus_of(connect(server.url))
    assert len(server.requests) == requests


@pytest.mark.case(
    "A5",
    "Each page has the same items in another order, or with the moment of the request in each",
    "3 pages in a row with the same SKUs end it",
)
@pytest.mark.parametrize("skus", ["ABC", ["", None, 7]], ids=["named", "without a SKU"])
@pytest.mark.parametrize("change", ["order", "moment"])
def test_pages_of_the_same_items(connect, raw_server, change, skus):
    """
    Without their SKUs, elements are the same if their texts are.
    """
    numbers = itertools.count()

    def send_page(send):
        number = next(numbers)
        found = [{"sku": sku, "name": "a", "price": 1} for sku in skus]
        if change == "order":
            found = found[number % 3 :] + found[: number % 3]
        elif skus == "ABC":
            found = [{**it, "at": number} for it in found]
        send(answer(json.dumps({"success": True, "data": found, "nextCursor": number}).encode()))

    server = raw_server(send_page)

    with pytest.raises(EnvelopeError, match="3 pages in a row have the same items"):
        connect(server.url).pages()
    assert len(server.requests) == (3 if change == "moment" and skus != "ABC" else 4)


@pytest.mark.case(
    "A5", "More items came than the total says, and pages go on", "the read ends there"
)
def test_more_than_the_total(connect, raw_server):
    """
    Pages beyond the total are not asked for.
    """
    numbers = itertools.count()

    def send_page(send):
        number = next(numbers)
        send(answer(page([f"{number}a", f"{number}b"], nextCursor=number, total=3)))

    server = raw_server(send_page)

    with pytest.raises(EnvelopeError, match=r"says it has 3 items, but 4 came.*total_key"):
        skus_of(connect(server.url))
    assert len(server.requests) == 2


def test_some_empty_pages(connect, pages):
    """
    Empty pages in between, as of a back office that filters, are passed over.
    """
    bodies = [page("A" if n == 99 else "", nextCursor=n) for n in range(198)]

    assert skus_of(connect(pages(*bodies, page("B")).url)) == ["A", "B"]


@pytest.mark.case("E10", "A cursor of 900 kB", "it is refused: a cursor has at most 8 kB")
@pytest.mark.parametrize("size", [8 * 1024 + 1, 900_000])
def test_large_cursors(connect, pages, size):
    """
    A cursor that is larger than an address may be is refused.
    """
    with pytest.raises(EnvelopeError, match=r"'nextCursor' passes 8192 bytes.*next_cursor_key"):
        skus_of(connect(pages(page("A", nextCursor="c" * size)).url))


def test_the_largest_cursor(connect, pages):
    """
    One of 8 kB is sent back.
    """
    server = pages(page("A", nextCursor="c" * 8 * 1024), page("B"))

    assert skus_of(connect(server.url)) == ["A", "B"]
