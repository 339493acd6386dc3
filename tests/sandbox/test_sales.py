"""
Sales pushes: what is taken, what is recognised, what is refused.
"""

import contextlib
import json
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from conexxus_client.testing import BackOffice


DAY = date(2026, 1, 2)
LOCATION = "loc-001"


def times(office):
    return {entry.id: entry.times for entry in office.ledger.transactions()}


def test_a_push_is_in_the_books_with_its_exact_amounts(office, caller, tools):
    answer = caller.push("t1", "t2", total="12345678901234567.890")

    entries = office.ledger.transactions(LOCATION, DAY)
    assert tools.read(answer)["data"] == {"accepted": 2, "rejected": []}
    assert [entry.id for entry in entries] == ["t1", "t2"]
    assert str(entries[0].total) == "12345678901234567.890"
    assert str(office.ledger.total(LOCATION, DAY)) == "24691357802469135.780"
    assert entries[0].sale.lines[0].quantity == 2
    assert office.effective_batches == [{"t1", "t2"}]


def test_amounts_of_38_digits_add_up_exactly(office, caller):
    caller.push("t1", "t2", "t3", total="9" * 20 + "." + "9" * 18)

    assert str(office.ledger.total()) == "299999999999999999999.999999999999999997"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"total":NaN}',
        b'{"total":-Infinity}',
        b'{"n":' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_no_json_is_a_400(office, caller, tools, body):
    answer = caller.push(body=body or b" ")

    assert (answer.status, tools.read(answer)["status"]) == (400, 400)
    assert office.ledger.pushes == ()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"date": "02.01.2026"}, "#/date"),
        ({"date": "20260102"}, "#/date"),
        ({"date": "2026-02-30"}, "#/date"),
        ({"date": None}, "#/date"),
        ({"locationId": ""}, "#/locationId"),
        ({"locationId": 7}, "#/locationId"),
        ({"transactions": {}}, "#/transactions"),
        ({"transactions": [1]}, "#/transactions/0"),
        ({"id": " "}, "#/transactions/0/id"),
        ({"timestamp": "2026-01-02T10:00:00"}, "#/transactions/0/timestamp"),
        ({"total": "49.98"}, "#/transactions/0/total"),
        ({"total": True}, "#/transactions/0/total"),
        ({"tax": "1"}, "#/transactions/0/tax"),
        ({"items": None}, "#/transactions/0/items"),
        ({"items": [None]}, "#/transactions/0/items/0"),
        ({"sku": None}, "#/transactions/0/items/0/sku"),
        ({"quantity": "2"}, "#/transactions/0/items/0/quantity"),
        ({"price": None}, "#/transactions/0/items/0/price"),
    ],
)
def test_what_is_wrong_with_a_report_is_named_by_its_pointer(
    office, caller, tools, change, pointer
):
    value = json.loads(tools.body_of("t1"))
    sale = value["transactions"][0]
    for part in (value, sale, sale["items"][0]):
        part.update({k: v for k, v in change.items() if k in part or k == "tax"})
    answer = caller.push(body=json.dumps(value).encode())

    assert answer.status == 422
    assert pointer in [error["pointer"] for error in tools.read(answer)["errors"]]
    assert office.ledger.pushes == ()


def test_all_mistakes_are_listed_at_once_up_to_a_hundred(caller, tools):
    body = json.dumps({"transactions": [{}] * 1000}).encode()

    assert len(tools.read(caller.push(body=body))["errors"]) == 100


def test_a_number_like_1e999999_is_refused_without_being_expanded(caller, tools):
    assert caller.push(body=tools.body_of("t1", total="1e999999")).status == 422


def test_the_same_key_and_body_again_is_answered_as_before(office, caller, tools):
    first = caller.push("t1", key="k")
    again = caller.push("t1", key="k")

    assert (again.status, again.body) == (first.status, first.body)
    assert tools.header(again, "Idempotent-Replayed") == "true"
    assert tools.header(again, "X-Request-Id") != tools.header(first, "X-Request-Id")
    assert times(office) == {"t1": 1}


def test_the_same_key_with_another_body_is_a_conflict(office, caller):
    caller.push("t1", key="k")

    assert caller.push("t2", key="k").status == 409
    assert times(office) == {"t1": 1}


def test_a_refused_push_does_not_use_up_its_key(office, caller):
    caller.push(body=b"{", key="k")

    assert caller.push("t1", key="k").status == 200


def test_a_forgotten_key_is_no_protection(tools):
    now = [datetime(2026, 1, 2, tzinfo=UTC)]
    office = BackOffice(key_ttl=timedelta(hours=24), clock=lambda: now[0])
    caller = tools.Caller(office)
    caller.push("t1", key="k")

    now[0] += timedelta(hours=24, microseconds=-1)
    caller.push("t1", key="k")
    assert times(office) == {"t1": 1}

    now[0] += timedelta(microseconds=1)
    caller.push("t1", key="k")
    caller.push("t1", key="k")
    assert times(office) == {"t1": 2}


@pytest.mark.parametrize(
    ("dedupe", "key", "effective"),
    [
        ("key", "k", 1),
        ("key", None, 2),
        ("transaction_id", "k", 1),
        ("transaction_id", None, 1),
        ("none", "k", 2),
        ("none", None, 2),
    ],
)
def test_a_repeat_is_doubled_unless_it_is_recognised(tools, dedupe, key, effective):
    office = BackOffice(dedupe=dedupe)
    caller = tools.Caller(office)

    for _ in range(2):
        caller.push("t1", key=key)

    assert times(office) == {"t1": effective}
    assert [entry.times for entry in office.ledger.doubled()] == [2] * (effective - 1)
    assert office.ledger.total() == Decimal("49.98") * effective


def test_ids_are_recognised_on_every_date_of_their_location(tools):
    office = BackOffice(dedupe="transaction_id")
    caller = tools.Caller(office)

    caller.push("t1", "t1", day="2026-01-02")
    caller.push("t1", "t2", day="2026-01-03")
    caller.push("t1", day="2026-01-03", location="loc-002")

    assert [(e.location, str(e.date), e.id, e.times) for e in office.ledger.transactions()] == [
        ("loc-001", "2026-01-02", "t1", 1),
        ("loc-001", "2026-01-03", "t2", 1),
        ("loc-002", "2026-01-03", "t1", 1),
    ]


@pytest.mark.parametrize("dedupe", ["key", "transaction_id", "none"])
def test_a_day_can_be_replaced(tools, dedupe):
    office = BackOffice(sales_mode="replace_day", dedupe=dedupe)
    caller = tools.Caller(office)

    caller.push("t1", "t2", key="k1")
    caller.push("t9", key="k2", day="2026-01-03")
    caller.push("t2", "t3", key="k3")

    assert [entry.id for entry in office.ledger.transactions(LOCATION, DAY)] == ["t2", "t3"]
    assert office.ledger.dates(LOCATION) == [DAY, date(2026, 1, 3)]
    assert office.ledger.doubled() == []


def test_a_late_repeat_of_an_older_day_does_not_replace_the_newer_one(tools):
    office = BackOffice(sales_mode="replace_day")
    caller = tools.Caller(office)

    caller.push("t1", key="k1")
    caller.push("t1", "t2", key="k2")
    caller.push("t1", key="k1")

    assert times(office) == {"t1": 1, "t2": 1}


@pytest.mark.parametrize(
    ("reject", "reason"),
    [
        ({"t2"}, "Refused by the back office"),
        ({"t2": "unknown SKU"}, "unknown SKU"),
        (lambda sale: sale.id == "t2", "Refused by the back office"),
        (lambda sale: "too much" if sale.id == "t2" else None, "too much"),
    ],
)
def test_some_transactions_are_refused_by_name(tools, reject, reason):
    office = BackOffice(reject=reject)
    caller = tools.Caller(office)

    answer = caller.push("t1", "t2", key="k")

    assert tools.read(answer)["data"] == {
        "accepted": 1,
        "rejected": [{"id": "t2", "error": reason}],
    }
    assert times(office) == {"t1": 1}
    assert caller.push("t1", "t2", key="k").body == answer.body


@pytest.mark.parametrize(("mode", "named"), [("batch", [{"id": "t2"}]), ("blind", None)])
def test_a_batch_is_refused_as_a_whole(tools, mode, named):
    office = BackOffice(reject={"t2"}, reject_mode=mode)
    answer = tools.Caller(office).push("t1", "t2")

    said = tools.read(answer).get("rejected")

    assert answer.status == 422
    assert (said and [{"id": entry["id"]} for entry in said]) == named
    assert office.ledger.pushes == ()


def test_racing_repeats_of_one_push_are_one_sale(tools):
    meeting = threading.Barrier(2)

    def meet(_):
        # Only if two pushes were judged at once would they meet here.
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=0.2)

    office = BackOffice(reject=meet)
    caller = tools.Caller(office)
    threads = [
        threading.Thread(target=caller.push, args=("t1",), kwargs={"key": "k"}) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert times(office) == {"t1": 1}
    assert len(office.ledger.pushes) == 1


def test_reset_forgets_sales_faults_and_counts(office, caller):
    caller.push("t1", key="k")
    office.faults("503*3")
    office.next_fault("/api/v1/health")

    office.reset()

    assert (office.ledger.pushes, office.faults_left, office.requests.total()) == ((), "", 0)
    assert caller.push("t2", key="k").status == 200
