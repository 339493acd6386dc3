"""
The back office keeps the wire contract; asked directly, without a network.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from conexxus_client import ApiProfile
from conexxus_client.models import Item
from conexxus_client.testing import BackOffice, GeneratedItems


def pages(caller, tools, query=""):
    """
    Every page of the catalogue, by whatever it names its next one.
    """
    while True:
        answer = caller.get(query=query)
        body = tools.read(answer)
        yield answer, body
        link = tools.header(answer, "Link")
        cursor = body.get("nextCursor") if isinstance(body, dict) else None
        if not link and not cursor:
            return
        query = link.split("?")[1].split(">")[0] if link else f"cursor={cursor}"


def skus(caller, tools):
    found = (body if isinstance(body, list) else body["data"] for _, body in pages(caller, tools))
    return [item["sku"] for items in found for item in items]


def test_without_the_key_nothing_is_answered_but_401(office):
    answers = [
        office.handle("GET", "/api/v1/health", "", headers).status
        for headers in ({}, {"X-API-Key": "wrong"}, {"x-api-key": "sandbox-key"})
    ]

    assert answers == [401, 401, 200]


def test_health_is_ok_and_says_when():
    office = BackOffice(clock=lambda: datetime(2026, 1, 2, 10, 0, tzinfo=UTC))

    answer = office.handle("GET", "/api/v1/health", "", {"X-API-Key": "sandbox-key"})

    assert answer.body == (
        b'{"success":true,"data":{"status":"ok"},"timestamp":"2026-01-02T10:00:00.000Z"}'
    )


def test_every_answer_has_a_request_id_of_its_own(caller, tools):
    answers = [caller.get(), caller.get("/nowhere"), caller.push(body=b"{")]

    assert len({tools.header(answer, "X-Request-Id") for answer in answers} - {None}) == 3


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/health", 405),
        ("DELETE", "/api/v1/inventory/items", 405),
        ("GET", "/api/v1/sales/push", 405),
    ],
)
def test_other_paths_and_methods_are_refused_with_a_problem(office, tools, method, path, status):
    answer = office.handle(method, path, "", tools.KEY)

    assert answer.status == tools.read(answer)["status"] == status
    assert tools.header(answer, "Content-Type") == "application/problem+json"


def test_a_profile_moves_the_endpoints(tools):
    office = BackOffice(profile=ApiProfile(health_path="/ping", api_key_header="Token"))

    assert office.handle("GET", "/ping", "", {"Token": "sandbox-key"}).status == 200
    assert office.handle("GET", "/ping", "", tools.KEY).status == 401


@pytest.mark.parametrize(
    "catalog",
    [
        [{"sku": "A", "name": "a", "price": Decimal("1.10"), "extra": {"deep": [Decimal("2.50")]}}],
        [
            Item(
                sku="A",
                name="a",
                price=Decimal("1.10"),
                extra={"extra": {"deep": [Decimal("2.50")]}},
            )
        ],
        [b'{"sku":"A","name":"a","price":1.10,"extra":{"deep":[2.50]}}'],
    ],
)
def test_items_keep_their_digits(tools, catalog):
    caller = tools.Caller(BackOffice(catalog, shape="array"))

    assert caller.get().body == b'[{"sku":"A","name":"a","price":1.10,"extra":{"deep":[2.50]}}]'


def test_bytes_are_the_whole_body_as_they_are(tools):
    caller = tools.Caller(BackOffice(b'{"success":tru'))

    assert caller.get().body == b'{"success":tru'


@pytest.mark.parametrize("shape", ["envelope", "array"])
@pytest.mark.parametrize("paging", ["cursor", "link"])
@pytest.mark.parametrize("size", [None, 1, 3, 999, 1000, 1001, 2500, 2501])
def test_pages_together_are_the_catalogue(tools, tmp_path, shape, paging, size):
    count = 7 if size in (1, 3) else 2500
    items = _items(count)
    file = tmp_path / "items.ndjson"
    file.write_bytes(b"\n" + b"\n\n".join(json.dumps(item).encode() for item in items))

    for catalog in (count, items, file):
        caller = tools.Caller(BackOffice(catalog, shape=shape, paging=paging, page_size=size))
        assert skus(caller, tools) == [item["sku"] for item in items]


def _items(count):
    return json.loads(b"[" + b",".join(GeneratedItems(count).pieces(0, None)) + b"]")


def test_a_page_of_a_file_begins_at_any_item(tools, tmp_path):
    file = tmp_path / "items.ndjson"
    file.write_bytes(b"\r\n".join(json.dumps(item).encode() for item in _items(3001)) + b"\n")
    caller = tools.Caller(BackOffice(file, page_size=2))

    body = tools.read(caller.get(query="cursor=p2999"))

    assert [item["sku"][-7:] for item in body["data"]] == ["0003000", "0003001"]
    assert "nextCursor" not in body


@pytest.mark.parametrize("cursor", ["x", "p", "p-1", "p1.5", "1", "p٣", "p" + "9" * 13])
def test_a_cursor_of_somebody_elses_is_refused(tools, cursor):
    caller = tools.Caller(BackOffice(3, page_size=1))

    assert caller.get(query=f"cursor={cursor}").status == 400


def test_other_query_parameters_are_carried_to_the_next_page(tools):
    caller = tools.Caller(BackOffice(3, page_size=1, paging="link"))

    answer = caller.get(query="store=7&cursor=p1")

    assert tools.header(answer, "Link") == (
        '</api/v1/inventory/items?store=7&cursor=p2>; rel="next"'
    )


def test_total_is_said_when_wanted_even_wrongly(tools):
    said = [
        tools.read(tools.Caller(BackOffice(3, page_size=2, total=total)).get()).get("total")
        for total in (False, True, 99)
    ]

    assert said == [None, 3, 99]


@pytest.mark.parametrize("kind", ["strong", "weak"])
def test_an_unchanged_catalogue_is_not_sent_again(tools, kind):
    office = BackOffice(etag=kind)
    caller = tools.Caller(office)
    etag = tools.header(caller.get(), "ETag")

    again = caller.get(**{"If-None-Match": f'"other", {etag}'})
    office.catalog = [*office.catalog, {"sku": "NEW", "name": "New", "price": 1}]
    changed = caller.get(**{"If-None-Match": etag})

    assert (again.status, again.body) == (304, b"")
    assert (changed.status, tools.header(changed, "ETag") != etag) == (200, True)
    assert etag.startswith('W/"' if kind == "weak" else '"')


def test_without_etags_everything_is_sent(tools):
    caller = tools.Caller(BackOffice(etag="off"))

    answer = caller.get(**{"If-None-Match": "*"})

    assert (answer.status, tools.header(answer, "ETag")) == (200, None)


def test_an_edited_file_is_a_changed_catalogue(tools, tmp_path):
    file = tmp_path / "items.ndjson"
    file.write_text('{"sku":"A","name":"a","price":1}\n')
    caller = tools.Caller(BackOffice(file, total=True))
    etag = tools.header(caller.get(), "ETag")
    file.write_text('{"sku":"A","name":"a","price":1}\n{"sku":"B","name":"b","price":2}\n')

    answer = caller.get(**{"If-None-Match": etag})

    assert tools.read(answer)["total"] == len(tools.read(caller.get())["data"]) == 2


def test_a_missing_file_is_reported_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        BackOffice(tmp_path / "nowhere.ndjson")


def test_a_large_catalogue_is_streamed_in_pieces_of_64_kib(tools):
    answer = tools.Caller(BackOffice(50_000)).get()

    pieces = list(answer.body)

    assert min(map(len, pieces[:-1])) >= 64 * 1024
    assert max(map(len, pieces)) < 1024 * 1024
    assert len(json.loads(b"".join(pieces))["data"]) == 50_000


def test_generated_items_are_believable_and_the_same_every_time():
    items = _items(5000)

    assert items == _items(5000)
    assert len({item["sku"] for item in items}) == 5000
    assert len({(item["name"], item["price"]) for item in items}) > 4900
    assert all(0 < item["price"] < 200 and item["category"] for item in items)
