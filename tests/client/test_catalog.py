"""
Reading the catalogue from a real server.
"""

import pytest

from conexxus_client import (
    CatalogChangedError,
    ConnectionLostError,
    DecodeError,
    EnvelopeError,
    InvalidItem,
)

from .matrix.row import answer


def catalogue(size):
    return [{"sku": f"S{n:05}", "name": f"Item {n}", "price": n} for n in range(size)]


def skus(pages):
    return [element.sku for page in pages for element in page]


@pytest.mark.parametrize("paging", ["cursor", "link"])
@pytest.mark.parametrize("shape", ["envelope", "array"])
@pytest.mark.parametrize("page_size", [None, 1, 7, 20, 100])
def test_paging(connect, office, server, paging, shape, page_size):
    """
    A catalogue arrives whole and in order, however it is paged.
    """
    office.catalog = catalogue(20)
    office.paging = "link" if shape == "array" else paging
    office.shape = shape
    office.page_size = page_size

    read, pages = connect(server.url).pages()

    assert skus(pages) == [f"S{n:05}" for n in range(20)]
    assert read.not_modified is False
    assert read.etag


def test_not_modified(connect, office, server):
    """
    A known ETag costs one request and no items; a changed catalogue is read.
    """
    client = connect(server.url)
    first, _ = client.pages()

    again, pages = client.pages(etag=first.etag)
    office.catalog = catalogue(2)
    changed, changed_pages = client.pages(etag=first.etag)

    assert (again.not_modified, pages) == (True, [])
    assert (changed.not_modified, skus(changed_pages)) == (False, ["S00000", "S00001"])


def test_unasked_not_modified(connect, office, server):
    """
    A 304 that nobody asked for is an error, never "0 items".
    """
    office.faults("304*forever")

    with pytest.raises(EnvelopeError):
        connect(server.url).fetch_items()


def test_digest_names_the_items(connect, office, server):
    """
    The digest is the same for the same items, and another for others.
    """
    client = connect(server.url)
    digests = []

    for size in (3, 3, 4):
        office.catalog = catalogue(size)
        digests.append(client.pages()[0].digest)

    assert digests[0] == digests[1] != digests[2]


def test_total(connect, office, server):
    """
    A catalogue with fewer items than it says is refused at its end.
    """
    office.catalog = catalogue(10)
    office.total = 11

    with pytest.raises(EnvelopeError, match="says it has 11 items, but 10 came"):
        connect(server.url).fetch_items()


@pytest.mark.fault("H19", "The total changes while the catalogue is read", "`CatalogChangedError`")
def test_total_that_changes(connect, raw_server):
    """
    A catalogue that changes while it is read is refused.
    """
    body = b'{"success":true,"total":%d,"data":[{"sku":"%d","name":"a","price":1}]%s}'
    pages = iter([answer(body % (2, 1, b',"nextCursor":"c"')), answer(body % (3, 2, b""))])
    server = raw_server(lambda send: send(next(pages)))

    with pytest.raises(CatalogChangedError, match="2 items became 3"):
        connect(server.url).fetch_items()


@pytest.mark.fault("H19", "Pages without end", "`EnvelopeError`, at a bound")
def test_pages_without_end(connect, raw_server, monkeypatch):
    """
    Pages that never end are refused at some point.
    """
    monkeypatch.setattr("conexxus_client._catalogue._pagination.MAX_PAGES", 5)
    numbers = iter(range(100))
    body = b'{"success":true,"data":[],"nextCursor":"%d"}'
    server = raw_server(lambda send: send(answer(body % next(numbers))))

    with pytest.raises(EnvelopeError, match="more than 5 pages"):
        connect(server.url).fetch_items()


def test_digest_after_a_retry(connect, office, server):
    """
    A page that was asked for twice counts once in the digest.
    """
    client = connect(server.url)
    whole, _ = client.pages()
    office.faults("catalog: truncate")

    again, _ = client.pages()

    assert again.digest == whole.digest


def test_truncated(connect, office, server):
    """
    A body that breaks off before its first items is asked for again.
    """
    office.faults("catalog: truncate*2")

    assert len(connect(server.url).fetch_items()) == 5
    assert server.requests["catalog"] == 3


def test_broken_off_after_the_first_items(connect, office, server):
    """
    Once items were handed out, they are not fetched a second time.
    """
    office.catalog = catalogue(8_000)
    office.faults(f"catalog: truncate({256 * 1024})*forever")
    seen = []
    note = lambda item: seen.append(item.sku)  # noqa: E731  # one statement that may raise

    with pytest.raises(ConnectionLostError):
        list(map(note, connect(server.url).iter_items()))

    assert 0 < len(seen) < 8_000
    assert seen == [f"S{n:05}" for n in range(len(seen))]
    assert server.requests["catalog"] == 1


def test_invalid_items(connect, office, server):
    """
    An invalid item raises, unless somebody wants to know of it.
    """
    office.catalog = [*catalogue(2), {"sku": "BAD", "name": "no price"}]
    client = connect(server.url)
    invalid = []

    items = list(client.iter_items(on_invalid=invalid.append))
    with pytest.raises(DecodeError, match="Item has invalid price"):
        client.fetch_items()

    assert [item.sku for item in items] == ["S00000", "S00001"]
    assert [(bad.sku, type(bad)) for bad in invalid] == [("BAD", InvalidItem)]


def test_left_early(connect, office, server):
    """
    A reader who leaves in the middle leaves nothing behind.
    """
    office.catalog = catalogue(8_000)
    client = connect(server.url)

    stream = client.iter_items()
    assert next(stream).sku == "S00000"
    stream.close()

    assert client.health().ok is True
