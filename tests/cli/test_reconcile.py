"""
`conexxus reconcile`: a business date by register, tender and tax.
"""

import csv
import io
import json

import pytest


DAY = ("--date", "2026-01-02")
TILL = ("--orders", "till.ndjson")


def sale(name, total="1.10", **fields):
    return {
        "id": name,
        "timestamp": "2026-01-02T15:00:00Z",
        "total": float(total),
        "items": [{"sku": "A1", "quantity": 1, "price": float(total)}],
        **fields,
    }


@pytest.fixture
def till(cli, tmp_path):
    """
    A file of sales that were pushed, each paid in cash.
    """
    paid = {"tenders": [{"type": "=cash", "amount": 1.1}], "register": "2"}
    lines = [json.dumps(sale(name, **paid)) + "\n" for name in ("a", "b")]
    (tmp_path / "till.ndjson").write_text("".join(lines))

    def push():
        return cli("push", *TILL, *DAY)

    return push


def test_date_that_agrees(cli, till):
    """
    Every row is the same at till, outbox and back office.
    """
    till()

    code, out, _ = cli("reconcile", *DAY, *TILL, "--json")

    found = json.loads(out)
    assert code == 0
    assert (found["businessDate"], found["locationId"]) == ("2026-01-02", "loc-001")
    assert (found["agrees"], found["findings"], found["remarks"]) == (True, [], [])
    assert found["rows"][1] == {
        "measure": "total",
        "till": "2.2",
        "sent": "2.2",
        "accepted": "2.2",
        "setAside": "0",
        "backOffice": "2.2",
        "difference": "0.0",
        "agrees": True,
    }
    assert [row.get("name") for row in found["rows"]] == [None, None, "2", "=cash"]


def test_sale_that_the_back_office_lost(cli, till, office):
    """
    It is named, and the exit code says that something differs.
    """
    office.faults("forget(a)")
    till()

    code, out, _ = cli("reconcile", *DAY, *TILL)

    assert code == 3
    assert "a was accepted, but is not in the books of the back office." in out
    assert "total" in out
    assert "differs" in out
    assert out.rstrip().endswith("Till and back office do not agree.")


def test_findings_as_json(cli, till, office):
    """
    Each has its kind, its total and its dates.
    """
    office.faults("misdate(a, date=2026-01-03)")
    till()

    code, out, _ = cli("reconcile", *DAY, "--json")

    assert code == 3
    assert json.loads(out)["findings"] == [
        {
            "kind": "misdated",
            "id": "a",
            "total": "1.1",
            "times": 0,
            "date": "2026-01-02",
            "bookedOn": "2026-01-03",
        }
    ]


def test_table_for_spreadsheets(cli, till):
    """
    One figure a line; no formula in it.
    """
    till()

    code, out, _ = cli("reconcile", *DAY, *TILL, "--csv")

    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert rows[3] == {
        "business_date": "2026-01-02",
        "location": "loc-001",
        "measure": "tender",
        "name": "'=cash",
        "till": "2.2",
        "sent": "2.2",
        "accepted": "2.2",
        "set_aside": "0",
        "back_office": "2.2",
        "difference": "0.0",
        "agrees": "yes",
    }


def test_last_date(cli, till):
    """
    Without a date, it is the last one that is over.
    """
    till()

    code, out, _ = cli("reconcile", *TILL)

    assert code == 0
    assert "All that is known agrees." in out


def test_no_store(cli, tmp_path):
    """
    There is nothing to compare, and no store is created.
    """
    (tmp_path / "conexxus.db").unlink()

    code, _, err = cli("reconcile", *DAY)

    assert code == 2
    assert "There is no store" in err
    assert not (tmp_path / "conexxus.db").exists()


def test_csv_or_json(cli):
    """
    One of them.
    """
    assert cli("reconcile", "--csv", "--json")[0] == 2
