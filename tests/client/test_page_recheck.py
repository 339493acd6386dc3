"""
A catalogue that changes while its pages are read.
"""

import hashlib
import json
import re
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conexxus_client import CatalogChangedError, ClientConfig, ConexxusClient, Headers, ServerError

from .matrix.row import answer


PAGE_SIZE = 2
# Of how many requests the first read of six items consists.
PAGES = 3


class Tags:
    """
    What a back office may say its ETag is.
    """

    def __init__(self, kind):
        self.kind = kind
        self.count = 0

    def tag(self, catalog, page, number):
        self.count += 1
        named = {
            "of the whole": catalog,
            "of the whole, on the first page": catalog if number == 0 else None,
            "of each page": page,
            "of each answer": self.count,
            "none": None,
        }[self.kind]

        return None if named is None else f'"{_digest(named)}"'


class Office:
    """
    A back office whose catalogue may change before any request.

    Attributes:
        changes: What happens before the n-th request, counted from 0.
        versions: Every catalogue that there was.
        asked: The requests so far, as number of the page and condition.
        conditional: Whether it ever answers 304.
        statuses: Of answers that say nothing else, by number of the request.
    """

    def __init__(self, kind, size=6, changes=None):
        self.tags = Tags(kind)
        self.catalog = [_item(f"S{n}", 0) for n in range(size)]
        self.changes = dict(changes or {})
        self.versions = [self.catalog]
        self.asked = []
        self.conditional = True
        self.statuses = {}

    def answer(self, url, condition):
        for change in self.changes.get(len(self.asked), ()):
            self.catalog = change(self.catalog, len(self.versions))
            self.versions.append(self.catalog)

        number = int(url.partition("cursor=")[2] or 0)
        self.asked.append((number, condition is not None))
        if (status := self.statuses.get(len(self.asked) - 1)) is not None:
            return Said(status, [], b"")

        start = number * PAGE_SIZE
        page = self.catalog[start : start + PAGE_SIZE]
        tag = self.tags.tag(self.catalog, page, number)
        headers = [] if tag is None else [("ETag", tag)]
        if tag is not None and tag == condition and self.conditional:
            return Said(304, headers, b"")

        body = {"success": True, "data": page, "timestamp": f"t{len(self.asked)}"}
        if start + PAGE_SIZE < len(self.catalog):
            body["nextCursor"] = str(number + 1)
        return Said(200, headers, json.dumps(body).encode())


class Said(NamedTuple):
    """
    An answer; a `Reply`, too.
    """

    status: int
    fields: list
    body: bytes

    @property
    def headers(self):
        return Headers(self.fields)

    def chunks(self):
        yield self.body


class Wire:
    """
    A transport whose other end is an `Office`.
    """

    def __init__(self, office):
        self.office = office

    @contextmanager
    def open(self, request, limits):
        yield self.office.answer(request.url, dict(request.headers).get("If-None-Match"))

    def close(self):
        pass


def _item(sku, price):
    return {"sku": sku, "name": "x", "price": price}


def _digest(value):
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def changing(*indexes):
    """
    Some items get a price that was never seen before.
    """

    def change(catalog, version):
        return [
            _item(it["sku"], version) if index in indexes else it
            for index, it in enumerate(catalog)
        ]

    return change


def adding(index):
    """
    An item that never was there pushes the others on.
    """
    return lambda catalog, version: [
        *catalog[:index],
        _item(f"N{version}", version),
        *catalog[index:],
    ]


def known(pages):
    return [(it.sku, int(it.price)) for page in pages for it in page]


def plain(catalog):
    return [(it["sku"], it["price"]) for it in catalog]


@pytest.fixture
def read(connect, raw_server):
    """
    Reads an office's whole catalogue over a port.
    """

    def read(office, **options):
        def script(send):
            request = server.requests[-1].decode()
            condition = re.search("(?i)if-none-match: (.*)\r", request)
            said = office.answer(request.split()[1], condition and condition[1])
            fields = [": ".join(field) for field in said.fields]
            send(answer(said.body, *fields, status=f"{said.status} So", length=said.status == 200))

        server = raw_server(script)
        return connect(server.url, **options).pages()

    return read


EVERY = [(n, False) for n in range(PAGES)]


@pytest.mark.fault(
    "H18", "The pages' tags do not agree", "each page is looked at once more, after the last"
)
@pytest.mark.parametrize(
    ("kind", "again"),
    [
        ("of the whole", []),
        ("none", []),
        ("of the whole, on the first page", [(0, True)]),
        ("of each page", [(n, True) for n in range(PAGES)]),
        ("of each answer", [(n, True) for n in range(PAGES)]),
    ],
)
def test_unchanged(read, kind, again):
    """
    A catalogue that does not change is read, whatever its tags are of, and
    looked at again only where they do not agree.
    """
    office = Office(kind)

    catalog, pages = read(office)

    assert known(pages) == plain(office.catalog)
    assert office.asked == EVERY + again
    assert (catalog.page, catalog.not_modified) == (PAGES, False)
    assert bool(catalog.etag) is (kind == "of the whole")


def test_conditions_are_ignored(read):
    """
    A back office that sends a page whole is believed its tag.
    """
    office = Office("of the whole, on the first page")
    office.conditional = False

    _, pages = read(office)

    assert known(pages) == plain(office.catalog)
    assert len(office.asked) == PAGES + 1


CHANGES = {
    "the first page": {1: [changing(0)]},
    "all pages, before the last": {2: [changing(0, 2, 4)]},
    "what comes and what came, but not the first page": {2: [changing(2, 4)]},
    "one more item": {1: [adding(0)]},
}


@pytest.mark.fault(
    "H18", "The catalogue changes between two pages, and a tag shows it", "`CatalogChangedError`"
)
@pytest.mark.parametrize(
    "kind",
    ["of the whole", "of the whole, on the first page", "of each page", "of each answer"],
)
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_changed(read, kind, changes):
    """
    Pages of two catalogues are none, and reading anew gives the new one.
    """
    office = Office(kind, changes=changes)

    with pytest.raises(
        CatalogChangedError, match=r"changed while it was read: page \d is "
    ) as info:
        read(office)

    assert info.value.retryable
    assert known(read(office)[1]) == plain(office.catalog)


def test_changed_and_back_again(read):
    """
    A page of another version is noticed, though the first page's is back.
    """
    before = Office("of the whole").catalog
    changes = {2: [changing(0, 2, 4)], 3: [lambda catalog, version: before]}
    office = Office("of the whole", changes=changes)

    with pytest.raises(CatalogChangedError, match="page 3 is another by now"):
        read(office)


@pytest.mark.parametrize("kind", ["of each page", "of each answer"])
def test_changed_before_it_was_read(read, kind):
    """
    A change of pages that were yet to come mixes nothing.
    """
    office = Office(kind, changes={1: [changing(2, 4)]})

    _, pages = read(office)

    assert known(pages) == plain(office.versions[1])


@pytest.mark.parametrize("kind", ["of each page", "of each answer"])
def test_recheck_is_retried(read, kind):
    """
    It is a request like any other: tried again, and then given up.
    """
    office = Office(kind)
    office.statuses = {PAGES: 503, PAGES + 1: 502}

    _, pages = read(office, retries=2)

    assert known(pages) == plain(office.catalog)
    office.statuses = dict.fromkeys(range(len(office.asked) + PAGES, 1_000), 503)
    with pytest.raises(ServerError):
        read(office, retries=2)


def test_signs_of_life(read):
    """
    Whoever has to renew a lease meanwhile hears of each page.
    """
    _, pages = read(Office("of each page"))

    assert [len(page) for page in pages] == [PAGE_SIZE] * PAGES + [0] * PAGES


change = st.builds(adding, st.integers(0, 9)) | st.sets(st.integers(0, 9), min_size=1).map(
    lambda indexes: changing(*indexes)
)
schedules = st.dictionaries(st.integers(0, 9), st.lists(change, min_size=1, max_size=2), max_size=4)


@pytest.mark.parametrize(
    "kind",
    ["of the whole", "of the whole, on the first page", "of each page", "of each answer"],
)
@given(size=st.integers(0, 8), changes=schedules)
def test_never_a_mix(kind, size, changes):
    """
    Whenever the catalogue changes, what is read to its end is one that the
    back office had.
    """
    office = Office(kind, size, changes)
    config = ClientConfig(api_url="http://127.0.0.1:9", api_key="key", retries=0)

    with closing(ConexxusClient(config, transport=Wire(office))) as client:
        try:
            got = known([client.fetch_items()])
        except CatalogChangedError:
            assert len(office.versions) > 1
            return

    assert got in [plain(version) for version in office.versions]
