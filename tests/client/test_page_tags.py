"""
Facts about the ETags of a catalogue that comes, or may come, in pages.
"""

import pytest
from paged_offices import PagedOffice, Said, client_of

from conexxus_client import ApiProfile
from conexxus_client._catalogue._links import next_link

from .matrix.row import answer


def items(count):
    return [{"sku": f"S{n:03}", "name": "x", "price": 1} for n in range(count)]


def served(office, raw_server):
    """
    *office* on a port; returns its URL.
    """

    def script(send):
        head = server.requests[-1].partition(b"\r\n\r\n")[0].decode().splitlines()
        fields = dict(line.split(": ", 1) for line in head[1:])
        condition = {name.lower(): value for name, value in fields.items()}.get("if-none-match")
        said = office.answer(head[0].split()[1], condition)
        status = {200: "200 OK", 304: "304 Not Modified"}[said.status]
        lines = [f"{name}: {value}" for name, value in said.fields]
        send(answer(said.body, *lines, status=status, length=said.status != 304))

    server = raw_server(script)
    return server.url


def count(pages):
    return sum(map(len, pages))


@pytest.mark.case(
    "A1",
    "the tag of page 1 is that of its own body, and a second page comes; 304 has a next link",
    "the catalogue is read without a condition within the same call",
)
def test_not_modified_page_with_a_next_link(connect, raw_server):
    """
    What page 1 says of itself is no answer for the whole.
    """
    office = PagedOffice(items(100))
    client = connect(served(office, raw_server))
    first, _ = client.pages()
    office.catalog = items(101)

    read, pages = client.pages(etag=first.etag)

    assert (read.not_modified, count(pages), read.etag) == (False, 101, None)
    assert office.asked[1:3] == [(0, True), (0, False)]


@pytest.mark.case(
    "A1",
    "a 304 names the next page in its body, or has a Link that can't be read",
    "the catalogue is read without a condition within the same call",
)
@pytest.mark.parametrize(
    "said",
    [
        Said(304, [], b'{"nextCursor":"c2"}'),
        Said(304, [], b'{"nextCursor":7}'),
        Said(304, [("Link", "<p2; rel=next")], b""),
        Said(304, [("Link", '<p0>; rel="prev"'), ("Link", "</p2>; rel=next")], b""),
    ],
)
def test_not_modified_page_that_names_another(said):
    """
    Wherever it says so.
    """
    office = PagedOffice(items(3))
    asking, ask = [], office.answer
    office.answer = lambda url, condition: (
        asking.append(condition) or (ask(url, None) if condition is None else said)
    )

    with client_of(office).open_catalog(etag='"a"') as read:
        assert (count(read.pages), read.page, read.not_modified) == (3, 1, False)
    assert asking == ['"a"', None]


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b'{"nextCursor":null}', b"<html>", b"[1]"])
def test_not_modified_whole(body):
    """
    A 304 that names no other page is the answer, whatever its body says.
    """
    office = PagedOffice(items(3))
    office.answer = lambda url, condition: Said(304, [], body)

    with client_of(office).open_catalog(etag='"a"') as read:
        assert read.not_modified
        assert list(read.pages) == []


def test_second_condition_is_not_answered_either():
    """
    A 304 to the request without a condition stays an error.
    """
    office = PagedOffice(items(3))
    office.answer = lambda url, condition: Said(304, [("Link", '</p2>; rel="next"')], b"")

    with (
        pytest.raises(Exception, match="answered 304") as caught,
        client_of(office).open_catalog(etag='"a"'),
    ):
        pass
    assert type(caught.value).__name__ == "EnvelopeError"


@pytest.mark.case(
    "A1",
    "a read has several pages",
    "it has a tag only if all pages carry the same one",
)
@pytest.mark.parametrize("tag", [None, '"all"'])
def test_tag_of_several_pages(tag):
    """
    Tags of pages name no version of the whole; one for all does.
    """
    office = PagedOffice(items(5), page_size=2)
    office.tag = tag

    with client_of(office).open_catalog() as read:
        assert count(read.pages) == 5
    assert read.etag == tag


@pytest.mark.case(
    "A1",
    'the profile says `etag_covers="page"`',
    "no tag is kept, none is sent, and each page is looked at again, whatever its tag",
)
def test_tags_that_cover_pages():
    """
    Equal tags of pages don't say that these belong together, either.
    """
    profile = ApiProfile(etag_covers="page")
    office = PagedOffice(items(3), page_size=2)
    office.tag = '"all"'

    with client_of(office, profile=profile).open_catalog(etag='"all"') as read:
        assert count(read.pages) == 3

    assert read.etag is None
    assert office.asked == [(0, False), (1, False), (0, True), (1, True)]


def test_first_page_that_is_not_modified_and_names_the_next():
    """
    When pages are looked at again, its 304 speaks for the first page alone.
    """
    office = PagedOffice(items(3), page_size=2)
    ask = office.answer

    def said(url, condition):
        it = ask(url, condition)
        return it if "page=" not in url else it._replace(fields=[])

    office.answer = said

    with client_of(office).open_catalog() as read:
        assert count(read.pages) == 3
    assert office.asked == [(0, False), (1, False), (0, True), (1, False)]


@pytest.mark.case(
    "E6",
    "an ETag is `*`, is no entity-tag, or is longer than 512 characters",
    "it is neither kept nor sent: the catalogue is read",
)
@pytest.mark.parametrize(
    "tag",
    [
        "*",
        'W/"*", *',
        "abc",
        '"a", "b"',
        'w/"a"',
        '"a b"',
        '"',
        '""a"',
        f'"{"x" * 511}"',
        f'"{"x" * 9_000}"',
    ],
)
def test_what_is_no_entity_tag(tag):
    """
    Neither of an answer, nor from a store of an earlier version.
    """
    office = PagedOffice(items(3))
    office.tag = tag
    client = client_of(office)

    for _ in range(2):
        with client.open_catalog(etag=tag) as read:
            assert count(read.pages) == 3
        assert read.etag is None
    assert office.asked == [(0, False), (0, False)]


@pytest.mark.parametrize("tag", ['""', '"a"', 'W/"a"', '"*"', f'"{"x" * 510}"'])
def test_entity_tags(tag):
    """
    What identifies a version is kept and sent, up to 512 characters.
    """
    office = PagedOffice(items(3))
    office.tag = tag

    with client_of(office).open_catalog(etag=tag) as read:
        assert read.not_modified


@pytest.mark.case(
    "A12",
    "a next link leads to the same host, but out of the base path",
    "it is refused, naming `ApiProfile.next_link_scope`; within the path it is followed",
)
@pytest.mark.parametrize(
    "link",
    [
        "/store18/items?page={}",
        "/items?page={}",
        "http://127.0.0.1:9/store170/items?page={}",
        "http://127.0.0.1:9/store17/../store18/items?page={}",
        "http://127.0.0.1:9/store17/%2e%2e/store18/items?page={}",
        "http://127.0.0.1:9/store17/%252e%252e/store18/items?page={}",
        "http://127.0.0.1:9/store17/..%2Fstore18/items?page={}",
        "http://127.0.0.1:9/store17/..%5Cstore18/items?page={}",
        "../../../../../store18/items?page={}",
        "/store17/..;/store18/items?page={}",
        "/store17/%2e%2e;x=1/store18/items?page={}",
        "/store17;x/items?page={}",
    ],
)
@pytest.mark.parametrize("base", ["/store17", "/store17/"])
def test_next_page_of_another_store(link, base):
    """
    However the path is written, items of another store don't get in.
    """
    office = PagedOffice(items(3), page_size=2)
    office.link = link
    url = f"http://127.0.0.1:9{base}"

    with pytest.raises(Exception, match=r"ApiProfile\.next_link_scope") as caught:
        client_of(office, url=url).fetch_items()

    assert type(caught.value).__name__ == "EnvelopeError"
    assert len(office.asked) == 1
    if ".." not in link:
        profile = ApiProfile(next_link_scope="origin")
        assert len(client_of(office, url=url, profile=profile).fetch_items()) == 3


@pytest.mark.parametrize(
    "link",
    [
        "?page={}",
        "/store17/other?page={}",
        "/store17?page={}",
        "/store17/items;x=1?page={}",
        "/store%317/items?page={}",
        "http://127.0.0.1:9/store17/a/../b?page={}",
    ],
)
def test_next_page_of_this_store(link):
    """
    Whatever is below the base path is followed.
    """
    office = PagedOffice(items(3), page_size=2)
    office.link = link

    assert len(client_of(office, url="http://127.0.0.1:9/store17").fetch_items()) == 3


def test_no_base_path():
    """
    Where the base URL has no path, every path of the host is within it.
    """
    office = PagedOffice(items(3), page_size=2)
    office.link = "/elsewhere?page={}"

    assert len(client_of(office).fetch_items()) == 3


@pytest.mark.case(
    "A1",
    "A Link is written otherwise than RFC 8288 has it: in single quotes, with empty elements",
    "the next page is read",
)
@pytest.mark.parametrize(
    "link",
    [
        "<{}>; rel='next'",
        "<{}>; rel='last next'",
        "<{}>; title='a; b'; rel=NEXT",
        "<{}>; title=it's; rel='next'",
        ", ,<?page=9>; rel='prev',, <{}>; rel=next , ,",
    ],
)
def test_links_as_others_write_them(link):
    """
    A first page that is taken for all would hide the items of the others.
    """
    office = PagedOffice(items(3), page_size=2)
    asked = office.answer

    def answer(url, condition):
        said = asked(url, condition)
        fields = [(name, link.format("?page=1") if name == "Link" else it) for name, it in said[1]]
        return said._replace(fields=fields)

    office.answer = answer

    assert len(client_of(office).fetch_items()) == 3


@pytest.mark.parametrize("link", ["", " ", ",", " , ,"])
def test_empty_link(link):
    """
    A Link that names nothing is none.
    """
    assert next_link([link]) is None
