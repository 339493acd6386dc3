"""
The books: laws that hold for any pushes, and a file that survives a kill.
"""

import contextlib
import json
import tempfile
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conexxus_client.testing import BackOffice, Ledger, Push, Sale, SaleLine


amounts = st.decimals(
    min_value=-(10**20), max_value=10**20, allow_nan=False, allow_infinity=False, places=4
)
sales = st.builds(
    Sale,
    id=st.sampled_from(["t1", "t2", "t3", "ü\n😀\ud800"]),
    timestamp=st.just("2026-01-02T10:00:00Z"),
    total=amounts,
    tax=st.none() | amounts,
    discount=st.none() | amounts,
    lines=st.lists(
        st.builds(SaleLine, sku=st.text(min_size=1, max_size=5), quantity=amounts, price=amounts),
        max_size=2,
    ).map(tuple),
)
pushes = st.builds(
    Push,
    at=st.datetimes(timezones=st.just(UTC)),
    location=st.sampled_from(["loc-001", "loc-002"]),
    date=st.sampled_from([date(2026, 1, 2), date(2026, 1, 3)]),
    key=st.none() | st.sampled_from(["k1", "k2", "k3"]),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64),
    mode=st.sampled_from(["append", "replace_day"]),
    sales=st.lists(sales, max_size=4).map(tuple),
    answer=st.text(max_size=20),
)
relaxed = settings(deadline=None, max_examples=min(60, settings.default.max_examples))
histories = st.lists(pushes, max_size=8)


@contextlib.contextmanager
def file_of_its_own():
    """
    For each example anew; a fixture would be shared by all of them.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "ledger.ndjson"


def booked(history, path=None):
    ledger = Ledger(path)
    for push in history:
        ledger.record(push)
    return ledger


def effective(history):
    """
    What is effective, computed the slow way: day by day, from its last
    replacement on.
    """
    found = Counter()
    for place, day in {(push.location, push.date) for push in history}:
        mine = [push for push in history if (push.location, push.date) == (place, day)]
        last = max((n for n, p in enumerate(mine) if p.mode == "replace_day"), default=0)
        found.update((place, day, sale.id) for push in mine[last:] for sale in push.sales)
    return found


@relaxed
@given(histories)
def test_each_sale_is_effective_as_often_as_it_was_pushed_since_its_day_was_replaced(history):
    entries = booked(history).transactions()

    assert {(e.location, e.date, e.id): e.times for e in entries} == dict(effective(history))


@relaxed
@given(histories)
def test_doubled_are_exactly_those_effective_more_than_once(history):
    doubled = {(e.location, e.date, e.id) for e in booked(history).doubled()}

    assert doubled == {sale for sale, count in effective(history).items() if count > 1}


@relaxed
@given(histories)
def test_totals_add_up_over_days_and_locations(history):
    ledger = booked(history)

    parts = [
        ledger.total(place, day) for place in ledger.locations() for day in ledger.dates(place)
    ]

    assert sum(map(int_of, parts)) == int_of(ledger.total())


def int_of(amount):
    """
    In ten-thousandths: whole numbers add up without a context's limits.
    """
    return int(amount.scaleb(4))


@relaxed
@given(histories)
def test_the_books_are_continued_from_their_file(history):
    with file_of_its_own() as path:
        first, second = booked(history, path), Ledger(path)

    assert second.pushes == first.pushes
    assert second.to_json() == first.to_json()


@relaxed
@given(history=st.lists(pushes, min_size=1, max_size=4), data=st.data())
def test_a_torn_last_line_never_happened(history, data):
    with file_of_its_own() as path:
        booked(history, path)
        whole = path.read_bytes()
        last = whole[:-1].rfind(b"\n") + 1
        path.write_bytes(whole[: data.draw(st.integers(last, len(whole) - 1))])

        Ledger(path).record(history[-1])
        again = Ledger(path)

    assert again.pushes == tuple(history)


def test_a_file_of_something_else_is_named_with_its_line(tmp_path):
    path = tmp_path / "ledger.ndjson"
    path.write_text('{"sku":"A"}\n')

    with pytest.raises(ValueError, match="line 1: not a line of a sandbox ledger"):
        Ledger(path)


def test_another_office_on_the_same_file_recognises_the_keys(tools, tmp_path):
    path = tmp_path / "ledger.ndjson"
    first = BackOffice(ledger=path)
    answer = tools.Caller(first).push("t1", key="k")

    second = BackOffice(ledger=path)
    again = tools.Caller(second).push("t1", key="k")

    assert again.body == answer.body
    assert tools.Caller(second).push("t2", key="k").status == 409
    assert [entry.times for entry in second.ledger.transactions()] == [1]


def test_a_push_is_on_disk_before_it_is_answered(tools, tmp_path):
    path = tmp_path / "ledger.ndjson"
    office = BackOffice(ledger=path)

    tools.Caller(office).push("t1", key="k")

    assert json.loads(path.read_text())["sales"][0]["total"] == "49.98"


def test_a_push_that_can_not_be_written_is_not_effective(tools, tmp_path):
    office = BackOffice(ledger=tmp_path / "ledger.ndjson")
    (tmp_path / "ledger.ndjson").unlink()
    (tmp_path / "ledger.ndjson").mkdir()

    with pytest.raises(IsADirectoryError):
        tools.Caller(office).push("t1", key="k")

    assert office.ledger.pushes == ()


def test_clearing_the_books_empties_the_file(tools, tmp_path):
    path = tmp_path / "ledger.ndjson"
    office = BackOffice(ledger=path)
    tools.Caller(office).push("t1", key="k")

    office.reset()
    tools.Caller(office).push("t2", key="k")

    assert [push.key for push in Ledger(path).pushes] == ["k"]
    assert BackOffice(ledger=path).effective_batches == [{"t2"}]


def test_the_export_has_exact_amounts_and_shows_what_is_doubled(office, caller):
    for _ in range(2):
        caller.push("t1", total="1.10")

    exported = json.loads(json.dumps(office.ledger.to_json()))

    day = exported["locations"]["loc-001"]["2026-01-02"]
    assert day["total"] == "2.20"
    assert day["transactions"] == exported["doubled"]
    assert exported["doubled"] == [
        {
            "location": "loc-001",
            "date": "2026-01-02",
            "id": "t1",
            "times": 2,
            "total": "1.10",
            "lines": [{"sku": "WINE001", "quantity": "2", "price": "24.99"}],
        }
    ]


def test_the_books_show_what_they_hold(office, caller):
    caller.push("t1", key="k")

    assert repr(office.ledger) == "<Ledger 1 pushes, 1 sales>"
    assert office.ledger.keys == ("k",)
    assert office.ledger.by_key("k").sales[0].total == Decimal("49.98")
    assert isinstance(office.ledger.pushes[0].at, datetime)
