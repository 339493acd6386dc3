"""
The sandbox adds up a date, and books wrong what it is told to.
"""

import json
from datetime import date
from decimal import Decimal

import pytest
from receipts import RECEIPTS

from conexxus_client._codec import encode_json
from conexxus_client.testing import (
    BackOffice,
    FaultSyntaxError,
    Ledger,
    parse_faults,
)
from conexxus_client.testing._sales._receipt_page import receipt_page


SUMMARY = "/api/v1/sales/summary"
ASKED = "date=2026-01-02&locationId=loc-001"
DAY = date(2026, 1, 2)


def body_of(*receipts):
    sales = [{**receipt, "id": f"t{n}"} for n, receipt in enumerate(receipts, start=1)]

    return encode_json({"date": "2026-01-02", "locationId": "loc-001", "transactions": sales})


@pytest.fixture
def summary(tools, office):
    def read(query=ASKED):
        answer = tools.Caller(office).get(SUMMARY, query)
        assert answer.status == 200
        return json.loads(answer.body, parse_float=Decimal)["data"]

    return read


def test_totals_of_a_date(caller, summary):
    """
    By register, tender and tax; what was paid out has a total of its own.
    """
    sold = {**RECEIPTS["US, the tax added"], "register": "2"}
    caller.push(body=body_of(sold, sold, RECEIPTS["lottery, paid out"]))

    assert summary() == {
        "date": "2026-01-02",
        "locationId": "loc-001",
        "count": 2,
        "total": Decimal("106.78"),
        "tenders": [{"type": "cash", "amount": Decimal("106.78")}],
        "taxes": [{"code": "STATE", "taxable": Decimal("97.96"), "amount": Decimal("8.82")}],
        "registers": [{"register": "2", "count": 2, "total": Decimal("106.78")}],
        "paidOut": {"count": 1, "total": Decimal("-25.00")},
        "transactions": [
            {"id": "t1", "total": Decimal("53.39")},
            {"id": "t2", "total": Decimal("53.39")},
            {"id": "t3", "total": Decimal("-25.00")},
        ],
    }


def test_tip_in_a_tender(caller, summary):
    """
    The total of a tender has its tips, and not its change.
    """
    caller.push(body=body_of(RECEIPTS["restaurant, the tip in the tender"]))

    assert summary()["tenders"] == [{"type": "card", "amount": Decimal("48.00")}]


def test_date_without_sales(summary):
    """
    It comes to nothing.
    """
    assert (summary()["count"], summary()["total"], summary()["transactions"]) == (0, 0, [])


def test_totals_alone(office, caller, summary):
    """
    A back office need not list transactions, or may offer no totals at all.
    """
    caller.push("t1")

    office.summary = "totals"
    assert "transactions" not in summary()
    office.summary = "none"
    assert caller.get(SUMMARY, ASKED).status == 404


@pytest.mark.parametrize("query", ["locationId=loc-001", "date=2026-01-02", "date=x&locationId=l"])
def test_incomplete_question(caller, query):
    """
    Date and location are asked for.
    """
    assert caller.get(SUMMARY, query).status == 400


def test_books_of_an_earlier_version(tools, tmp_path):
    """
    Their sales have no receipts, but totals.
    """
    path = tmp_path / "ledger.ndjson"
    tools.Caller(BackOffice(ledger=path)).push("t1", total="1.10")
    line = json.loads(path.read_text())
    del line["sales"][0]["wire"]
    path.write_text(json.dumps(line) + "\n")

    office = BackOffice(ledger=path)
    data = tools.read(tools.Caller(office).get(SUMMARY, ASKED))["data"]

    assert (data["count"], data["total"]) == (1, 1.1)
    assert "2 WINE001 @ 24.99\nTOTAL" in receipt_page(office.ledger)


@pytest.mark.parametrize(
    ("fault", "booked"),
    [
        ("forget(t1)", {"2026-01-02": ["t2"]}),
        ("double(t1)", {"2026-01-02": ["t1", "t1", "t2"]}),
        ("misdate(t1, date=2026-01-03)", {"2026-01-02": ["t2"], "2026-01-03": ["t1"]}),
        ("forget(other)", {"2026-01-02": ["t1", "t2"]}),
    ],
)
@pytest.mark.parametrize("mode", ["append", "replace_day"])
def test_fault_of_the_books(office, tools, tmp_path, fault, booked, mode):
    """
    The answer says that both sales were taken; a repeat and a new start change
    nothing of what is booked.
    """
    path = tmp_path / "ledger.ndjson"
    office = BackOffice(ledger=path, faults=fault, sales_mode=mode)
    for _ in range(2):
        fault = office.next_fault(tools.PUSH)
        body = tools.body_of("t1", "t2")
        answer = office.answer(
            fault, "POST", tools.PUSH, "", {**tools.KEY, "Idempotency-Key": "k"}.items(), body
        )
        assert tools.read(answer)["data"]["accepted"] == 2

    for ledger in (office.ledger, Ledger(path)):
        found = {str(day): sorted(s.id for s in ledger.sales(day=day)) for day in ledger.dates()}
        assert found == booked


def test_fault_of_the_books_waits_for_a_push(office, caller):
    """
    Calls before the push do not use it up.
    """
    office.faults("forget(t1)")

    assert office.next_fault("/api/v1/health").kind == "ok"
    assert str(office.next_fault("/api/v1/sales/push")) == "forget(id=t1)"
    assert office.faults_left == ""


@pytest.mark.parametrize(
    "script", ["forget", "misdate(t1)", "misdate(t1, date=soon)", "after_commit(forget(t1))"]
)
def test_incomplete_fault_of_the_books(script):
    """
    It is refused.
    """
    with pytest.raises(FaultSyntaxError):
        parse_faults(script)


def test_page_of_receipts(server, tools, caller):
    """
    What was sold reads like a receipt.
    """
    receipt = {**RECEIPTS["US, the tax added"], "register": "2"}
    caller.push(body=body_of(receipt, RECEIPTS["AU, rounded to five cents"]))
    caller.push(body=body_of(receipt))

    with tools.Wire(server) as wire:
        page = wire.send(path="/sandbox/receipts", Connection="close").rest().decode()

    for shown in (
        "loc-001, 2026-01-02, register 2: t1",
        "BOOKED 2 TIMES",
        "2 a @ 24.99                            49.98",
        "  less LOYAL                           -1.00",
        "tax STATE 9.0 %                         4.41",
        "TOTAL USD                              53.39",
        "cash                                   60.00",
        "  change                                6.61",
        "rounding                               -0.02",
        "tax GST, included                       0.91",
    ):
        assert f"{shown}\n" in page
